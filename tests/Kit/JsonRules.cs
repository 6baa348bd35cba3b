using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cloud.Tests.Kit;

/// <summary>As much of JSON Schema as docs/events uses; a word it doesn't know is a failure, so that no schema says more than is checked.</summary>
public static class JsonRules
{
    private static readonly HashSet<string> s_notes = ["$schema", "title", "description", "format", "default", "$defs"];

    /// <summary>What of the value isn't as the schema has it; nothing when it fits.</summary>
    public static IReadOnlyList<string> Wrong(JsonNode schema, JsonElement value)
    {
        var found = new List<string>();
        Check(schema, schema, value, "$", found);
        return found;
    }

    private static void Check(JsonNode root, JsonNode schema, JsonElement value, string at, List<string> found)
    {
        if (schema is not JsonObject rules) return; // true: anything
        foreach (var (word, rule) in rules)
        {
            var (fits, deeper) = word switch
            {
                "$ref" => (true, new[] { (root["$defs"]![((string)rule!).Split('/')[2]]!, value, at) }),
                "type" => (Types(rule!).Any(t => Is(value, t)), []),
                "const" => (JsonNode.DeepEquals(rule, JsonNode.Parse(value.GetRawText())), []),
                "enum" => (rule!.AsArray().Any(one => JsonNode.DeepEquals(one, JsonNode.Parse(value.GetRawText()))), []),
                "pattern" => (value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, (string)rule!, RegexOptions.None, TimeSpan.FromSeconds(1)), []),
                "exclusiveMinimum" => (value.ValueKind != JsonValueKind.Number || value.GetDecimal() > (decimal)rule!, []),
                "required" => (value.ValueKind != JsonValueKind.Object || rule!.AsArray().All(name => value.TryGetProperty((string)name!, out _)), []),
                "properties" => (true, Inside(rule!.AsObject(), value, at)),
                "additionalProperties" when rule is JsonValue => (value.ValueKind != JsonValueKind.Object || (bool)rule || value.EnumerateObject().All(p => rules["properties"]!.AsObject().ContainsKey(p.Name)), []),
                "additionalProperties" => (true, value.ValueKind == JsonValueKind.Object ? [.. value.EnumerateObject().Where(p => rules["properties"] is not JsonObject known || !known.ContainsKey(p.Name)).Select(p => (rule!, p.Value, $"{at}.{p.Name}"))] : []),
                "items" => (true, value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select((v, i) => (rule!, v, $"{at}[{i}]"))] : []),
                _ => (s_notes.Contains(word), Array.Empty<(JsonNode, JsonElement, string)>()),
            };
            if (!fits) found.Add($"{at}: {word} {rule?.ToJsonString()} and {value.GetRawText()}");
            foreach (var (next, inner, where) in deeper) Check(root, next, inner, where, found);
        }
    }

    private static (JsonNode, JsonElement, string)[] Inside(JsonObject properties, JsonElement value, string at) =>
        value.ValueKind != JsonValueKind.Object ? [] : [.. properties.Where(p => value.TryGetProperty(p.Key, out _)).Select(p => (p.Value!, value.GetProperty(p.Key), $"{at}.{p.Key}"))];

    private static IEnumerable<string> Types(JsonNode rule) => rule is JsonArray many ? many.Select(t => (string)t!) : [(string)rule!];

    private static bool Is(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && decimal.IsInteger(value.GetDecimal()),
        _ => false,
    };
}
