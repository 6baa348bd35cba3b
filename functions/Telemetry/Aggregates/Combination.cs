using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>A metric in an operation, with what it is called there.</summary>
internal sealed record Source(Metric Metric, ArchivePolicy Policy, string Method, Subject? Resource, Operation.Reference Name)
{
    public string Shown => Resource is null ? Metric.Id : Metric.Name!;
}

/// <summary>What becomes of times at which not every series has a point.</summary>
/// <param name="Overlap">Percent of times that all must have; only without a fill.</param>
/// <param name="Value">Stands for what is missing; NaN for nothing.</param>
/// <param name="Drops">Results without a number are left out.</param>
internal sealed record Fill(double Overlap, double? Value, bool Drops)
{
    /// <param name="drops">What is meant when nothing is said.</param>
    public static Fill Of(Call c, bool drops)
    {
        double? overlap = c.First("needed_overlap") is not { } text ? null : Real(text) ?? throw Wrong.Argument("needed_overlap", "Must be a number");
        return (c.First("fill") ?? (drops && overlap is null ? "dropna" : null)) switch
        {
            null => new(overlap ?? 100, null, false),
            "null" => new(0, double.NaN, false),
            "dropna" => new(0, double.NaN, true),
            var f => new(0, Real(f) ?? throw Wrong.Argument("fill", "Must be a float, 'dropna' or 'null'"), false),
        };
    }

    private static double? Real(string text) => double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var d) ? d : null;
}

/// <summary>Brings the series of several metrics together, one resolution after the other, and computes.</summary>
internal static class Combination
{
    /// <summary>Points that one request may work on.</summary>
    private const int MostPoints = 2_000_000;

    /// <summary>Results in order: coarsest first.</summary>
    public static async ValueTask<IReadOnlyList<(Grid Grid, IReadOnlyList<Source> Sources)>> Compute(Call c, IReadOnlyList<Source> sources, Operation operation, Range range, Fill fill)
    {
        var granularities = range.Granularity is { } g ? [g] : sources.SelectMany(s => s.Policy.Definition.Select(d => d.Granularity)).GroupBy(x => x).Where(x => x.Count() == sources.Count).Select(x => x.Key).OrderDescending().ToList();
        if (granularities.Count == 0) throw Unfit("No granularity match", [.. sources.Select(s => new JsonArray(s.Shown, s.Method))]);
        foreach (var s in sources)
            if (!s.Policy.AggregationMethods.Contains(s.Method)) throw Wrong.Parts(404, "Metrics with unknown aggregation", null, new JsonArray(new JsonArray(s.Metric.Id, Wrong.Short(s.Method))));
        if (range.Granularity is { } only && sources.Where(s => s.Policy.At(only) is null).ToList() is { Count: > 0 } missing)
            throw Unfit("Granularities are missing", [.. missing.Select(s => new JsonArray(s.Shown, s.Method, (double)only / Times.Second))]);
        var (results, points) = (new List<(Grid, IReadOnlyList<Source>)>(), 0);
        foreach (var granularity in granularities)
        {
            var series = new List<Series>();
            foreach (var s in sources) series.Add(await Archive.Read(c.Store, s.Metric.Id, s.Policy, s.Method, s.Policy.At(granularity)!, range.From, range.To, null, c.Cancelled));
            if ((points += series.Sum(s => s.Count)) > MostPoints) throw Fault.BadRequest($"More than {MostPoints} points would be read; ask for less time or one granularity");
            try { results.Add((Calculator.Evaluate(operation, Together(series, granularity, range, fill), [.. sources.Select(s => s.Name)]), sources)); }
            catch (UnfitException e) { throw Unfit(e.Message, [.. sources.Select(s => new JsonArray(s.Name.Metric, s.Method))]); }
        }
        return results;
    }

    private static Grid Together(List<Series> series, long granularity, Range range, Fill fill)
    {
        long[] times = [.. series.SelectMany(s => s.Times).Distinct().Order()];
        var rows = new double[series.Count][];
        for (var i = 0; i < rows.Length; i++)
        {
            Array.Fill(rows[i] = new double[times.Length], fill.Value ?? double.NaN);
            for (var n = 0; n < series[i].Count; n++) rows[i][Array.BinarySearch(times, series[i].Times[n])] = series[i].Values[n];
        }
        if (fill.Value is not null) return new(new(granularity, ' '), times, rows, false);
        int[] common = [.. Enumerable.Range(0, times.Length).Where(t => Array.TrueForAll(rows, r => !double.IsNaN(r[t])))];
        if (common.Length == 0 && fill.Overlap > 0) throw new UnfitException("No overlap");
        var (first, end) = (0, times.Length);
        // Without bounds of its own the request means the time that all have in common.
        if (common.Length > 0) (first, end) = (range.From is null ? common[0] : 0, range.To is null ? common[^1] + 1 : times.Length);
        if (end > first && common.Length * 100.0 / (end - first) is var percent && percent < fill.Overlap)
            throw new UnfitException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Less than {fill.Overlap:F6}% of datapoints overlap in this timespan ({percent:F2}%)"));
        return new(new(granularity, ' '), times[first..end], [.. rows.Select(r => r[first..end])], false);
    }

    public static Fault Unfit(string reason, JsonArray references) => Wrong.Parts(400, "Metrics can't being aggregated", reason, references);

    public static void Points(Utf8JsonWriter w, Grid grid, int row, Fill fill)
    {
        for (var t = 0; t < grid.Times.Length; t++)
            if (!fill.Drops || double.IsFinite(grid.Rows[row][t])) Measures.Point(w, grid.Times[t], grid.Granularity, grid.Rows[row][t]);
    }

    /// <summary>One list when all was made one, else a list for each metric by its aggregate, by resource where there are.</summary>
    public static void Write(Utf8JsonWriter w, IReadOnlyList<(Grid Grid, IReadOnlyList<Source> Sources)> results, Operation operation, Fill fill)
    {
        w.WriteStartObject();
        if (results.Any(r => r.Grid.Aggregated)) w.Array("aggregated", results, r => { if (r.Grid.Rows.Length > 0) Points(w, r.Grid, 0, fill); });
        else
        {
            var named = operation.References.ToHashSet();
            var rows = results[0].Sources.Where(s => named.Contains(s.Name)).Select((s, i) => (Source: s, Row: i)).ToList();
            foreach (var resource in rows.GroupBy(r => r.Source.Resource?.Id))
            {
                if (resource.Key is { } id) w.WriteStartObject(id);
                foreach (var metric in resource.GroupBy(r => r.Source.Shown))
                    w.Object(metric.Key, () =>
                    {
                        foreach (var one in metric.GroupBy(r => r.Source.Method)) w.Array(one.Key, results, r => { if (one.First().Row < r.Grid.Rows.Length) Points(w, r.Grid, one.First().Row, fill); });
                    });
                if (resource.Key is not null) w.WriteEndObject();
            }
        }
        w.WriteEndObject();
    }
}
