using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#tags-extension-tags</summary>
public static class Tagging
{
    public static Route[] Routes<T>(Kind<T> kind, string policy) where T : NetworkResource, new() =>
    [
        new("GET", $"{kind.Path}/{{id}}/tags", kind.Sees, async c => All((await kind.Load(c, kind.Sees)).Item.Tags)),
        new("PUT", $"{kind.Path}/{{id}}/tags", policy, async c =>
        {
            var tags = c.Json.ValueKind == JsonValueKind.Object && c.Json.TryGetProperty("tags", out var t) && t.ValueKind == JsonValueKind.Array
                ? t.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.String ? Checked(x.GetString()!) : throw Fault.BadRequest("Invalid input for tags.")).Distinct().ToArray() : throw Fault.BadRequest("Invalid input for tags: it must be a list.");
            return All((await kind.Change(c, policy, d => d.Item = d.Item with { Tags = tags })).Tags);
        }),
        new("DELETE", $"{kind.Path}/{{id}}/tags", policy, async c =>
        {
            await kind.Change(c, policy, d => d.Item = d.Item with { Tags = [] });
            return Reply.Empty(204);
        }),
        new("GET", $"{kind.Path}/{{id}}/tags/{{tag}}", kind.Sees, async c => (await kind.Load(c, kind.Sees)).Item.Tags.Contains(c.Args["tag"]) ? Reply.Empty(204) : throw Fault.NotFound("tag", c.Args["tag"])),
        new("PUT", $"{kind.Path}/{{id}}/tags/{{tag}}", policy, async c =>
        {
            await kind.Change(c, policy, d => d.Item = d.Item with { Tags = [.. d.Item.Tags.Append(Checked(c.Args["tag"])).Distinct()] });
            return Reply.Empty(201);
        }),
        new("DELETE", $"{kind.Path}/{{id}}/tags/{{tag}}", policy, async c =>
        {
            await kind.Change(c, policy, d => d.Item = d.Item with { Tags = d.Item.Tags.Contains(c.Args["tag"]) ? [.. d.Item.Tags.Where(t => t != c.Args["tag"])] : throw Fault.NotFound("tag", c.Args["tag"]) });
            return Reply.Empty(204);
        }),
    ];

    // A comma separates tags in filters.
    private static string Checked(string tag) => tag.Length is > 0 and <= 255 && tag.IndexOfAny([',', '/']) < 0 ? tag : throw Fault.BadRequest("Invalid input for tags: a tag has 1 to 255 characters.");

    private static Reply All(string[] tags) => Reply.Object(200, w => w.Strings("tags", tags));
}
