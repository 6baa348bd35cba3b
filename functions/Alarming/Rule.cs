using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Telemetry;

namespace Cloud.Alarming;

/// <summary>What an alarm watches: a metric against a threshold, several such together, or events.</summary>
public abstract record Rule
{
    /// <summary>The last <paramref name="Periods"/> points of what the question asks all satisfy the comparison, or none does.</summary>
    public sealed record Threshold(Question Question, string Comparison, double Limit, int Periods) : Rule
    {
        public bool Holds(double value) => Comparison switch { "lt" => value < Limit, "le" => value <= Limit, "eq" => value == Limit, "ne" => value != Limit, "ge" => value >= Limit, _ => value > Limit };
    }

    public sealed record Composite(bool All, IReadOnlyList<Rule> Parts) : Rule;
    public sealed record OfEvent(string Pattern, IReadOnlyList<Condition> Conditions) : Rule;

    /// <param name="Field">traits.NAME, or a path into the event.</param>
    public sealed record Condition(string Field, string Operator, string Value);

    public static readonly string[] Thresholds = ["gnocchi_resources_threshold", "gnocchi_aggregation_by_metrics_threshold", "gnocchi_aggregation_by_resources_threshold"];
    public static readonly string[] Types = [.. Thresholds, "event", "composite"];
    private static readonly string[] Comparisons = ["lt", "le", "eq", "ne", "ge", "gt"];
    private const int MostParts = 20, MostDepth = 5, MostMetrics = 100;

    public static string Describe(string type, JsonElement rule) => type == "event" ? "Alarm when event occurred." : $"{type} alarm rule";

    public IEnumerable<Question> Questions => this switch { Threshold t => [t.Question], Composite c => c.Parts.SelectMany(p => p.Questions), _ => [] };

    /// <summary>The rule of a stored alarm.</summary>
    public static Rule Of(Alarm a) => Read(a.Type, a.Rule, a.ProjectId).Rule;

    /// <summary>Reads a rule, and completes it with what it leaves out.</summary>
    /// <exception cref="Fault">400.</exception>
    public static (Rule Rule, JsonElement Whole) Read(string type, JsonElement body, string project)
    {
        if (type == "composite")
        {
            var parts = 0;
            return Combined(body, project, 0, ref parts) is var (composite, node) && composite is Composite ? (composite, Element(node)) : throw Fault.BadRequest("Invalid input composite rule: it should be a dict with an \"and\" or \"or\" as key");
        }
        if (body.ValueKind != JsonValueKind.Object) throw AodhDialect.Invalid(type + "_rule", body.ToString(), "It must be an object.");
        return type == "event" ? Events(body) : Measured(type, body, project) is var (rule, whole) ? (rule, Element(whole)) : default;
    }

    private static JsonElement Element(JsonNode node) => JsonSerializer.SerializeToElement(node);

    private static (Rule, JsonNode) Combined(JsonElement body, string project, int depth, ref int parts)
    {
        if (depth > MostDepth || ++parts > MostParts) throw Fault.BadRequest($"A composite rule has at most {MostParts} parts and {MostDepth} levels");
        if (body.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("Invalid input composite rule: it should be a dict");
        if (body.GetPropertyCount() == 1)
        {
            var (word, list) = body.EnumerateObject().First() is var p ? (p.Name, p.Value) : default;
            if (word is not ("and" or "or")) throw Fault.BadRequest("Threshold rules should be combined with \"and\" or \"or\"");
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0) throw Fault.BadRequest("Invalid input composite rule: the value should be a list of rules");
            var (rules, nodes) = (new List<Rule>(), new JsonArray());
            foreach (var item in list.EnumerateArray())
            {
                var (rule, node) = Combined(item, project, depth + 1, ref parts);
                rules.Add(rule);
                nodes.Add(node);
            }
            return (new Composite(word == "and", rules), new JsonObject { [word] = nodes });
        }
        var type = body.TryGetProperty("type", out var t) && t.ValueKind == JsonValueKind.String ? t.GetString()! : throw Fault.BadRequest("type must be set in every rule");
        if (!Thresholds.Contains(type)) throw Fault.BadRequest($"Unsupported sub-rule type :{type} in composite rule, should be one of: {string.Join(", ", Thresholds)}");
        var (one, whole) = Measured(type, body, project);
        whole["type"] = type;
        return (one, whole);
    }

