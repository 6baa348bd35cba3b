using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>A filter in one line, e.g. <c>type = 'instance' and not (host like 'a%' or ended_at != null)</c>: into the tree that bodies hold. not binds tighter than and, and than or.</summary>
internal sealed partial class FilterText
{
    private const int MostDepth = 30;
    private readonly string _text;
    private int _at, _depth;

    private FilterText(string text) => _text = text;

    public static JsonNode Parse(string text)
    {
        var p = new FilterText(text);
        var tree = p.Or();
        p.Space();
        return p._at == text.Length ? tree : throw p.Bad("end of text");
    }

    private JsonNode Or() => Many("or", "∨", And);
    private JsonNode And() => Many("and", "∧", Not);

    private JsonObject Many(string word, string sign, Func<JsonNode> part)
    {
        var parts = new JsonArray { part() };
        while (Take(word) || Take(sign)) parts.Add(part());
        if (parts.Count > 1) return new() { [word] = parts };
        var only = parts[0]!;
        parts.Clear();
        return (JsonObject)only;
    }

    private JsonNode Not()
    {
        if (++_depth > MostDepth) throw Fault.BadRequest("Invalid filter: it is too deep");
        try
        {
            if (Take("not")) return new JsonObject { ["not"] = Not() };
            if (!Take("(")) return Condition();
            var inner = Or();
            return Take(")") ? inner : throw Bad("')'");
        }
        finally { _depth--; }
    }

    private JsonObject Condition()
    {
        var field = Term() is JsonValue v && v.TryGetValue<string>(out var name) ? name : throw Bad("an attribute");
        Space();
        if (Operator().Match(_text, _at) is not { Success: true } m) throw Bad("an operator");
        _at += m.Length;
        return new() { [m.Value] = new JsonObject { [field] = Term() } };
    }

    private JsonNode? Term()
    {
        Space();
        if (Take("["))
        {
            var list = new JsonArray();
            while (!Take("]"))
            {
                if (list.Count > 0 && !Take(",")) throw Bad("']'");
                list.Add(Term());
            }
            return list;
        }
        if (Value().Match(_text, _at) is not { Success: true } m) throw Bad("a value");
        _at += m.Length;
        if (m.Groups["null"].Success) return null;
        if (m.Groups["flag"].Success) return char.ToLowerInvariant(m.Value[0]) == 't';
        if (m.Groups["number"].Success) return double.Parse(m.Value, CultureInfo.InvariantCulture);
        return m.Groups["quoted"].Success ? m.Value[1..^1] : m.Value;
    }

    private bool Take(string word)
    {
        Space();
        if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0 || (char.IsAsciiLetter(word[0]) && _at + word.Length < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at + word.Length]) || _text[_at + word.Length] == '_'))) return false;
        _at += word.Length;
        return true;
    }

    private void Space() { while (_at < _text.Length && char.IsWhiteSpace(_text[_at])) _at++; }

    private Fault Bad(string what) => Fault.BadRequest($"Invalid filter: Expected {what}  (at char {_at}), (line:1, col:{_at + 1})");

    [GeneratedRegex(@"\G(>=|<=|!=|>|<|=|eq\b|ne\b|lt\b|gt\b|ge\b|le\b|in\b|like\b|≠|≥|≤)", RegexOptions.CultureInvariant)]
    private static partial Regex Operator();

    [GeneratedRegex("""\G((?<null>(None|none|null)\b)|(?<flag>(False|True|false|true)\b)|(?<uuid>[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})|(?<name>[A-Za-z][A-Za-z0-9_]*)|(?<number>[+-]?\d+(\.\d*)?([eE][+-]?\d+)?)|(?<quoted>"[^"]*"|'[^']*'))""", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Value();
}
