using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#project-tags</summary>
public static class ProjectTags
{
    private const int Max = 80;

    public static readonly Route[] Routes =
    [
        new("GET", "/v3/projects/{id}/tags", "identity:list_project_tags", async c => Tags((await Projects.Kind.Load(c, c.Route.Policy)).Item)),
        new("PUT", "/v3/projects/{id}/tags", "identity:update_project_tags", async c =>
            Tags(await Projects.Kind.Change(c, c.Route.Policy, d => d.Item = Projects.Kind.Read(c, d.Item, OnlyTags(c.Json), In.Update)))),
        new("DELETE", "/v3/projects/{id}/tags", "identity:delete_project_tags", c => Change(c, _ => [])),
        new("GET", "/v3/projects/{id}/tags/{tag}", "identity:get_project_tag", async c =>
            (await Projects.Kind.Load(c, c.Route.Policy)).Item.Tags.Contains(c.Args["tag"]) ? Reply.Empty(204) : throw Fault.NotFound("project tag", c.Args["tag"])),
        new("PUT", "/v3/projects/{id}/tags/{tag}", "identity:create_project_tag", async c =>
        {
            await Change(c, tags => [.. tags.Append(c.Args["tag"]).Distinct()]);
            return Reply.Empty(201);
        }),
        new("DELETE", "/v3/projects/{id}/tags/{tag}", "identity:delete_project_tag", c =>
            Change(c, tags => tags.Contains(c.Args["tag"]) ? [.. tags.Where(t => t != c.Args["tag"])] : throw Fault.NotFound("project tag", c.Args["tag"]))),
    ];

    /// <exception cref="Fault">400.</exception>
    public static string[] Checked(string[] tags) =>
        tags.Length > Max || tags.Distinct().Count() != tags.Length || tags.Any(t => t is null || t.Length is 0 or > 255 || t.AsSpan().IndexOfAny('/', ',') >= 0)
            ? throw Fault.BadRequest($"Invalid input for field 'tags': at most {Max} different ones, of 1 to 255 characters, without '/' and ','.") : tags;

    /// <summary>The four filters: tags (all of them), tags-any, not-tags, not-tags-any.</summary>
    public static bool Match(Call c, string[] tags)
    {
        string[]? Wanted(string key) => c.First(key)?.Split(',');
        return (Wanted("tags")?.All(tags.Contains) ?? true) && (Wanted("tags-any")?.Any(tags.Contains) ?? true)
            && !(Wanted("not-tags")?.All(tags.Contains) ?? false) && !(Wanted("not-tags-any")?.Any(tags.Contains) ?? false);
    }

    private static JsonElement OnlyTags(JsonElement body) =>
        body.ValueKind == JsonValueKind.Object && body.EnumerateObject().Count() == 1 && body.TryGetProperty("tags", out _) ? body : throw Fault.BadRequest("Invalid input: the body must be an object that holds 'tags' alone.");

    private static async ValueTask<Reply> Change(Call c, Func<string[], string[]> change)
    {
        await Projects.Kind.Change(c, c.Route.Policy, d => d.Item = d.Item with { Tags = change(d.Item.Tags) });
        return Reply.Empty(204);
    }

    private static Reply Tags(Project project) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray("tags");
        foreach (var t in project.Tags) w.WriteStringValue(t);
        w.WriteEndArray();
        w.WriteEndObject();
    });
}
