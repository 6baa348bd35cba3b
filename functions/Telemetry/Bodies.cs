using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Reads bodies strictly, with the errors that Gnocchi's clients know.</summary>
internal static class Bodies
{
    /// <summary>The body of a request. No body, or another content type, is refused as Gnocchi does.</summary>
    public static JsonElement Of(Call c, string type = "application/json")
    {
        if (c.Header("Content-Type") is { Length: > 0 } given && !given.Split(';')[0].Trim().Equals(type, StringComparison.OrdinalIgnoreCase))
            throw new Fault(415, $"The content type must be {type}.");
        return c.Json.ValueKind != JsonValueKind.Undefined ? c.Json
            : throw Wrong.Parts(400, "Unable to decode body", "Expected object or value", new System.Text.Json.Nodes.JsonArray());
    }

    /// <summary>Refuses what isn't an object of these keys.</summary>
    public static void Keys(JsonElement body, IReadOnlyList<string> path, IReadOnlyList<string> required, IReadOnlyList<string> optional)
    {
        Object(body, path);
        foreach (var p in body.EnumerateObject())
            if (!required.Contains(p.Name) && !optional.Contains(p.Name)) throw Wrong.Input("extra keys not allowed", [.. path, Wrong.Short(p.Name)]);
        foreach (var name in required)
            if (!body.TryGetProperty(name, out _)) throw Wrong.Input("required key not provided", [.. path, name]);
    }

    public static void Object(JsonElement body, params IReadOnlyList<string> path)
    {
        if (body.ValueKind != JsonValueKind.Object) throw path.Count == 0 ? Wrong.Input("expected a dictionary") : Wrong.Value("expected a dictionary", path);
    }

    public static IReadOnlyList<JsonElement> Items(JsonElement list, params IReadOnlyList<string> path) =>
        list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : throw (path.Count == 0 ? Wrong.Input("expected a list") : Wrong.Value("expected a list", path));

    public static string Text(JsonElement body, string name, int most) => body.GetProperty(name) is { ValueKind: JsonValueKind.String } v && v.GetString() is { } text
        ? text.Length <= most ? text : throw Wrong.Value($"length of value must be at most {most}", name) : throw Wrong.Value("expected str", name);

    /// <summary>Null when it isn't there.</summary>
    public static string? TextOrNone(JsonElement body, string name, int most) => body.TryGetProperty(name, out _) ? Text(body, name, most) : null;

    /// <exception cref="Fault">400 when it is neither.</exception>
    public static bool Flag(Call c, string name, bool or = false) => c.First(name) is not { } text ? or
        : Lenient.Boolean(text) ?? throw Fault.BadRequest($"Unable to parse `{name}': invalid truth value '{Wrong.Short(text)}'");
}

/// <summary>Numbers as Python writes them: a whole one keeps its .0, and what JSON has no word for is NaN, Infinity and -Infinity.</summary>
internal static class Numbers
{
    public static string Text(double v) => double.IsNaN(v) ? "NaN" : double.IsInfinity(v) ? v > 0 ? "Infinity" : "-Infinity"
        : v.ToString("R", CultureInfo.InvariantCulture) is var t && t.AsSpan().ContainsAny(".E") ? t : t + ".0";

    public static void Write(Utf8JsonWriter w, double v) => w.WriteRawValue(Text(v), skipInputValidation: true);
}
