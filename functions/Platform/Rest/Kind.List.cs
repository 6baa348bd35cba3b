using System.Globalization;
using Cloud.Platform.State;

namespace Cloud.Platform.Rest;

/// <summary>Listing: filter, sort, marker, limit, fields.</summary>
public sealed partial record Kind<T>
{
    private static readonly HashSet<string> Reserved = ["limit", "marker", "sort_key", "sort_dir", "sort", "fields", "page_reverse", "all_tenants", "all_projects", "with_count", "deleted"];

    /// <param name="tail">Appended to the collection's path, e.g. /detail.</param>
    public Route List(string policy, string tail = "", bool detail = true, Func<Call, T, bool>? where = null) => new("GET", Path + tail, policy, async c =>
    {
        var (items, page) = await Select(c, policy, where);
        return Page1(c, items, page, detail);
    })
    { Shape = Shape(many: Many) };

    public Reply Page1(Call c, IReadOnlyList<T> items, Page page, bool detail = true, int status = 200) => Reply.Of(status, w =>
    {
        var only = Shown.Only(c);
        w.WriteStartObject();
        w.WriteStartArray(Many);
        foreach (var item in items) WriteItem(w, c, item, detail, only);
        w.WriteEndArray();
        Dialect.Links(w, c, page);
        w.WriteEndObject();
    });

    /// <summary>What a list shows to this caller, and what page of it that is.</summary>
    public async ValueTask<(IReadOnlyList<T> Items, Page Page)> Select(Call c, string policy, Func<Call, T, bool>? where = null)
    {
        var limit = Limit(c);
        var marker = c.First("marker") is { Length: > 0 } m ? m : null;
        var tests = Filters(c, Within is { } within ? (call, x) => within(call, x) && where?.Invoke(call, x) != false : where);
        var everything = Everything(c);
        var sorts = Sorts(c);
        c.Require(policy, c.Own);
        bool Shows(T x) => Visible(c, x) && tests.TrueForAll(t => t(x));
        // In the store's own order no more is read than is shown and what the filters drop.
        if (sorts.Count == 0 && Offset(c) == 0 && c.First("page_reverse") is not ("True" or "true" or "1"))
        {
            if (marker is not null && (await Find(c, marker) is not { } at || !Visible(c, at.Item))) throw BadMarker(marker);
            var shown = new List<T>();
            await foreach (var x in InOrder(c, everything, marker, Math.Min(limit, 1000) + 1))
            {
                if (Shows(x)) shown.Add(x);
                if (shown.Count > limit) break;
            }
            return Cut(shown, limit);
        }
        var all = (await InOrder(c, everything, null, 1000).ToListAsync(c.Cancelled)).Where(Shows);
        return Arrange(c, all, tests, sorts, limit, marker);
    }

    /// <summary>The page that the caller wants of <paramref name="items"/>, which he may see all.</summary>
    public Reply PageFrom(Call c, IEnumerable<T> items)
    {
        var (shown, page) = Arrange(c, items, Filters(c, null), Sorts(c), Limit(c), c.First("marker") is { Length: > 0 } m ? m : null);
        return Page1(c, shown, page);
    }

    /// <summary>The same for those named by <paramref name="ids"/>; what is gone is left out.</summary>
    public async ValueTask<Reply> PageFrom(Call c, IEnumerable<string> ids)
    {
        var items = new List<T>();
        foreach (var id in ids)
            if (await Rows.Find(c.Store, id, ct: c.Cancelled) is { } found) items.Add(found.Item);
        return PageFrom(c, items);
    }

    private (IReadOnlyList<T> Items, Page Page) Arrange(Call c, IEnumerable<T> all, List<Func<T, bool>> tests, List<(Field<T>, bool Down)> sorts, int limit, string? marker)
    {
        all = all.Where(x => tests.TrueForAll(t => t(x)));
        IOrderedEnumerable<T>? order = null;
        foreach (var (field, down) in sorts)
        {
            var by = Comparer<object?>.Create((a, b) => a is string s && b is string z ? string.CompareOrdinal(s, z) : Comparer<object?>.Default.Compare(a, b));
            order = (order, down) switch
            {
                (null, false) => all.OrderBy(field.Get, by),
                (null, true) => all.OrderByDescending(field.Get, by),
                (_, false) => order.ThenBy(field.Get, by),
                (_, true) => order.ThenByDescending(field.Get, by),
            };
        }
        var sorted = (order is null ? all.OrderBy(x => Rows.Key(x.Id), StringComparer.Ordinal) : order.ThenBy(x => Rows.Key(x.Id), StringComparer.Ordinal)).ToList();
        if (c.First("page_reverse") is "True" or "true" or "1")
        {
            var end = marker is null ? sorted.Count : sorted.FindIndex(x => x.Id == marker) is >= 0 and var e ? e : throw BadMarker(marker);
            var begin = Math.Max(0, end - limit);
            return (sorted[begin..end], new(Many, limit, end < sorted.Count, begin < end ? sorted[begin].Id : null, end > begin ? sorted[end - 1].Id : null));
        }
        var skip = marker is null ? 0 : sorted.FindIndex(x => x.Id == marker) is >= 0 and var i ? i + 1 : throw BadMarker(marker);
        return Cut(sorted[Math.Min(sorted.Count, skip + Offset(c))..], limit);
    }

    private int Offset(Call c) => !Dialect.Offsets || c.First("offset") is not { Length: > 0 } text ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n <= 1 << 30 ? n : throw Fault.BadRequest("Invalid input for query parameters offset: it must be an integer of 0 or more.");