    private static (Rule, JsonObject) Measured(string type, JsonElement body, string project)
    {
        string[] own = type switch { "gnocchi_resources_threshold" => ["metric", "resource_id", "resource_type"], "gnocchi_aggregation_by_metrics_threshold" => ["metrics"], _ => ["metric", "query", "resource_type"] };
        string[] known = ["comparison_operator", "threshold", "aggregation_method", "evaluation_periods", "granularity", "type", .. own];
        AodhDialect.OnlyKnows(body, known);
        string Text(string name) => body.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String && v.GetString() is { Length: > 0 and <= 8192 } text ? text : throw AodhDialect.Invalid(name, null, "Mandatory field missing.");
        long Whole(string name, long or, long most) => !body.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null ? or
            : long.TryParse(v.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= 1 && n <= most ? n : throw AodhDialect.Invalid(name, v.ToString(), $"Value should be from 1 to {most}");
        var comparison = body.TryGetProperty("comparison_operator", out var o) ? o.ToString() : "eq";
        if (!Comparisons.Contains(comparison)) throw AodhDialect.Invalid("comparison_operator", comparison, $"Value should be one of: {string.Join(", ", Comparisons)}");
        if (!body.TryGetProperty("threshold", out var limit) || !double.TryParse(limit.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var threshold) || !double.IsFinite(threshold)) throw AodhDialect.Invalid("threshold", null, "Mandatory field missing.");
        var method = Text("aggregation_method");
        if (!Facade.IsMethod(method)) throw Fault.BadRequest($"aggregation_method should be one that the metric service has, not {method}");
        var (granularity, periods) = (Whole("granularity", 60, 31_536_000), Whole("evaluation_periods", 1, 1000));
        var whole = new JsonObject { ["granularity"] = granularity, ["comparison_operator"] = comparison, ["threshold"] = threshold, ["aggregation_method"] = method, ["evaluation_periods"] = periods };
        var question = new Question { Project = project, Method = method, Granularity = granularity };
        if (type == "gnocchi_aggregation_by_metrics_threshold")
        {
            if (!body.TryGetProperty("metrics", out var m) || m.ValueKind != JsonValueKind.Array || m.GetArrayLength() is < 1 or > MostMetrics) throw AodhDialect.Invalid("metrics", null, $"From 1 to {MostMetrics} ids of metrics.");
            question = question with { Metrics = [.. m.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.String && Guid.TryParse(x.GetString(), out var id) ? id.ToString() : throw AodhDialect.Invalid("metrics", x.ToString(), "Not a UUID."))] };
            whole["metrics"] = new JsonArray([.. question.Metrics.Select(x => (JsonNode)x)]);
            return (new Threshold(question, comparison, threshold, (int)periods), whole);
        }
        question = question with { Metric = Text("metric"), Type = Text("resource_type") };
        if (question.Metric.Contains('/', StringComparison.Ordinal)) throw AodhDialect.Invalid("metric", question.Metric, "A metric's name has no slash.");
        (whole["metric"], whole["resource_type"]) = (question.Metric, question.Type);
        if (type == "gnocchi_resources_threshold")
        {
            var id = Text("resource_id");
            if (id.Length > 255 || id.Contains('/', StringComparison.Ordinal)) throw AodhDialect.Invalid("resource_id", id, "Not an id.");
            whole["resource_id"] = id;
            return (new Threshold(question with { Resource = id }, comparison, threshold, (int)periods), whole);
        }
        whole["query"] = Text("query");
        try
        {
            using var query = JsonDocument.Parse(Text("query"));
            return (new Threshold(question with { Query = query.RootElement.Clone() }, comparison, threshold, (int)periods), whole);
        }
        catch (JsonException) { throw AodhDialect.Invalid("rule/query", Text("query"), "Not JSON."); }
    }

    private static (Rule, JsonElement) Events(JsonElement body)
    {
        var pattern = body.TryGetProperty("event_type", out var t) ? t.ValueKind == JsonValueKind.String && t.GetString() is { Length: > 0 and <= 255 } text ? text : throw AodhDialect.Invalid("event_type", t.ToString(), "Not a text.") : "*";
        var (conditions, query) = (new List<Condition>(), new JsonArray());
        if (body.TryGetProperty("query", out var q) && q.ValueKind != JsonValueKind.Null)
        {
            if (q.ValueKind != JsonValueKind.Array || q.GetArrayLength() > MostParts) throw AodhDialect.Invalid("query", null, $"A list of at most {MostParts} conditions.");
            foreach (var c in q.EnumerateArray())
            {
                string Text(string name, string? or = null) => c.ValueKind == JsonValueKind.Object && c.TryGetProperty(name, out var v) && v.ValueKind is not JsonValueKind.Null && v.ToString() is { Length: > 0 and <= 255 } s ? s : or ?? throw AodhDialect.Invalid("query", null, $"{name} is missing.");
                var condition = new Condition(Text("field"), Text("op", "eq"), Text("value"));
                if (!Comparisons.Contains(condition.Operator)) throw AodhDialect.Invalid("op", condition.Operator, $"Value should be one of: {string.Join(", ", Comparisons)}");
                conditions.Add(condition);
                query.Add(new JsonObject { ["field"] = condition.Field, ["op"] = condition.Operator, ["value"] = condition.Value, ["type"] = Text("type", "string") });
            }
        }
        return (new OfEvent(pattern, conditions), Element(new JsonObject { ["event_type"] = pattern, ["query"] = query }));
    }

    /// <summary>Whether what it asks can be asked.</summary>
    public async ValueTask Check(Services s, CancellationToken ct)
    {
        foreach (var q in Questions) await Facade.Check(s, q, ct);
    }
}
