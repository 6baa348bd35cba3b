using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Points of metrics whose values satisfy a question: https://gnocchi.osci.io/rest.html#searching-for-values-in-metrics</summary>
internal static class ValueSearch
{
    public static readonly Route[] Routes = [new("POST", "/v1/search/metric", "metric:get", Search)];
    private const int MostMetrics = 100;

    private static async ValueTask<Reply> Search(Call c)
    {
        string[] ids = [.. c.Query.Where(q => q.Key == "metric_id").Select(q => q.Value).Distinct()];
        if (ids.Length > MostMetrics) throw Fault.BadRequest($"More than {MostMetrics} metrics at once");
        var metrics = new List<Metric>();
        foreach (var id in ids)
            if (Ids.Uuid(id) is { } uuid && await Catalogue.Metric(c.Store, uuid, c.Cancelled) is { } m && await Access.Sees(c, m)) metrics.Add(m);
        if (c.Json.ValueKind == JsonValueKind.Undefined) throw Fault.BadRequest("No query specified in body");
        var question = Read(Bodies.Of(c), 0);
        long? Time(string name)
        {
            try { return c.First(name) is { } text ? Times.Parse(text, c.Now) : null; }
            catch (FormatException) { throw Fault.BadRequest($"Invalid value for {name}"); }
        }
        var (from, to, method) = (Time("start"), Time("stop"), c.First("aggregation") ?? "mean");
        long[] asked = [];
        try { asked = [.. c.Query.Where(q => q.Key == "granularity").Select(q => Times.Positive(q.Value)).Distinct().OrderDescending()]; }
        catch (FormatException e) { throw Wrong.Argument("granularity", e.Message); }
        var policies = await Definitions.Policies(c.Store, c.Cancelled);
        var found = new List<(Metric, List<(long Granularity, Series)>)>();
        foreach (var m in metrics)
        {
            var (policy, parts) = (policies.Of(m), new List<(long, Series)>());
            foreach (var g in asked.Length > 0 ? asked : [.. policy.Definition.Select(d => d.Granularity).OrderDescending()])
            {
                if (policy.At(g) is not { } d || !policy.AggregationMethods.Contains(method)) throw Measures.NoGranularity(m, method, g, 400);
                parts.Add((g, await Archive.Read(c.Store, m.Id, policy, method, d, from, to, null, c.Cancelled)));
            }
            found.Add((m, parts));
        }
        return Reply.Object(200, w =>
        {
            foreach (var (m, parts) in found)
                w.Array(m.Id, parts, part =>
                {
                    for (var i = 0; i < part.Item2.Count; i++)
                        if (question(part.Item2.Values[i]) != 0) Measures.Point(w, part.Item2.Times[i], new(part.Granularity, ' '), part.Item2.Values[i]);
                });
        });
    }

    /// <summary>A function of a value: 0 is false. An operator alone compares the value itself; with two operands it works on them.</summary>
    private static Func<double, double> Read(JsonElement tree, int depth)
    {
        if (depth > 20) throw Wrong.Input("the query is too deep");
        if (tree.ValueKind == JsonValueKind.Number) return tree.GetDouble() is var n ? _ => n : null!;
        Bodies.Object(tree);
        if (tree.GetPropertyCount() != 1) throw Wrong.Input("length of value must be at most 1");
        var (op, operand) = tree.EnumerateObject().First() is var p ? (p.Name, p.Value) : default;
        if (op is "and" or "∧" or "or" or "∨" or "not")
        {
            Func<double, double>[] parts = [.. Bodies.Items(operand, op).Select(o => Read(o, depth + 1))];
            return op switch
            {
                "not" => v => parts.All(f => f(v) == 0) ? 1 : 0,
                "and" or "∧" => v => parts.All(f => f(v) != 0) ? 1 : 0,
                _ => v => parts.Any(f => f(v) != 0) ? 1 : 0,
            };
        }
        if (Calculator.Binary(op) is not { } f || op.StartsWith("clip", StringComparison.Ordinal)) throw Wrong.Input("extra keys not allowed", Wrong.Short(op));
        if (operand.ValueKind == JsonValueKind.Number) return operand.GetDouble() is var with ? v => f(v, with) : null!;
        var two = Bodies.Items(operand, op);
        if (two.Count != 2) throw Wrong.Value("length of value must be at most 2", op);
        // Of two operands one is a number, and the other an operation on the value.
        var (a, b) = (Read(two[0], depth + 1), Read(two[1], depth + 1));
        return v => f(a(v), b(v));
    }
}
