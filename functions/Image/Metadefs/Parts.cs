using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Image.Metadefs;

/// <summary>One kind of a namespace's parts, and the operations that are the same for all kinds.</summary>
/// <param name="Many">Name of the collection in paths.</param>
public sealed record Parts<T>(string Many, Func<Namespace, T[]> Of, Func<Namespace, T[], Namespace> With) where T : Part
{
    public string Path => $"{Namespaces.Path}/{{namespace}}/{Many}";
    private string OnePath => Path + "/{name}";

    /// <summary>One as it is shown by itself.</summary>
    public Func<Namespace, T, JsonObject> Shown { get; init; } = (_, part) => Node(part);

    public static JsonObject Node(T part) => JsonSerializer.SerializeToNode(part, MetadefBody.Json)!.AsObject();

    /// <param name="answer">The body, made of those on the page.</param>
    public Route List(string policy, Func<Namespace, IEnumerable<T>, JsonObject> answer) => new("GET", Path, policy, async c =>
    {
        var space = await Namespaces.Seen(c);
        return Reply.Of(200, answer(space, Page(c, Of(space))));
    });

    public Route Show(string policy) => new("GET", OnePath, policy, async c =>
    {
        var space = await Namespaces.Seen(c);
        return Reply.Of(200, Shown(space, Named(space, c.Args["name"])));
    });

    public Route Add(string policy) => new("POST", Path, policy, c => Add(c, MetadefBody.Read<T>(c)));

    public async ValueTask<Reply> Add(Call c, T part)
    {
        var space = await Change(c, n =>
        {
            if (Array.Exists(Of(n), p => p.Name == part.Name)) throw Taken(part.Name);
            return With(n, [.. Of(n), Dated(c, part, null)]);
        });
        return Reply.Of(201, Shown(space, Named(space, part.Name)));
    }

    public Route Replace(string policy) => new("PUT", OnePath, policy, async c =>
    {
        var part = MetadefBody.Read<T>(c);
        var space = await Change(c, n =>
        {
            var old = Named(n, c.Args["name"]);
            if (part.Name != old.Name && Array.Exists(Of(n), p => p.Name == part.Name)) throw Taken(part.Name);
            return With(n, [.. Of(n).Select(p => p == old ? Dated(c, part, old) : p)]);
        });
        return Reply.Of(200, Shown(space, Named(space, part.Name)));
    });

    public Route Remove(string policy) => new("DELETE", OnePath, policy, async c =>
    {
        await Change(c, n => With(Unprotected(n), [.. Of(n).Except([Named(n, c.Args["name"])])]));
        return Reply.Empty(204);
    });

    public Route Clear(string policy) => new("DELETE", Path, policy, async c =>
    {
        await Change(c, n => With(Unprotected(n), []));
        return Reply.Empty(204);
    });

    public static async ValueTask<Namespace> Change(Call c, Func<Namespace, Namespace> change) => await Namespaces.Kind.Change(c, c.Route.Policy, d => d.Item = change(d.Item));

    /// <exception cref="Fault">403.</exception>
    public static Namespace Unprotected(Namespace n) => n.Protected ? throw new Fault(403, $"Metadata definition namespace {n.Id} is protected and cannot be deleted.") : n;

    /// <summary>With the times that it gets now.</summary>
    public static T Dated(Call c, T part, T? was) =>
        part is DatedPart d ? (T)(Part)(d with { CreatedAt = (was as DatedPart)?.CreatedAt ?? ImageDialect.Value.Time(c.Now), UpdatedAt = ImageDialect.Value.Time(c.Now) }) : part;

    public static Fault Taken(string name) => Fault.Conflict($"A metadata definition with name={name} already exists in this namespace.");

    /// <exception cref="Fault">404.</exception>
    public T Named(Namespace n, string name) => Array.Find(Of(n), p => p.Name == name) ?? throw new Fault(404, $"The metadata definition with name={name} was not found in namespace={n.Id}.");

    // In the order of their names.
    private static IEnumerable<T> Page(Call c, T[] all)
    {
        var limit = c.First("limit") is not { Length: > 0 } text ? ImageDialect.Value.MaxLimit
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw Fault.BadRequest("limit param must be an integer");
        var marker = c.First("marker") is { Length: > 0 } m ? m : null;
        if (marker is not null && !Array.Exists(all, p => p.Name == marker)) throw new Fault(404, $"The marker {marker} was not found.");
        return all.OrderBy(p => p.Name, StringComparer.Ordinal).Where(p => marker is null || string.CompareOrdinal(p.Name, marker) > 0).Take(limit);
    }
}
