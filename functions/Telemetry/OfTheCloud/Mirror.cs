using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>
/// The cloud's own resources as Gnocchi shows them, made from their events: a server is an instance, with its past. Events may come twice and in any order:
/// one that isn't newer than what was seen changes nothing.
/// </summary>
internal static class Mirror
{
    /// <summary>How long what is gone is still shown.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromDays(90);

    private sealed record Shape(string Type, Func<JsonElement, IEnumerable<(string Name, string? Value)>> Values);

    private static readonly Dictionary<string, Shape> Kinds = new()
    {
        ["compute.server"] = new("instance", s => [("display_name", Text(s, "Name")), ("flavor_id", Text(s.GetProperty("Flavor"), "Id")), ("flavor_name", Text(s.GetProperty("Flavor"), "Name")), ("image_ref", Text(s, "ImageId")), ("status", Text(s, "Status"))]),
        ["block-storage.volume"] = new("volume", v => [("display_name", Text(v, "Name")), ("volume_type", Text(v, "VolumeType")), ("image_id", Text(v, "ImageId"))]),
        ["image.image"] = new("image", i => [("name", Text(i, "Name")), ("container_format", Text(i, "ContainerFormat")), ("disk_format", Text(i, "DiskFormat"))]),
        ["network.network"] = new("network", n => [("name", Text(n, "Name")), ("kind", "network")]),
        ["network.port"] = new("network", n => [("name", Text(n, "Name")), ("kind", "port")]),
        ["network.router"] = new("network", n => [("name", Text(n, "Name")), ("kind", "router")]),
        ["network.floatingip"] = new("network", n => [("name", Text(n, "FloatingIpAddress")), ("kind", "floatingip")]),
    };

    public static async Task OnEvent(Services s, Event e, CancellationToken ct)
    {
        if (e.ProjectId.Length == 0 || e.Type.Split('.') is not ["cloud", "serverless", var service, var kind, var verb] || verb is not ("created" or "updated" or "deleted")) return;
        if (service == "object-store" && kind == "container") { await Ensure(s, new(e.ProjectId, e.ProjectId, "swift_account"), ct); return; }
        if (!Kinds.TryGetValue($"{service}.{kind}", out var shape) || Ids.Uuid(e.Subject) is not { } id) return;
        if (await Definitions.Find<ResourceType>(s.Store, Definitions.Type(shape.Type), ct) is not var (type, _)) return; // the operator doesn't want them
        var (gone, revision) = (verb == "deleted", e.Data.GetProperty("revision").GetInt64());
        var state = e.Data.GetProperty(gone ? "before" : "after");
        await Access.Repeat(async () =>
        {
            var was = await Catalogue.Resource(s.Store, id, ct);
            // Another's under the same id, or an event that is no news. A move to another project is the end in one and the beginning in the other, of one revision.
            if (was is not null && (was.Creator != Creator.Cloud || was.Seen > revision || was.Seen == revision && (was.Project == e.ProjectId || gone))) return false;
            if (was is null && gone) return false;
            var values = new Dictionary<string, JsonElement>();
            foreach (var (name, value) in shape.Values(state))
                if (value is not null && Array.Find(type.Attributes, a => a.Name == name) is { Type: "string" } a) values[a.Slot] = JsonSerializer.SerializeToElement(value.Length > a.Longest ? value[..a.Longest] : value);
            var now = Times.Microsecond(e.Time);
            var next = (was ?? New(s, id, e.ProjectId, Times.Microsecond(state.GetProperty("CreatedAt").GetDateTimeOffset()), now)) with
            {
                Type = shape.Type,
                Values = values,
                Seen = revision,
                Project = e.ProjectId,
                User = state.TryGetProperty("UserId", out var user) ? user.GetString() : was?.User,
                EndedAt = gone ? now : null,
            };
            if (next.EndedAt < next.StartedAt) next = next with { EndedAt = next.StartedAt };
            if (was is null) return await Catalogue.Insert(s.Store, next, [], ct) ? true : throw new ConflictException(id);
            var differs = ResourceBody.Differs(was, next) || was.Type != next.Type;
            // Most changes of a resource are of what isn't shown here. Without a write an earlier event of the same look may pass as news, and changes nothing either.
            if (!differs && was.Seen > 0) return true;
            var past = differs && was.Seen > 0 ? was with { Changes = was.Changes + 1, RevisionEnd = now, Metrics = [] } : null;
            if (differs) next = next with { Changes = was.Changes + 1, RevisionStart = now };
            await Catalogue.Replace(s.Store, was, next, past, [], [], null, ct);
            return true;
        });
    }

    /// <summary>The resource that samples are about; made when its event hasn't come yet, or there are none of its kind.</summary>
    public static async ValueTask<Subject?> Ensure(Services s, Measured of, CancellationToken ct)
    {
        var id = Ids.Resource(of.Id, Creator.Cloud);
        if (await Catalogue.Resource(s.Store, id, ct) is { } there) return there.Creator == Creator.Cloud ? there : null;
        var type = (await Definitions.Find<ResourceType>(s.Store, Definitions.Type(of.Type), ct))?.Item;
        var values = new Dictionary<string, JsonElement>();
        foreach (var a in type?.Attributes ?? [])
            if (of.Attributes?.GetValueOrDefault(a.Name) is { } value) values[a.Slot] = JsonSerializer.SerializeToElement(value);
        var now = Times.Microsecond(s.Now);
        await Catalogue.Insert(s.Store, New(s, id, of.Project, now, now) with { Original = of.Id, Type = type?.Name ?? "generic", Values = values }, [], ct);
        return await Catalogue.Resource(s.Store, id, ct);
    }

    private static Subject New(Services s, string id, string project, DateTimeOffset started, DateTimeOffset now) =>
        new() { Id = id, Original = id, Creator = Creator.Cloud, Project = project, StartedAt = started, RevisionStart = now, Born = s.Ids.New(), Home = Catalogue.HomeOf(project), Lent = true };

    public static async Task Forget(Services s, CancellationToken ct)
    {
        var before = s.Now - Kept;
        await foreach (var r in Catalogue.Resources(s.Store, null, ct))
        {
            if (r.Creator != Creator.Cloud || !(r.EndedAt < before)) continue;
            foreach (var id in r.Metrics.Values.Skip(MetricBody.MostAtOnce).ToList())
                if (await Catalogue.Metric(s.Store, id, ct) is { } m) await Catalogue.Remove(s, m, ct);
            if (await Catalogue.Resource(s.Store, r.Id, ct) is not { } there || there.Metrics.Count > MetricBody.MostAtOnce) continue;
            try { await Catalogue.Remove(s, there, ct); }
            catch (ConflictException) { /* it changed: next time */ }
        }
    }

    private static string? Text(JsonElement state, string name) => state.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null;
}