    /// <summary>What there is for this caller, in key order.</summary>
    private IAsyncEnumerable<T> InOrder(Call c, bool everything, string? after, int chunk) =>
        OneName(c) is { } name ? Rows.NamedInOrder(c.Store, name, after, chunk, c.Cancelled)
        : everything ? Rows.EverywhereInOrder(c.Store, after, chunk, c.Cancelled)
        : Rows.Global ? Rows.InOrder(c.Store, "", after, chunk, c.Cancelled)
        : Rows.CanShare ? OwnAndShared(c, after, chunk)
        : Rows.InOrder(c.Store, c.ProjectId, after, chunk, c.Cancelled);

    // Where names are indexed, a list of one name reads no others; the filter looks at what it finds all the same.
    private string? OneName(Call c) => Rows.Named is not null && c.Query.Where(q => q.Key == "name").ToList() is [var one] ? one.Value : null;

    private async IAsyncEnumerable<T> OwnAndShared(Call c, string? after, int chunk)
    {
        await using var own = Rows.InOrder(c.Store, c.ProjectId, after, chunk, c.Cancelled).GetAsyncEnumerator();
        await using var shared = Rows.SharedInOrder(c.Store, after, chunk, c.Cancelled).Where(x => x.ProjectId != c.ProjectId && IsShared(c, x)).GetAsyncEnumerator();
        var (mine, theirs) = (await own.MoveNextAsync(), await shared.MoveNextAsync());
        while (mine || theirs)
        {
            var takeMine = mine && (!theirs || string.CompareOrdinal(Rows.Key(own.Current.Id), Rows.Key(shared.Current.Id)) < 0);
            yield return takeMine ? own.Current : shared.Current;
            if (takeMine) mine = await own.MoveNextAsync(); else theirs = await shared.MoveNextAsync();
        }
    }

    private (IReadOnlyList<T>, Page) Cut(IReadOnlyList<T> from, int limit)
    {
        IReadOnlyList<T> shown = from.Count > limit ? [.. from.Take(limit)] : from;
        return (shown, new(Many, limit, limit > 0 && (from.Count > limit || (Dialect.NextAfterFullPage && from.Count == limit)), shown.Count > 0 ? shown[0].Id : null, shown.Count > 0 ? shown[^1].Id : null));
    }

    private int Limit(Call c) => c.First("limit") is not { Length: > 0 } text ? Dialect.DefaultLimit ?? Dialect.MaxLimit
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? (n == 0 && Dialect.ZeroIsNoLimit ? Dialect.MaxLimit : Math.Min(n, Dialect.MaxLimit))
        : throw Fault.BadRequest($"Invalid input for query parameters limit. Value: {text}. limit must be an integer of 0 or more.");

    private bool Everything(Call c)
    {
        if (ListsAll is null || Rows.Global) return false;
        var asked = (c.First("all_tenants") ?? c.First("all_projects")) is "1" or "True" or "true" or "";
        if (!asked && !AllByDefault) return false;
        if (c.Allows(ListsAll, new(c.User?.ProjectId))) return true;
        return asked && !AllByDefault && !Dialect.ForgivesAllTenants ? throw Fault.Forbidden(ListsAll) : false;
    }

    private List<Func<T, bool>> Filters(Call c, Func<Call, T, bool>? where)
    {
        List<Func<T, bool>> tests = where is null ? [] : [x => where(c, x)];
        foreach (var group in c.Query.Where(q => !Reserved.Contains(q.Key)).GroupBy(q => q.Key, q => q.Value))
        {
            var field = Array.Find(Fields, f => f.Wire == group.Key && f.Rule.Filter && f.In(c.Version));
            if (field is null)
            {
                if (Dialect.IgnoresUnknownFilters) continue;
                throw Fault.BadRequest($"Invalid filter: '{group.Key}' is not a valid filter.");
            }
            if (field.Rule.Policy is { } rule && !c.Allows(rule, default)) continue; // as unknown: no oracle for hidden values
            var wanted = group.ToHashSet();
            tests.Add(x => Matches(field.Get(x), wanted));
        }
        return tests;
    }

    private static bool Matches(object? value, HashSet<string> wanted) => value switch
    {
        bool b => wanted.Any(w => b == w is "True" or "true" or "1" or "yes" or "on"),
        IEnumerable<string> many => many.Any(wanted.Contains),
        null => wanted.Contains("") || wanted.Contains("None"),
        _ => wanted.Contains(Convert.ToString(value, CultureInfo.InvariantCulture)!),
    };

    /// <summary>Reads sort_key and sort_dir (repeatable) or sort=key:dir,key:dir.</summary>
    private static List<(Field<T>, bool Down)> Sorts(Call c)
    {
        var asked = c.First("sort") is { Length: > 0 } sort
            ? sort.Split(',').Select(s => s.Split(':')).Select(s => (Key: s[0], Dir: s.Length > 1 ? s[1] : "desc")).ToList()
            : [.. c.Query.Where(q => q.Key == "sort_key").Select((q, i) => (Key: q.Value, Dir: c.Query.Where(d => d.Key == "sort_dir").Select(d => d.Value).ElementAtOrDefault(i) ?? "asc"))];
        return [.. asked.Select(a =>
        {
            var field = Array.Find(Fields, f => f.Wire == a.Key && f.Rule.Sort && (f.Rule.Policy is null || c.Allows(f.Rule.Policy, default)))
                ?? throw Fault.BadRequest($"Sort key supplied is invalid: {a.Key}");
            return (field, a.Dir switch { "asc" => false, "desc" => true, _ => throw Fault.BadRequest($"Unknown sort direction: {a.Dir}, must be 'asc' or 'desc'.") });
        })];
    }

    private Fault BadMarker(string marker) => new(Dialect.UnknownMarker, $"marker [{marker}] not found");
}
