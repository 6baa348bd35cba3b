using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Samples of many metrics at once: by the metrics' ids, or by resource and name. https://gnocchi.osci.io/rest.html#batching</summary>
internal static class Batches
{
    public static readonly Route[] Routes =
    [
        new("POST", "/v1/batch/metrics/measures", "metric:write", ByMetric), new("POST", "/v1/batch/resources/metrics/measures", "metric:write", ByResource),
    ];

    private static async ValueTask<Reply> ByMetric(Call c)
    {
        var body = Bodies.Of(c);
        Bodies.Object(body);
        var (all, missing) = (new List<(Metric, Series)>(), new List<string>());
        foreach (var p in body.EnumerateObject())
        {
            var id = Ids.Uuid(p.Name) ?? throw Wrong.Input("extra keys not allowed", Wrong.Short(p.Name));
            var series = Measures.Read(c, p.Value);
            if (await Catalogue.Metric(c.Store, id, c.Cancelled) is { } m && await Access.Sees(c, m)) all.Add(Access.Changes(c, m.Creator) ? (m, series) : throw Fault.Forbidden("metric:write"));
            else missing.Add(id);
        }
        if (missing.Count > 0) throw Fault.BadRequest($"Unknown metrics: {string.Join(", ", missing.Order(StringComparer.Ordinal))}");
        return await Add(c, all);
    }

    /// <summary>What one name of a resource is to get.</summary>
    private sealed record Part(string Name, string Policy, string? Unit, Series Series);

    private static async ValueTask<Reply> ByResource(Call c)
    {
        var (create, body) = (Bodies.Flag(c, "create_metrics"), Bodies.Of(c));
        Bodies.Object(body);
        var asked = new List<(string Original, string Id, IReadOnlyList<Part> Parts)>();
        foreach (var p in body.EnumerateObject())
        {
            Bodies.Object(p.Value, Wrong.Short(p.Name));
            try { asked.Add((p.Name, Ids.Resource(p.Name, Creator.Of(c)), [.. p.Value.EnumerateObject().Select(m => Read(c, p.Name, m))])); }
            catch (FormatException e) { throw Wrong.Input(e.Message, Wrong.Short(p.Name)); }
        }
        var (resources, unknown, missing) = (new Dictionary<string, Subject>(), new JsonArray(), new List<string>());
        foreach (var (original, id, parts) in asked.Where(a => a.Parts.Count > 0))
        {
            var s = await Catalogue.Resource(c.Store, id, c.Cancelled);
            if (s is not null && !Access.Sees(c, s)) s = null;
            if (s is not null && !Access.Changes(c, s.Creator)) throw Fault.Forbidden("metric:write");
            if (s is not null) resources[id] = s;
            if (s is null && create) unknown.Add(new JsonObject { ["resource_id"] = id, ["original_resource_id"] = original });
            if (!create) missing.AddRange(parts.Where(p => s?.Metrics.ContainsKey(p.Name) != true).Select(p => $"{id}/{p.Name}"));
        }
        if (unknown.Count > 0) throw Wrong.Parts(400, "Unknown resources", null, unknown);
        if (missing.Count > 0) throw Fault.BadRequest($"Unknown metrics: {string.Join(", ", missing.Order(StringComparer.Ordinal))}");
        var all = new List<(Metric, Series)>();
        foreach (var (_, id, parts) in asked.Where(a => a.Parts.Count > 0))
        {
            var s = create ? await WithMetrics(c, resources[id], parts.Select(p => (p.Name, p.Policy, p.Unit))) : resources[id];
            foreach (var part in parts)
                if (s.Metrics.TryGetValue(part.Name, out var metric) && await Catalogue.Metric(c.Store, metric, c.Cancelled) is { } m) all.Add((m, part.Series));
        }
        return await Add(c, all);
    }

    private static Part Read(Call c, string resource, JsonProperty m)
    {
        if (m.Value.ValueKind != JsonValueKind.Object) return new(m.Name, "", null, Measures.Read(c, m.Value));
        Bodies.Keys(m.Value, [Wrong.Short(resource), Wrong.Short(m.Name)], ["measures"], ["archive_policy_name", "unit"]);
        return new(m.Name, Bodies.TextOrNone(m.Value, "archive_policy_name", 255) ?? "", Bodies.TextOrNone(m.Value, "unit", 31), Measures.Read(c, m.Value.GetProperty("measures")));
    }

    /// <summary>The resource with metrics of these names, made where they aren't there.</summary>
    public static ValueTask<Subject> WithMetrics(Call c, Subject s, IEnumerable<(string Name, string Policy, string? Unit)> parts) => Access.Repeat(async () =>
    {
        var there = await Catalogue.Resource(c.Store, s.Id, c.Cancelled) ?? throw Wrong.NoResource(s.Id);
        var added = new List<Metric>();
        foreach (var (name, policy, unit) in parts)
        {
            if (there.Metrics.ContainsKey(name)) continue;
            var wish = await MetricBody.Complete(c, new(name, unit, policy, null));
            await MetricBody.Known(c, wish.Policy);
            added.Add(MetricBody.New(c, wish, there));
        }
        if (added.Count > MetricBody.MostAtOnce) throw Fault.BadRequest($"At most {MetricBody.MostAtOnce} metrics of a resource are made at once");
        return added.Count == 0 ? there : (await Metrics.Append(c, there, added)).Subject;
    });

    public static async ValueTask<Reply> Add(Call c, List<(Metric Metric, Series Series)> all)
    {
        if (all.Sum(a => (long)a.Series.Count) > Measures.Most) throw Wrong.Input($"more than {Measures.Most} measures at once");
        foreach (var (m, series) in all) await Measures.Add(c.Services, m, series, c.Cancelled);
        return Measures.Accepted();
    }
}
