using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>The service catalog: every slice of this cloud, under the address the client came by.</summary>
public static class Catalog
{
    private static readonly string[] Interfaces = ["public", "internal", "admin"];

    public static void Write(Utf8JsonWriter w, Call c, string? projectId)
    {
        w.WriteStartArray("catalog");
        foreach (var (type, name, url) in Entries(c, projectId))
        {
            w.WriteStartObject();
            w.WriteString("id", type);
            w.WriteString("type", type);
            w.WriteString("name", name);
            w.WriteStartArray("endpoints");
            foreach (var side in Interfaces)
            {
                w.WriteStartObject();
                w.WriteString("id", $"{type}-{side}");
                w.WriteString("interface", side);
                w.WriteString("region", c.Services.Settings.Region);
                w.WriteString("region_id", c.Services.Settings.Region);
                w.WriteString("url", url);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    public static IEnumerable<(string Type, string Name, string Url)> Entries(Call c, string? projectId)
    {
        var root = c.BaseUrl[..c.BaseUrl.LastIndexOf('/')];
        foreach (var slice in c.Services.Slices)
            if (slice.CatalogName.Length > 0 && (projectId is not null || !slice.CatalogPath.Contains("{project_id}", StringComparison.Ordinal)))
                foreach (var type in slice.Type.Split(','))
                    yield return (type, slice.CatalogName, $"{root}/{slice.Prefix}{slice.CatalogPath.Replace("{project_id}", projectId, StringComparison.Ordinal)}");
    }

    public static ValueTask<Reply> Show(Call c) => new(Reply.Of(200, w =>
    {
        w.WriteStartObject();
        Write(w, c, c.Caller.ProjectId);
        w.WriteStartObject("links");
        w.WriteString("self", c.BaseUrl + c.Path);
        w.WriteEndObject();
        w.WriteEndObject();
    }));

    public static ValueTask<Reply> Services(Call c) => List(c, "services", (w, e) =>
    {
        w.WriteString("id", e.Type);
        w.WriteString("type", e.Type);
        w.WriteString("name", e.Name);
        w.WriteBoolean("enabled", true);
        w.WriteString("description", "");
    }, _ => [""]);

    public static ValueTask<Reply> Endpoints(Call c) => List(c, "endpoints", (w, e) =>
    {
        w.WriteString("id", $"{e.Type}-{e.Side}");
        w.WriteString("service_id", e.Type);
        w.WriteString("interface", e.Side);
        w.WriteString("region", c.Services.Settings.Region);
        w.WriteString("region_id", c.Services.Settings.Region);
        w.WriteString("url", e.Url);
        w.WriteBoolean("enabled", true);
    }, _ => Interfaces);

    public static ValueTask<Reply> Regions(Call c) => new(Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray("regions");
        w.WriteStartObject();
        w.WriteString("id", c.Services.Settings.Region);
        w.WriteString("description", "");
        w.WriteNull("parent_region_id");
        w.WriteEndObject();
        w.WriteEndArray();
        IdentityDialect.Value.Links(w, c, new("regions", 0, false, null, null));
        w.WriteEndObject();
    }));

    private static ValueTask<Reply> List(Call c, string name, Action<Utf8JsonWriter, (string Type, string Name, string Url, string Side)> item, Func<string, string[]> sides) => new(Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray(name);
        foreach (var (type, title, url) in Entries(c, c.Caller.ProjectId))
            foreach (var side in sides(type))
            {
                if (c.First("type") is { } t && t != type || c.First("service_id") is { } s && s != type || c.First("interface") is { } i && i != side) continue;
                w.WriteStartObject();
                item(w, (type, title, url, side));
                w.WriteEndObject();
            }
        w.WriteEndArray();
        IdentityDialect.Value.Links(w, c, new(name, 0, false, null, null));
        w.WriteEndObject();
    }));
}
