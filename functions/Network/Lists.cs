using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;

namespace Cloud.Network;

/// <summary>Lists with Neutron's filters by tag.</summary>
public static class Lists
{
    private static readonly HashSet<string> ByTag = ["tags", "tags-any", "not-tags", "not-tags-any"];

    public static Route Of<T>(Kind<T> kind, string policy, Func<Call, T, bool>? where = null) where T : NetworkResource, new() => new("GET", kind.Path, policy, async c =>
    {
        var tagged = c.Query.Any(q => ByTag.Contains(q.Key));
        var (items, page) = await kind.Select(c, policy, !tagged ? where : (call, item) => Tagged(call, item.Tags) && where?.Invoke(call, item) != false);
        return kind.Page1(c, items, page);
    });

    private static bool Tagged(Call c, string[] tags)
    {
        foreach (var (key, value) in c.Query)
        {
            if (!ByTag.Contains(key)) continue;
            var wanted = value.Split(',', StringSplitOptions.TrimEntries);
            var ok = key switch { "tags" => wanted.All(tags.Contains), "tags-any" => wanted.Any(tags.Contains), "not-tags" => !wanted.All(tags.Contains), _ => !wanted.Any(tags.Contains) };
            if (!ok) return false;
        }
        return true;
    }
}

/// <summary>POST of one or, under the plural name, of several: all of them are made, or none.</summary>
public static class Bulk
{
    public static Route Create<T>(Kind<T> kind, string policy, string undo, ISaga? saga = null, ISaga? removal = null) where T : NetworkResource, new() =>
        Create(kind, policy, (c, body) => kind.Create(c, policy, body, saga), c => kind.Delete(c, undo, removal));

    /// <param name="own">Members of the body that are no fields.</param>
    public static Route Create<T>(Kind<T> kind, string policy, Func<Call, JsonElement, ValueTask<T>> make, Func<Call, ValueTask> unmake, params string[] own) where T : NetworkResource, new() => new("POST", kind.Path, policy, async c =>
    {
        if (Several(c, kind.Many) is not { } bodies) return kind.One1(c, 201, await make(c, c.Body(kind.One)));
        // What is malformed shows before anything is made.
        foreach (var body in bodies) kind.Read(c, new T { ProjectId = c.User?.ProjectId ?? "" }, own.Aggregate(body, (b, name) => Body.Without(b, name, out _)), In.Create);
        var made = await All(bodies, body => make(c, body), one => { c.Args["id"] = one.Id; return unmake(c); });
        return kind.Page1(c, made, new(kind.Many, 0, false, null, null), status: 201);
    });

    /// <summary>The bodies under the plural name; null when there is none.</summary>
    public static JsonElement[]? Several(Call c, string many) =>
        c.Json.ValueKind == JsonValueKind.Object && c.Json.TryGetProperty(many, out var list) ? list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0 ? [.. list.EnumerateArray()] : throw Fault.BadRequest("Resource body required") : null;

    public static async ValueTask<List<T>> All<T>(JsonElement[] bodies, Func<JsonElement, ValueTask<T>> make, Func<T, ValueTask> unmake)
    {
        var made = new List<T>();
        try
        {
            foreach (var body in bodies) made.Add(body.ValueKind == JsonValueKind.Object ? await make(body) : throw Fault.BadRequest("Invalid input: each must be an object."));
            return made;
        }
        catch
        {
            foreach (var one in Enumerable.Reverse(made)) await unmake(one);
            throw;
        }
    }
}
