using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Aggregation across metrics as it was before operations: https://gnocchi.osci.io/rest.html#aggregation-across-metrics-deprecated</summary>
internal static class OldAggregation
{
    private const string OfType = "/v1/aggregation/resource/{type}/metric/{name}";

    public static readonly Route[] Routes =
    [
        new("GET", "/v1/aggregation/metric", "metric:get", c => Of(c, [.. c.Query.Where(q => q.Key == "metric").Select((q, i) => Uuid(q.Value, i))])),
        new("POST", "/v1/aggregation/metric", "metric:get", c => Of(c, [.. Bodies.Items(Bodies.Of(c)).Select((m, i) => Uuid(m.ValueKind == JsonValueKind.String ? m.GetString()! : "", i))])),
        new("POST", OfType, "metric:get", OfResources),
        new("POST", "/v1/aggregation/resource/{type}/metric", "metric:get", _ => throw new Fault(405, "The method is not allowed for this resource.")),
    ];

    private static string Uuid(string text, int at) => Ids.Uuid(text) ?? throw Fault.BadRequest($"Invalid input: badly formed hexadecimal UUID string @ data[{at}]");

    private static async ValueTask<Reply> Of(Call c, string[] ids)
    {
        if (ids.Length > Aggregates.MostSources) throw Fault.BadRequest($"More than {Aggregates.MostSources} metrics at once");
        var metrics = new List<Metric>();
        foreach (var id in ids.Distinct()) metrics.Add(await Access.Metric(c, id));
        return Reply.Of(200, await Combine(c, metrics));
    }

    private static async ValueTask<Reply> OfResources(Call c)
    {
        var type = await ResourceTypes.Load(c.Store, c.Args["type"], c.Cancelled);
        if (Aggregates.UnknownGroup(c, type) is not null) throw Fault.BadRequest("Invalid groupby attribute");
        var found = (await Searching.Find(c, type, Searching.FilterOf(c))).OrderBy(s => s.RevisionStart).ToList();
        var parts = new List<(Action<Utf8JsonWriter>? Group, Action<Utf8JsonWriter> Measures)>();
        foreach (var (group, members) in Aggregates.Groups(c, type, found))
        {
            var metrics = new List<Metric>();
            foreach (var s in members)
                if (s.Metrics.TryGetValue(c.Args["name"], out var id) && await Catalogue.Metric(c.Store, id, c.Cancelled) is { } m) metrics.Add(m);
            parts.Add((group, await Combine(c, metrics)));
        }
        return parts.Count == 1 && parts[0].Group is null ? Reply.Of(200, parts[0].Measures) : Aggregates.Grouped(parts);
    }

    private static async ValueTask<Action<Utf8JsonWriter>> Combine(Call c, List<Metric> metrics)
    {
        var (range, fill, method) = (Range.Of(c), Fill.Of(c, drops: false), c.First("aggregation") ?? "mean");
        var again = c.First("reaggregation") ?? method;
        _ = Bodies.Flag(c, "refresh");
        if (metrics.Count == 0) return w => { w.WriteStartArray(); w.WriteEndArray(); };
        if (metrics.Count > Aggregates.MostSources) throw Fault.BadRequest($"More than {Aggregates.MostSources} metrics at once");
        if (range.Resample is not null && range.Granularity is null) throw Fault.BadRequest("A granularity must be specified to resample");
        var policies = await Definitions.Policies(c.Store, c.Cancelled);
        foreach (var m in metrics)
        {
            if (metrics.Count == 1 && !policies.Of(m).AggregationMethods.Contains(method)) throw Measures.NoMethod(m, method);
            if (!policies.Of(m).AggregationMethods.Contains(method)) throw Measures.NoGranularity(m, method, range.Granularity ?? policies.Of(m).Definition[0].Granularity);
            if (range.Granularity is { } g && policies.Of(m).At(g) is null) throw Measures.NoGranularity(m, method, g);
        }
        var names = metrics.Select(m => new Operation.Reference(m.Id, method)).ToList();
        var sources = metrics.Select((m, i) => new Source(m, policies.Of(m), method, null, names[i])).ToList();
        Operation all = new Operation.Of(names);
        if (metrics.Count == 1)
        {
            // One alone is shown as it is.
            var s = sources[0];
            var resolutions = s.Policy.Definition.Where(d => range.Granularity is not { } g || d.Granularity == g).OrderByDescending(d => d.Granularity).ToList();
            var series = new List<(Sampling, Series)>();
            foreach (var d in resolutions) series.Add((range.Resample ?? new(d.Granularity, ' '), await Archive.Read(c.Store, s.Metric.Id, s.Policy, method, d, range.From, range.To, range.Resample, c.Cancelled)));
            return w =>
            {
                w.WriteStartArray();
                foreach (var (sampling, points) in series)
                    for (var i = 0; i < points.Count; i++) Measures.Point(w, points.Times[i], sampling, points.Values[i]);
                w.WriteEndArray();
            };
        }
        if (!Operation.Functions.Contains(again)) throw Combination.Unfit($"'{Wrong.Short(again)}' can't be aggregated again", []);
        if (range.Resample is { } by) all = Operation.Functions.Contains(method) ? new Operation.Gather("resample", method, all, by) : throw Combination.Unfit($"'{Wrong.Short(method)}' can't be resampled", []);
        var results = await Combination.Compute(c, sources, new Operation.Gather("aggregate", again, all), range, fill);
        return w =>
        {
            w.WriteStartArray();
            foreach (var (grid, _) in results) Combination.Points(w, grid, 0, fill);
            w.WriteEndArray();
        };
    }
}
