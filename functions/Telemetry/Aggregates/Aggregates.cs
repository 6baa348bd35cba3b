using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>https://gnocchi.osci.io/rest.html#dynamic-aggregates</summary>
internal static class Aggregates
{
    /// <summary>Metrics that one request may combine.</summary>
    public const int MostSources = 2000;

    public static readonly Route[] Routes = [new("POST", "/v1/aggregates", "metric:get", Post)];

    private static async ValueTask<Reply> Post(Call c)
    {
        var (range, fill, details) = (Range.Of(c), Fill.Of(c, drops: true), Bodies.Flag(c, "details"));
        var body = Bodies.Of(c);
        var resources = body.ValueKind == JsonValueKind.Object && body.TryGetProperty("resource_type", out _);
        Bodies.Keys(body, [], resources ? ["operations", "resource_type", "search"] : ["operations"], []);
        var operation = Operation.Read(body.GetProperty("operations"));
        var references = operation.References.Distinct().ToList();
        if (references.Count == 0) throw Wrong.Parts(400, "Operations is invalid", "At least one 'metric' is required", JsonNode.Parse(body.GetProperty("operations").GetRawText()));
        return resources ? await OfResources(c, body, operation, references, range, fill, details) : await OfMetrics(c, operation, references, range, fill, details);
    }

    private static async ValueTask<Reply> OfMetrics(Call c, Operation operation, List<Operation.Reference> references, Range range, Fill fill, bool details)
    {
        if (references.Count > MostSources) throw Fault.BadRequest($"More than {MostSources} metrics at once");
        if (references.Find(r => Ids.Uuid(r.Metric) is null) is { } bad) throw Wrong.Parts(400, "Invalid metric references", "badly formed hexadecimal UUID string", new JsonArray(new JsonArray(Wrong.Short(bad.Metric), Wrong.Short(bad.Method))));
        var (policies, sources, missing) = (await Definitions.Policies(c.Store, c.Cancelled), new List<Source>(), new List<string>());
        foreach (var r in references)
        {
            var m = await Catalogue.Metric(c.Store, Ids.Uuid(r.Metric)!, c.Cancelled);
            if (m is null || !await Access.Sees(c, m)) missing.Add(Ids.Uuid(r.Metric)!);
            else sources.Add(new(m, policies.Of(m), r.Method, null, r));
        }
        if (missing.Count > 0) throw Wrong.Parts(404, "Unknown metrics", "Provided metrics don't exists", new JsonArray([.. missing.Distinct().Select(m => (JsonNode)m)]));
        var results = await Combination.Compute(c, sources, operation, range, fill);
        return Reply.Object(200, w =>
        {
            w.WritePropertyName("measures");
            Combination.Write(w, results, operation, fill);
            if (details) w.Array("references", sources.DistinctBy(s => s.Metric.Id), s => s.Metric.Write(w, s.Policy));
        });
    }

    private static async ValueTask<Reply> OfResources(Call c, JsonElement body, Operation operation, List<Operation.Reference> references, Range range, Fill fill, bool details)
    {
        var type = await ResourceTypes.Load(c.Store, Bodies.Text(body, "resource_type", 255), c.Cancelled, 400);
        var search = body.GetProperty("search");
        var filter = search.ValueKind == JsonValueKind.String ? Searching.Parse(c, search.GetString()!) : Filter.Read(search, c.Now, Creator.Of(c));
        if (UnknownGroup(c, type) is { } wrong) throw Fault.BadRequest($"Invalid pagination: `Sort key supplied is invalid: {Wrong.Short(wrong)}'");
        var found = (await Searching.Find(c, type, filter)).OrderBy(s => s.RevisionStart).ThenBy(s => s.StartedAt).ToList();
        var shown = await Searching.Details(c, type, false);
        var groups = Groups(c, type, found);
        var policies = await Definitions.Policies(c.Store, c.Cancelled);
        var parts = new List<(Action<Utf8JsonWriter>? Group, Action<Utf8JsonWriter> Measures)>();
        foreach (var (group, members) in groups)
        {
            var sources = await Sources(c, members, references, policies);
            if (sources.Count == 0) continue;
            var results = await Combination.Compute(c, sources, operation, range, fill);
            parts.Add((group, w =>
            {
                w.WriteStartObject();
                w.WritePropertyName("measures");
                Combination.Write(w, results, operation, fill);
                if (details) w.Array("references", sources.Select(s => s.Resource!).DistinctBy(s => s.Id), s => s.Write(w, shown(s)));
                w.WriteEndObject();
            }
            ));
        }
        if (parts.Count == 0) throw Wrong.Parts(400, "Metrics not found", null, new JsonArray([.. references.Select(r => (JsonNode)r.Metric).Distinct()]));
        return parts[0].Group is null ? Reply.Of(200, parts[0].Measures) : Grouped(parts);
    }

    public static Reply Grouped(IEnumerable<(Action<Utf8JsonWriter>? Group, Action<Utf8JsonWriter> Measures)> parts) => ArchivePolicies.Many(parts, (w, p) =>
    {
        w.WriteStartObject();
        w.WritePropertyName("measures");
        p.Measures(w);
        w.WritePropertyName("group");
        p.Group!(w);
        w.WriteEndObject();
    });

    private static string[] GroupBy(Call c) => [.. c.Query.Where(q => q.Key == "groupby").Select(q => q.Value).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>An attribute to group by that resources of the type don't have; null when all are known.</summary>
    public static string? UnknownGroup(Call c, ResourceType type) => Array.Find(GroupBy(c), b => !new Subject().Read(b, type, out _));

    /// <summary>Resources by what they have in the attributes to group by; one group without a name when there are none.</summary>
    public static IReadOnlyList<(Action<Utf8JsonWriter>? Group, IReadOnlyList<Subject> Members)> Groups(Call c, ResourceType type, IReadOnlyList<Subject> found)
    {
        var by = GroupBy(c);
        if (by.Length == 0) return [(null, found)];
        object? Of(Subject s, string name) => s.Read(name, type, out var v) ? v is DateTimeOffset t ? Times.Show(t) : v : null;
        return [.. found.GroupBy(s => string.Join('\0', by.Select(b => Of(s, b)))).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => ((Action<Utf8JsonWriter>?)(w =>
        {
            w.WriteStartObject();
            foreach (var b in by) { w.WritePropertyName(b); JsonSerializer.Serialize(w, Of(g.First(), b)); }
            w.WriteEndObject();
        }), (IReadOnlyList<Subject>)[.. g]))];
    }

    private static async ValueTask<List<Source>> Sources(Call c, IReadOnlyList<Subject> members, List<Operation.Reference> references, IReadOnlyDictionary<string, ArchivePolicy> policies)
    {
        var sources = new List<Source>();
        foreach (var s in members)
            await foreach (var m in Catalogue.MetricsOf(c.Store, s, c.Cancelled))
                foreach (var r in references)
                    if (Pattern.Glob(r.Metric, m.Name!) && !sources.Exists(x => x.Metric.Id == m.Id && x.Method == r.Method)) sources.Add(new(m, policies.Of(m), r.Method, s, r));
        return sources.Count <= MostSources ? sources : throw Fault.BadRequest($"More than {MostSources} metrics at once");
    }
}
