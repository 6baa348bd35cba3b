using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Metadata and tags of servers: https://docs.openstack.org/api-ref/compute/#server-metadata-servers-metadata</summary>
public static class ServerMetadata
{
    private const string Meta = "/v2.1/servers/{id}/metadata", Tags = "/v2.1/servers/{id}/tags";

    public static readonly Route[] Routes =
    [
        new("GET", Meta, "compute:get", async c => Flavors.All("metadata", (await Servers.Kind.Load(c, "compute:get")).Item.Metadata)),
        new("POST", Meta, "compute:update", c => Set(c, new BodyReader(c.Json).Map("metadata"), false)),
        new("PUT", Meta, "compute:update", c => Set(c, new BodyReader(c.Json).Map("metadata"), true)),
        new("GET", Meta + "/{key}", "compute:get", async c => (await Servers.Kind.Load(c, "compute:get")).Item.Metadata.TryGetValue(c.Args["key"], out var v) ? Flavors.All("meta", new() { [c.Args["key"]] = v }) : throw Missing()),
        new("PUT", Meta + "/{key}", "compute:update", async c =>
        {
            var meta = new BodyReader(c.Json).Map("meta");
            if (meta.Count != 1 || !meta.TryGetValue(c.Args["key"], out var v)) throw Fault.BadRequest("Request body and URI mismatch");
            await Set(c, meta, false);
            return Flavors.All("meta", new() { [c.Args["key"]] = v });
        }),
        new("DELETE", Meta + "/{key}", "compute:update", async c =>
        {
            await Servers.Kind.Change(c, "compute:update", d =>
            {
                var rest = new Dictionary<string, string>(d.Item.Metadata);
                if (!rest.Remove(c.Args["key"])) throw Missing();
                d.Item = d.Item with { Metadata = rest };
            });
            return Reply.Empty(204);
        }),
        new("GET", Tags, "compute:get", async c => AllTags((await Servers.Kind.Load(c, "compute:get")).Item)) { Since = "2.26" },
        new("PUT", Tags, "compute:update", async c =>
        {
            var tags = new BodyReader(c.Json).List("tags", 50).Select(t => Tag(t.ValueKind == JsonValueKind.String ? t.GetString()! : "")).Distinct().ToArray();
            return AllTags(await Servers.Kind.Change(c, "compute:update", d => d.Item = d.Item with { Tags = tags }));
        }) { Since = "2.26" },
        new("DELETE", Tags, "compute:update", async c => { await Servers.Kind.Change(c, "compute:update", d => d.Item = d.Item with { Tags = [] }); return Reply.Empty(204); }) { Since = "2.26" },
        new("GET", Tags + "/{tag}", "compute:get", async c => (await Servers.Kind.Load(c, "compute:get")).Item.Tags.Contains(c.Args["tag"]) ? Reply.Empty(204) : throw new Fault(404, "Server has no such tag.")) { Since = "2.26" },
        new("PUT", Tags + "/{tag}", "compute:update", async c =>
        {
            var fresh = false;
            await Servers.Kind.Change(c, "compute:update", d =>
            {
                fresh = !d.Item.Tags.Contains(Tag(c.Args["tag"]));
                if (fresh && d.Item.Tags.Length >= 50) throw Fault.BadRequest("The number of tags exceeded the per-server limit 50");
                d.Item = d.Item with { Tags = [.. d.Item.Tags.Append(c.Args["tag"]).Distinct()] };
            });
            return Reply.Empty(fresh ? 201 : 204);
        }) { Since = "2.26" },
        new("DELETE", Tags + "/{tag}", "compute:update", async c =>
        {
            await Servers.Kind.Change(c, "compute:update", d => d.Item = d.Item with { Tags = d.Item.Tags.Contains(c.Args["tag"]) ? [.. d.Item.Tags.Where(t => t != c.Args["tag"])] : throw new Fault(404, "Server has no such tag.") });
            return Reply.Empty(204);
        }) { Since = "2.26" },
    ];

    private static async ValueTask<Reply> Set(Call c, Dictionary<string, string> given, bool replace) =>
        Flavors.All("metadata", (await Servers.Kind.Change(c, "compute:update", d =>
        {
            var now = replace ? given : Flavors.Merge(d.Item.Metadata, given);
            if (now.Count > 128) throw new Fault(403, "Maximum number of metadata items exceeds 128");
            d.Item = d.Item with { Metadata = now };
        })).Metadata);

    private static string Tag(string tag) => tag.Length is > 0 and <= 60 && !tag.Contains('/', StringComparison.Ordinal) && !tag.Contains(',', StringComparison.Ordinal) ? tag : throw Fault.BadRequest("Invalid tag.");

    private static Fault Missing() => new(404, "Metadata item was not found");

    private static Reply AllTags(Server s) => Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray("tags"); foreach (var t in s.Tags) w.WriteStringValue(t); w.WriteEndArray(); w.WriteEndObject(); });
}
