using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>What is to be computed from metrics: https://gnocchi.osci.io/rest.html#dynamic-aggregates. A tree whose leaves are metrics and numbers.</summary>
internal abstract record Operation
{
    /// <summary>Metric (an id, or a name that may hold * and ?) and the aggregate that is taken of it.</summary>
    public sealed record Reference(string Metric, string Method);

    public sealed record Number(double Value) : Operation;
    public sealed record Of(IReadOnlyList<Reference> Metrics) : Operation;
    public sealed record Unary(string Name, Operation On) : Operation;
    public sealed record Binary(string Name, Operation Left, Operation Right) : Operation;
    public sealed record Clip(Operation On, Operation Low, Operation? High) : Operation;
    /// <summary>aggregate, resample or rolling: by a function, over all metrics, a sampling or a number of points.</summary>
    public sealed record Gather(string Name, string Function, Operation On, Sampling? By = null, int Window = 0) : Operation;

    public static readonly string[] Functions = [.. ((string[])["mean", "median", "std", "min", "max", "sum", "var", "count"]).SelectMany(f => new[] { f, "rate:" + f })];
    private static readonly string[] Unaries = ["abs", "absolute", "neg", "negative", "cos", "sin", "tan", "floor", "ceil", "rateofchange"];
    private const int MostDepth = 30;

    public static Operation Read(JsonElement given)
    {
        if (given.ValueKind != JsonValueKind.String) return Parse(JsonNode.Parse(given.GetRawText()), 0, root: true);
        return Parse(Text(given.GetString()!), 0, root: true);
    }

    public IEnumerable<Reference> References => this switch
    {
        Of m => m.Metrics,
        Unary u => u.On.References,
        Binary b => b.Left.References.Concat(b.Right.References),
        Gather g => g.On.References,
        Clip c => c.On.References.Concat(c.Low.References).Concat(c.High?.References ?? []),
        _ => [],
    };

    private static Fault Bad(string why) => Wrong.Value(why, "operations");

    private static Operation Parse(JsonNode? node, int depth, bool root = false)
    {
        if (depth > MostDepth) throw Bad("the operations are too deep");
        if (!root && node is JsonValue leaf && Real(leaf) is { } number) return new Number(number);
        if (node is not JsonArray list) throw Bad(root ? $"Expected a tuple/list, got a {(node is JsonObject ? "dict" : "str")}" : "expected a list");
        if (list.Count == 0) throw Bad("Operation must not be empty");
        if (list.Count < 2) throw Bad("Operation need at least one argument");
        var name = Word(list[0]) ?? "";
        Fault Invalid() => Bad($"'{Wrong.Short(name)}' operation invalid");
        Operation Sub(int i) => Parse(list[i], depth + 1);
        if (name == "metric") return new Of(ReferencesIn(list));
        if (list.Count == 2 && Unaries.Contains(name)) return new Unary(name, Sub(1));
        if (list.Count == 3 && Calculator.Binary(name) is not null) return new Binary(name, Sub(1), Sub(2));
        if (name == "clip" && list.Count is 3 or 4) return new Clip(Sub(1), Sub(2), list.Count == 4 ? Sub(3) : null);
        var function = Word(list[1]);
        if (!Functions.Contains(function)) throw Invalid();
        switch (name)
        {
            case "aggregate" when list.Count == 3: return new Gather(name, function!, Sub(2));
            case "resample" when list.Count == 4:
                try { return new Gather(name, function!, Sub(3), new(Times.Positive(Word(list[2]) ?? list[2]?.ToJsonString() ?? ""), ' ')); }
                catch (FormatException) { throw Invalid(); }
            case "rolling" when list.Count == 4 && list[2] is JsonValue w && Real(w) is { } n && n >= 1 && n <= 100_000: return new Gather(name, function!, Sub(3), Window: (int)n);
            default: throw Invalid();
        }
    }

    private static List<Reference> ReferencesIn(JsonArray list)
    {
        static Reference One(JsonNode? a, JsonNode? b) => Word(a) is { } metric && Word(b) is { } method ? new(metric, method) : throw Bad("'metric' operation invalid");
        if (list[1] is not JsonArray) return list.Count == 3 ? [One(list[1], list[2])] : throw Bad("'metric' operation invalid");
        return [.. list.Skip(1).Select(r => r is JsonArray { Count: 2 } pair ? One(pair[0], pair[1]) : throw Bad("'metric' operation invalid"))];
    }

    private static string? Word(JsonNode? node) => node is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;

    private static double? Real(JsonValue v) => v.GetValueKind() == JsonValueKind.Number ? v.GetValue<double>()
        : v.TryGetValue<string>(out var text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d : null;

    /// <summary>Lists in parentheses, as in Lisp.</summary>
    private static JsonArray Text(string text)
    {
        Fault End(string wanted, int at) => Wrong.Parts(400, "Invalid operations", "Fail to parse the operations string", $"Expected {wanted}, found {(at >= text.Length ? "end of text" : $"'{text[at]}'")}  (at char {at}), (line:1, col:{at + 1})");
        var (open, at) = (new Stack<JsonArray>(), 0);
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
            if (at >= text.Length) throw End(open.Count == 0 ? "nested () expression" : "')'", text.Length);
            if (text[at] == '(') { if (open.Count > MostDepth) throw Bad("the operations are too deep"); open.Push([]); at++; continue; }
            if (open.Count == 0) throw End("nested () expression", at);
            if (text[at] == ')')
            {
                at++;
                var done = open.Pop();
                if (open.Count == 0) return done;
                open.Peek().Add(done);
                continue;
            }
            var start = at;
            while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not ('(' or ')')) at++;
            open.Peek().Add(text[start..at].Trim('"', '\''));
        }
    }
}
