namespace Cloud.Metering;

/// <summary>Sums of one project's meter: quantity times seconds, exact.</summary>
public sealed record Sum(string ProjectId, string Meter, string Unit, decimal Amount, int Resources);

/// <summary>What intervals add up to in a time. A pure function.</summary>
public static class Usage
{
    public static IReadOnlyList<Sum> Of(IEnumerable<Entry> entries, DateTimeOffset from, DateTimeOffset to) =>
    [
        .. entries.DistinctBy(e => e.Id).GroupBy(e => (e.Project, e.Interval.Meter)).OrderBy(g => g.Key.Project, StringComparer.Ordinal).ThenBy(g => g.Key.Meter, StringComparer.Ordinal)
            .Select(g => new Sum(g.Key.Project, g.Key.Meter, Meters.UnitOf(g.Key.Meter) ?? "seconds", g.Sum(e => (decimal)e.Interval.Quantity * Milliseconds(e.Interval, from, to)) / 1000m, g.Select(e => e.Resource).Distinct().Count())),
    ];

    /// <summary>How long of the interval lies between the two.</summary>
    public static long Milliseconds(Interval i, DateTimeOffset from, DateTimeOffset to)
    {
        var begin = Math.Max(i.From.ToUnixTimeMilliseconds(), from.ToUnixTimeMilliseconds());
        var end = Math.Min(i.To?.ToUnixTimeMilliseconds() ?? long.MaxValue, to.ToUnixTimeMilliseconds());
        return Math.Max(0, end - begin);
    }
}
