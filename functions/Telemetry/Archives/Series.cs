namespace Cloud.Telemetry;

/// <summary>Points in order of time, none twice. Times in nanoseconds since 1970.</summary>
public sealed record Series(long[] Times, double[] Values)
{
    public static readonly Series Empty = new([], []);
    public int Count => Times.Length;
    public long First => Times[0];
    public long Last => Times[^1];

    /// <summary>Position of the first point that isn't before <paramref name="time"/>.</summary>
    public int From(long time) => Array.BinarySearch(Times, time) is var i && i < 0 ? ~i : i;

    public Series Slice(int from, int to) => from == 0 && to == Count ? this : from >= to ? Empty : new(Times[from..to], Values[from..to]);

    /// <summary>Points with <paramref name="from"/> &lt;= t &lt; <paramref name="to"/>.</summary>
    public Series Between(long? from, long? to) => Slice(from is { } f ? From(f) : 0, to is { } t ? From(t) : Count);

    /// <summary>Sorted; of points at one time the last given counts.</summary>
    public static Series Of(IEnumerable<(long Time, double Value)> points)
    {
        var sorted = points.Select((p, i) => (p.Time, p.Value, i)).OrderBy(p => p.Time).ThenBy(p => p.i).ToList();
        var kept = sorted.Where((p, i) => i + 1 == sorted.Count || sorted[i + 1].Time != p.Time).ToList();
        return new([.. kept.Select(p => p.Time)], [.. kept.Select(p => p.Value)]);
    }

    /// <summary>Both; where both have a point, that of <paramref name="newer"/> counts.</summary>
    public Series With(Series newer) =>
        newer.Count == 0 ? this : Count == 0 ? newer : newer.First > Last ? new([.. Times, .. newer.Times], [.. Values, .. newer.Values])
        : Of(Times.Zip(Values).Concat(newer.Times.Zip(newer.Values)));

    /// <summary>Differences to the point before; one point fewer.</summary>
    public Series Differences() => Count < 2 ? Empty : new(Times[1..], [.. Enumerable.Range(1, Count - 1).Select(i => Values[i] - Values[i - 1])]);

    /// <summary>One point a group: its time is what <paramref name="groupOf"/> says for its members, its value their aggregate. Groups without a value are left out.</summary>
    public Series Group(string method, Func<long, long> groupOf)
    {
        var (times, values) = (new List<long>(), new List<double>());
        for (int i = 0, end; i < Count; i = end)
        {
            var group = groupOf(Times[i]);
            for (end = i + 1; end < Count && groupOf(Times[end]) == group; end++) { }
            var value = Aggregate.Of(method, Values.AsSpan(i, end - i));
            if (double.IsNaN(value)) continue;
            times.Add(group);
            values.Add(value);
        }
        return new([.. times], [.. values]);
    }
}

/// <summary>The functions that make one value of many.</summary>
public static class Aggregate
{
    /// <param name="values">In order of time, at least one.</param>
    /// <returns>NaN where there is none (the deviation of one value).</returns>
    public static double Of(string method, ReadOnlySpan<double> values) => method switch
    {
        "mean" => Sum(values) / values.Length,
        "sum" => Sum(values),
        "count" => values.Length,
        "min" => Least(values, 1),
        "max" => -Least(values, -1),
        "first" => values[0],
        "last" => values[^1],
        "std" => values.Length < 2 ? double.NaN : Math.Sqrt(Squares(values) / (values.Length - 1)),
        "median" => Percentile(values, 50),
        _ when method.EndsWith("pct", StringComparison.Ordinal) => Percentile(values, int.Parse(method.AsSpan(0, method.Length - 3), System.Globalization.CultureInfo.InvariantCulture)),
        _ => throw new ArgumentException($"{method} is not an aggregation method", nameof(method)),
    };

    public static double Sum(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var v in values) sum += v;
        return sum;
    }

    /// <summary>Sum of squared distances to the mean.</summary>
    public static double Squares(ReadOnlySpan<double> values)
    {
        var (mean, sum) = (Sum(values) / values.Length, 0.0);
        foreach (var v in values) sum += (v - mean) * (v - mean);
        return sum;
    }

    private static double Least(ReadOnlySpan<double> values, int sign)
    {
        var least = double.PositiveInfinity;
        foreach (var v in values) least = Math.Min(least, sign * v);
        return least;
    }

    // Between the two values around the place, in proportion.
    private static double Percentile(ReadOnlySpan<double> values, double percent)
    {
        var sorted = values.ToArray();
        Array.Sort(sorted);
        var place = (sorted.Length - 1) * (percent / 100);
        var (low, high) = ((int)Math.Floor(place), (int)Math.Ceiling(place));
        return low == high ? sorted[low] : sorted[low] * (high - place) + sorted[high] * (place - low);
    }
}
