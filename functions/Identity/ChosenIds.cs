using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Things whose ids clients choose, and make with PUT.</summary>
internal static class ChosenIds
{
    public static Route Put<T>(Kind<T> kind, string policy) where T : Resource, new() => new("PUT", kind.Path + "/{id}", policy, async c =>
    {
        var body = JsonObject.Create(c.Body(kind.One))!;
        if (body.TryGetPropertyValue("id", out var id) && id?.ToString() != c.Args["id"]) throw Fault.BadRequest("Invalid input for field 'id': it isn't the one in the path.");
        body["id"] = c.Args["id"];
        return kind.One1(c, 201, await kind.Create(c, policy, JsonSerializer.SerializeToElement(body), null));
    });

    /// <exception cref="Fault">409.</exception>
    public static async ValueTask MustBeFree<T>(Call c, Rows<T> rows, string id, string? shown = null) where T : Resource
    {
        if (await Directory.Get(c, rows, id) is not null) throw Fault.Conflict($"Conflict occurred attempting to store {rows.Name} - Duplicate entry found with id {shown ?? id}.");
    }
}
