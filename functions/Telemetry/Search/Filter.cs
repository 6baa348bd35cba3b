using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>
/// A question about a resource's attributes: https://gnocchi.osci.io/rest.html#searching-for-resources. As in SQL a comparison with what has no value is
/// neither true nor false, and neither is its negation.
/// </summary>
internal abstract record Filter
{
    /// <param name="of">A value by its name, see <see cref="Subject.Read"/>.</param>
    public abstract bool? Matches(Subject s, ResourceType type);

    private const int MostNodes = 500;

    /// <summary>Null for an empty object, which asks nothing.</summary>
    public static Filter? Read(JsonElement tree, DateTimeOffset now, Creator creator)
    {
        var nodes = 0;
        return tree.ValueKind == JsonValueKind.Object && tree.GetPropertyCount() == 0 ? null : Read(tree, now, creator, [], ref nodes);
    }

    private static Filter Read(JsonElement tree, DateTimeOffset now, Creator creator, IReadOnlyList<string> path, ref int nodes)
    {
        Bodies.Object(tree, path);
        if (++nodes > MostNodes) throw Wrong.Input($"a filter has at most {MostNodes} parts");
        if (tree.GetPropertyCount() != 1) throw path.Count == 0 ? Wrong.Input("length of value must be at most 1") : Wrong.Value("length of value must be at most 1", path);
        var (op, value) = tree.EnumerateObject().First() is var p ? (p.Name, p.Value) : default;
        IReadOnlyList<string> below = [.. path, Wrong.Short(op)];
        switch (op)
        {
            case "and" or "∧" or "or" or "∨":
                var items = Bodies.Items(value, below);
                if (items.Count == 0) throw Wrong.Value("length of value must be at least 1", below);
                var parts = new List<Filter>();
                for (var i = 0; i < items.Count; i++) parts.Add(Read(items[i], now, creator, [.. below, i.ToString(CultureInfo.InvariantCulture)], ref nodes));
                return op is "and" or "∧" ? new Every(parts) : new Any(parts);
            case "not": return new Not(Read(value, now, creator, below, ref nodes));
        }
        if (Comparison.NameOf(op) is not { } name) throw Wrong.Input("extra keys not allowed", below);
        Bodies.Object(value, below);
        if (value.GetPropertyCount() != 1) throw Wrong.Value($"length of value must be at {(value.GetPropertyCount() == 0 ? "least" : "most")} 1", below);
        var (field, operand) = value.EnumerateObject().First() is var f ? (f.Name, f.Value) : default;
        below = [.. below, Wrong.Short(field)];
        if (name == "like" && field == "id") throw Wrong.Input("extra keys not allowed", below);
        IReadOnlyList<JsonElement> operands = [operand];
        if (name == "in")
        {
            operands = Bodies.Items(operand, below);
            if (operands.Count == 0) throw Wrong.Value("length of value must be at least 1", below);
            if ((nodes += operands.Count) > MostNodes * 4) throw Wrong.Input("a filter has too many values");
        }
        return new Comparison(name, field, [.. operands.Select(o => Scalar(o, field, now, creator, below))]);
    }

    private static object? Scalar(JsonElement o, string field, DateTimeOffset now, Creator creator, IReadOnlyList<string> path)
    {
        try
        {
            return o.ValueKind switch
            {
                JsonValueKind.String when field == "id" => Ids.Resource(o.GetString()!, creator),
                JsonValueKind.String when field is "started_at" or "ended_at" or "revision_start" or "revision_end" => Time(o.GetString()!, now),
                JsonValueKind.String when field == "lifespan" => (Times.Span(o.GetString()!) ?? throw new FormatException()) / (double)Times.Second,
                JsonValueKind.String => o.GetString(),
                JsonValueKind.Number when field is "started_at" or "ended_at" or "revision_start" or "revision_end" => Time(o.GetRawText(), now),
                JsonValueKind.Number => o.GetDouble(),
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.Null => (object?)null,
                _ => throw Wrong.Value("expected str", path),
            };
        }
        catch (FormatException e) { throw field == "id" ? Wrong.Value(e.Message, path) : Fault.BadRequest($"Invalid value: `{Wrong.Short(o.ToString())}' for field `{field}'"); }
    }

    private static DateTimeOffset Time(string text, DateTimeOffset now) => Times.Microsecond(Times.At(Times.Parse(text, now)));

    private sealed record Every(IReadOnlyList<Filter> Parts) : Filter
    {
        public override bool? Matches(Subject s, ResourceType type)
        {
            bool? all = true;
            foreach (var p in Parts) all &= p.Matches(s, type);
            return all;
        }
    }

    private sealed record Any(IReadOnlyList<Filter> Parts) : Filter
    {
        public override bool? Matches(Subject s, ResourceType type)
        {
            bool? any = false;
            foreach (var p in Parts) any |= p.Matches(s, type);
            return any;
        }
    }

    private sealed record Not(Filter Part) : Filter
    {
        public override bool? Matches(Subject s, ResourceType type) => !Part.Matches(s, type);
    }
}

/// <summary>One attribute compared with one value, or with several (in).</summary>
internal sealed record Comparison(string Operator, string Field, IReadOnlyList<object?> Operands) : Filter
{
    /// <summary>The one name of an operator that has several; null for none.</summary>
    public static string? NameOf(string op) => op switch
    {
        "=" or "==" or "eq" => "eq",
        "<" or "lt" => "lt",
        ">" or "gt" => "gt",
        "<=" or "≤" or "le" => "le",
        ">=" or "≥" or "ge" => "ge",
        "!=" or "≠" or "ne" => "ne",
        "in" or "like" => op,
        _ => null,
    };

    /// <exception cref="Fault">400 for an attribute that the type doesn't have.</exception>
    public override bool? Matches(Subject s, ResourceType type)
    {
        if (!s.Read(Field, type, out var value)) throw Fault.BadRequest($"Resource type {type.Name} has no {Wrong.Short(Field)} attribute");
        if (Operator == "in") return Operands.Any(o => Equal(value, o));
        var operand = Operands[0];
        if (Operator == "ne") return operand is null ? value is not null : value is null || !Equal(value, operand);
        if (operand is null) return Operator == "eq" && value is null;
        if (value is null) return null;
        if (Operator == "eq") return Equal(value, operand);
        if (Operator == "like") return Pattern.Like(Text(operand), Text(value));
        var order = value is DateTimeOffset or double && operand.GetType() == value.GetType() ? Paging.Compare(value, operand)
            : value is double d && operand is string t && double.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) ? d.CompareTo(n)
            : string.CompareOrdinal(Text(value), Text(operand));
        return Operator switch { "lt" => order < 0, "gt" => order > 0, "le" => order <= 0, _ => order >= 0 };
    }

    private static bool Equal(object? value, object? operand) => value is null || operand is null ? value is null && operand is null : value.Equals(operand) || Text(value) == Text(operand);

    private static string Text(object o) => o switch { DateTimeOffset t => Times.Show(t), double d => d.ToString("R", CultureInfo.InvariantCulture), bool b => b ? "true" : "false", _ => o.ToString()! };
}
