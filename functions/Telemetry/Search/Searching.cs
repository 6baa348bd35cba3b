using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Lists of resources: those a caller sees, of a type, that a filter matches.</summary>
internal static class Searching
{
    public static readonly string[] Order = ["revision_start:asc", "started_at:asc"];

    /// <summary>The filter of a request: in the body, or in one line in the query. Null for none.</summary>
    public static Filter? FilterOf(Call c)
    {
        if (c.Json.ValueKind != JsonValueKind.Undefined) return Filter.Read(Bodies.Of(c), c.Now, Creator.Of(c));
        return c.First("filter") is { Length: > 0 } text ? Parse(c, text) : null;
    }

    public static Filter? Parse(Call c, string text)
    {
        using var tree = JsonDocument.Parse(FilterText.Parse(text).ToJsonString());
        return Filter.Read(tree.RootElement, c.Now, Creator.Of(c));
    }

    public static async ValueTask<List<Subject>> Find(Call c, ResourceType type, Filter? filter, bool history = false)
    {
        var found = new List<Subject>();
        // A filter is checked against the type even when there is nothing to look at.
        _ = filter?.Matches(new(), type);
        await foreach (var s in Catalogue.Resources(c.Store, Access.Scope(c), c.Cancelled))
        {
            if (!type.IsGeneric && s.Type != type.Name) continue;
            if (filter is null || filter.Matches(s, type) == true) found.Add(s);
            if (!history) continue;
            foreach (var past in await Catalogue.Past(c.Store, s, c.Cancelled))
                if (filter is null || filter.Matches(past, type) == true) found.Add(past);
        }
        return found;
    }

    /// <summary>The types by their names, for showing resources with the attributes of their own.</summary>
    public static async ValueTask<Func<Subject, ResourceType>> Details(Call c, ResourceType type, bool details)
    {
        if (!details || !type.IsGeneric) return _ => type;
        var all = (await ResourceTypes.All(c.Store, c.Cancelled)).ToDictionary(t => t.Name);
        return s => all.GetValueOrDefault(s.Type) ?? ResourceType.Generic;
    }

    public static async ValueTask<Reply> Page(Call c, ResourceType type, Func<ValueTask<IReadOnlyList<Subject>>> find, bool history)
    {
        var (paging, details) = (Paging.Of(c, Order), Bodies.Flag(c, "details"));
        string MarkerOf(Subject s) => history ? $"{s.Id}@{s.Revision}" : s.Id;
        bool Read(Subject? s, string name, out object? value) => (s ?? new()).Read(name, type, out value) && name != "lifespan";
        var (page, full) = paging.Cut(await find(), Read, history ? ["id", "revision"] : ["id"], MarkerOf);
        var (shown, only) = (await Details(c, type, details), c.Query.Where(q => q.Key == "attrs").Select(q => q.Value).ToList());
        return paging.Link(c, ArchivePolicies.Many(page, (w, s) => s.Write(w, shown(s), only)), full, page.Count > 0 ? MarkerOf(page[^1]) : "");
    }

    public static async ValueTask<Reply> Search(Call c)
    {
        var type = await ResourceTypes.Load(c.Store, c.Args["type"], c.Cancelled);
        var (filter, history) = (FilterOf(c), Bodies.Flag(c, "history"));
        return await Page(c, type, async () => await Find(c, type, filter, history), history);
    }
}
