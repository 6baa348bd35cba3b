using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Metadata and tags of servers: https://docs.openstack.org/api-ref/compute/#server-metadata-servers-metadata</summary>
public static class ServerMetadata
{
    private const string Meta = "/v2.1/servers/{id}/metadata", Tags = "/v2.1/servers/{id}/tags";
    private const int MostTags = 50;

    public static readonly Route[] Routes =
    [
        new("GET", Meta, "compute:get", async c => FlavorExtras.All("metadata", (await Servers.Kind.Load(c, "compute:get")).Item.Metadata)),
        new("POST", Meta, "compute:update", c => Set(c, Read(c, "metadata"), replace: false)),
        new("PUT", Meta, "compute:update", c => Set(c, Read(c, "metadata"), replace: true)),
        new("GET", Meta + "/{key}", "compute:get", async c => (await Servers.Kind.Load(c, "compute:get")).Item.Metadata.TryGetValue(c.Args["key"], out var v) ? FlavorExtras.All("meta", new() { [c.Args["key"]] = v }) : throw Missing()),
        new("PUT", Meta + "/{key}", "compute:update", async c =>
        {
            var meta = Read(c, "meta");
            if (meta.Count != 1 || !meta.TryGetValue(c.Args["key"], out var v)) throw Fault.BadRequest("Request body and URI mismatch");
            await Set(c, meta, replace: false);
            return FlavorExtras.All("meta", new() { [c.Args["key"]] = v });
        }),
        new("DELETE", Meta + "/{key}", "compute:update", async c =>
        {
            await Servers.Kind.Change(c, "compute:update", d =>
            {
                ServerActions.Unlocked(c, d.Item);
                var rest = new Dictionary<string, string>(d.Item.Metadata);
                if (!rest.Remove(c.Args["key"])) throw Missing();
                d.Item = d.Item with { Metadata = rest };
            });
            return Reply.Empty(204);
        }),
        new("GET", Tags, "compute:get", async c => AllTags((await Servers.Kind.Load(c, "compute:get")).Item)) { Since = "2.26" },
        new("PUT", Tags, "compute:update", async c =>
        {
            var read = BodyReader.Of(c.Json);
            if (!read.Has("tags")) throw Fault.BadRequest("Invalid input: 'tags' is a required property");
            var tags = ReadTags(read);
            read.NothingElse();
            return AllTags(await Servers.Kind.Change(c, "compute:update", d => d.Item = Free(c, d.Item) with { Tags = tags }));
        }) { Since = "2.26" },
        new("DELETE", Tags, "compute:update", async c => { await Servers.Kind.Change(c, "compute:update", d => d.Item = Free(c, d.Item) with { Tags = [] }); return Reply.Empty(204); }) { Since = "2.26" },
        new("GET", Tags + "/{tag}", "compute:get", async c => (await Servers.Kind.Load(c, "compute:get")).Item.Tags.Contains(c.Args["tag"]) ? Reply.Empty(204) : throw NoTag(c)) { Since = "2.26" },
        new("PUT", Tags + "/{tag}", "compute:update", async c =>
        {
            var fresh = false;
            await Servers.Kind.Change(c, "compute:update", d =>
            {
                fresh = !d.Item.Tags.Contains(Tag(c.Args["tag"]));
                if (fresh && d.Item.Tags.Length >= MostTags) throw Fault.BadRequest($"The number of tags exceeded the per-server limit {MostTags}");
                d.Item = Free(c, d.Item) with { Tags = [.. d.Item.Tags.Append(c.Args["tag"]).Distinct()] };
            });
            return fresh ? Reply.Empty(201).With("Location", $"{c.BaseUrl}{c.Path}") : Reply.Empty(204);
        }) { Since = "2.26" },
        new("DELETE", Tags + "/{tag}", "compute:update", async c =>
        {
            await Servers.Kind.Change(c, "compute:update", d => d.Item = d.Item.Tags.Contains(c.Args["tag"]) ? Free(c, d.Item) with { Tags = [.. d.Item.Tags.Where(t => t != c.Args["tag"])] } : throw NoTag(c));
            return Reply.Empty(204);
        }) { Since = "2.26" },
    ];

    /// <summary>The body's tags.</summary>
    internal static string[] ReadTags(BodyReader read) => [.. read.List("tags", MostTags).Select(t => Tag(t.ValueKind == System.Text.Json.JsonValueKind.String ? t.GetString()! : "")).Distinct()];

    private static Dictionary<string, string> Read(Call c, string name)
    {
        c.Body(name);
        var read = BodyReader.Of(c.Json);
        var map = read.Map(name);
        read.NothingElse();
        return map;
    }

    private static async ValueTask<Reply> Set(Call c, Dictionary<string, string> given, bool replace)
    {
        var most = (await Servers.Quota.LimitsOf(c.Store, c.ProjectId))["metadata_items"];
        return FlavorExtras.All("metadata", (await Servers.Kind.Change(c, "compute:update", d =>
        {
            ServerActions.Unlocked(c, d.Item);
            var now = replace ? given : d.Item.Metadata.Concat(given).GroupBy(m => m.Key, m => m.Value).ToDictionary(g => g.Key, g => g.Last());
            if (most >= 0 && now.Count > most) throw new Fault(403, $"Maximum number of metadata items exceeds {most}");
            d.Item = d.Item with { Metadata = now };
        })).Metadata);
    }

    private static Server Free(Call c, Server s)
    {
        ServerActions.Unlocked(c, s);
        return s;
    }

    private static string Tag(string tag) => tag.Length is > 0 and <= 60 && !tag.Contains('/', StringComparison.Ordinal) && !tag.Contains(',', StringComparison.Ordinal) ? tag : throw Fault.BadRequest("Invalid input for field/attribute tags: a tag has 1 to 60 characters, without '/' and ','.");

    private static Fault Missing() => new(404, "Metadata item was not found");

    private static Fault NoTag(Call c) => new(404, $"Server {c.Args["id"]} has no tag '{(c.Args["tag"].Length > 60 ? "" : c.Args["tag"])}'");

    private static Reply AllTags(Server s) => Reply.Object(200, w => w.Strings("tags", s.Tags));
}
