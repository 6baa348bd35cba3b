using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>
/// Pages of a list: limit, marker and any number of sort=KEY:DIRECTION. https://gnocchi.osci.io/rest.html#pagination
/// What has no value comes first when ascending, unless the direction says otherwise (asc-nullslast and the like).
/// </summary>
internal sealed record Paging(int Limit, string? Marker, IReadOnlyList<string> Sorts)
{
    public static Paging Of(Call c, params string[] defaults)
    {
        var most = c.Services.Settings.MetricPage;
        var limit = c.First("limit") is not { } text ? most
            : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= 1 ? Math.Min(n, most)
            : throw Wrong.Parts(400, "Argument value error", "limit must be a number from 1", null);
        string[] sorts = [.. c.Query.Where(q => q.Key == "sort").Select(q => q.Value)];
        return new(limit, c.First("marker"), sorts.Length > 0 ? sorts.Length <= 10 ? sorts : throw Fault.BadRequest("Invalid pagination: `too many sort keys'") : defaults);
    }

    /// <param name="read">A value by its name; false for a name that isn't known.</param>
    /// <param name="markerOf">What tells one from all others.</param>
    public (IReadOnlyList<T> Page, bool Full) Cut<T>(IEnumerable<T> items, Read<T> read, IReadOnlyList<string> unique, Func<T, string> markerOf)
    {
        var keys = new List<(string Name, bool Down, bool NullsFirst)>();
        foreach (var sort in Sorts.Concat(unique))
        {
            var (name, way) = sort.Split(':', 2) is [var a, var b] ? (a.Trim(), b) : (sort.Trim(), "asc");
            if (keys.Exists(k => k.Name == name)) continue;
            keys.Add((name, way.StartsWith("desc", StringComparison.Ordinal), way switch
            {
                "asc" or "asc-nullsfirst" or "desc-nullsfirst" => true,
                "desc" or "asc-nullslast" or "desc-nullslast" => false,
                _ => throw Fault.BadRequest("Invalid pagination: `Unknown sort direction, must be one of: asc-nullsfirst, asc-nullslast, desc-nullsfirst, desc-nullslast, asc, desc'"),
            }));
        }
        foreach (var (name, _, _) in keys)
            if (!read(default, name, out _)) throw Fault.BadRequest($"Invalid pagination: `Sort key supplied is invalid: {Wrong.Short(name)}'");
        var rows = items.Select(item => (Item: item, Values: keys.Select(k => read(item, k.Name, out var v) ? v : null).ToArray())).ToList();
        rows.Sort((x, y) =>
        {
            for (var i = 0; i < keys.Count; i++)
            {
                var (a, b) = (x.Values[i], y.Values[i]);
                var order = a is null || b is null ? (a is null ? 0 : 1) - (b is null ? 0 : 1) is var n && keys[i].NullsFirst ? n : -((a is null ? 0 : 1) - (b is null ? 0 : 1)) : Compare(a, b) * (keys[i].Down ? -1 : 1);
                if (order != 0) return order;
            }
            return 0;
        });
        var from = Marker is null ? 0 : rows.FindIndex(r => markerOf(r.Item) == Marker) is var at && at >= 0 ? at + 1 : throw Fault.BadRequest($"Invalid pagination: `Invalid marker: `{Wrong.Short(Marker)}''");
        IReadOnlyList<T> page = [.. rows.Skip(from).Take(Limit).Select(r => r.Item)];
        return (page, page.Count >= Limit);
    }

    public delegate bool Read<T>(T? item, string name, out object? value);

    public static int Compare(object a, object b) => (a, b) switch
    {
        (string x, string y) => string.CompareOrdinal(x, y),
        (double x, double y) => x.CompareTo(y),
        (DateTimeOffset x, DateTimeOffset y) => x.CompareTo(y),
        (bool x, bool y) => x.CompareTo(y),
        _ => string.CompareOrdinal(a.ToString(), b.ToString()),
    };

    /// <summary>The link to the page after a full one: all that was asked for, in order of names.</summary>
    public Reply Link(Call c, Reply reply, bool full, string marker)
    {
        if (!full) return reply;
        var query = c.Query.Where(q => q.Key is not ("limit" or "marker" or "sort")).Append(("limit", Limit.ToString(CultureInfo.InvariantCulture))).Append(("marker", marker)).Concat(Sorts.Select(s => ("sort", s)));
        return reply.With("Link", $"<{c.BaseUrl}{c.Path}?{string.Join('&', query.OrderBy(q => q.Item1, StringComparer.Ordinal).Select(q => $"{Uri.EscapeDataString(q.Item1)}={Uri.EscapeDataString(q.Item2)}"))}>; rel=\"next\"");
    }
}
