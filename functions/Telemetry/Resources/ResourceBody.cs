using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>What a body says about a resource: its own attributes and its metrics.</summary>
internal sealed record ResourceBody(Subject Subject, IReadOnlyList<MetricWish>? Metrics)
{
    private static readonly string[] Common = ["started_at", "ended_at", "user_id", "project_id", "metrics"];

    /// <param name="was">The resource to be changed; null to make one.</param>
    public static async ValueTask<ResourceBody> Read(Call c, ResourceType type, JsonElement body, Subject? was)
    {
        Bodies.Object(body);
        var metrics = body.TryGetProperty("metrics", out var m) ? await MetricBody.Many(c, m, "metrics") : null;
        var creator = was?.Creator ?? Creator.Of(c);
        string[] required = was is null ? ["id", .. type.Attributes.Where(a => a.Required).Select(a => a.Name)] : [];
        foreach (var p in body.EnumerateObject())
            if (!Common.Contains(p.Name) && !required.Contains(p.Name) && !type.Attributes.Any(a => a.Name == p.Name)) throw Wrong.Input("extra keys not allowed", Wrong.Short(p.Name));
        var s = was ?? new Subject { Type = type.Name, Creator = creator, StartedAt = Times.Microsecond(c.Now), RevisionStart = Times.Microsecond(c.Now), Born = c.Services.Ids.New(), Home = Catalogue.HomeOf(creator.Project), Lent = c.Allows("metric:lend", default) };
        if (was is null && body.TryGetProperty("id", out var id))
        {
            var given = id.ValueKind == JsonValueKind.String ? id.GetString()! : throw Wrong.Value("expected str", "id");
            try { s = s with { Original = given, Id = Ids.Resource(given, creator) }; }
            catch (FormatException e) { throw Wrong.Value(e.Message, "id"); }
        }
        foreach (var name in required)
            if (!body.TryGetProperty(name, out _)) throw Wrong.Input("required key not provided", name);
        if (body.TryGetProperty("started_at", out var start)) s = s with { StartedAt = Time(c, start, "started_at") };
        if (body.TryGetProperty("ended_at", out var end)) s = s with { EndedAt = Time(c, end, "ended_at") };
        if (s.EndedAt < s.StartedAt) throw Fault.BadRequest("Start timestamp cannot be after end timestamp");
        if (body.TryGetProperty("user_id", out var user)) s = s with { User = Text(user, "user_id") };
        if (body.TryGetProperty("project_id", out var project)) s = s with { Project = Text(project, "project_id") };
        var values = new Dictionary<string, JsonElement>(s.Values);
        foreach (var a in type.Attributes)
        {
            if (!body.TryGetProperty(a.Name, out var v)) continue;
            try { values[a.Slot] = a.Check(v, c.Now).Clone(); }
            catch (FormatException e) { throw Wrong.Value(e.Message, a.Name); }
        }
        return new(s with { Values = values }, metrics);
    }

    /// <summary>Whether anything but the metrics is another.</summary>
    public static bool Differs(Subject a, Subject b) => a.User != b.User || a.Project != b.Project || a.StartedAt != b.StartedAt || a.EndedAt != b.EndedAt || a.Values.Count != b.Values.Count
        || a.Values.Any(v => !b.Values.TryGetValue(v.Key, out var other) || !JsonElement.DeepEquals(v.Value, other));

    private static DateTimeOffset Time(Call c, JsonElement v, string name)
    {
        try { return Times.Microsecond(Times.At(Times.Parse(v.ValueKind == JsonValueKind.String ? v.GetString()! : v.GetRawText(), c.Now))); }
        catch (FormatException e) { throw Wrong.Value(e.Message, name); }
    }

    private static string? Text(JsonElement v, string name) => v.ValueKind == JsonValueKind.Null ? null
        : v.ValueKind == JsonValueKind.String && v.GetString() is { Length: <= 255 } text ? text : throw Wrong.Value("not a valid value", name);
}
