using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Reads the members of a body one by one, and refuses what nobody asked for.</summary>
public sealed class BodyReader(JsonElement body)
{
    private readonly HashSet<string> _read = [];

    public JsonElement? Get(string name)
    {
        _read.Add(name);
        return body.TryGetProperty(name, out var v) && v.ValueKind != JsonValueKind.Null ? v : null;
    }

    public string? Text(string name, int max) => Get(name) is not { } v ? null
        : v.ValueKind == JsonValueKind.String && v.GetString() is { } s && s.Length <= max ? s : throw Bad(name, $"it must be a string of at most {max} characters");

    public string Required(string name, int max) => Text(name, max) is { Length: > 0 } s ? s : throw Fault.BadRequest($"Invalid input for field/attribute {name}. '{name}' is a required property");

    public int? Number(string name, int min, int max) => Get(name) is not { } v ? null
        : (v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var n) || v.ValueKind == JsonValueKind.String && int.TryParse(v.GetString(), System.Globalization.NumberStyles.AllowLeadingSign, null, out n)) && n >= min && n <= max
            ? n : throw Bad(name, $"it must be an integer from {min} to {max}");

    public bool? Flag(string name) => Get(name) is not { } v ? null : v.ValueKind switch
    {
        JsonValueKind.True => true, JsonValueKind.False => false,
        JsonValueKind.String when v.GetString()!.ToLowerInvariant() is var s && s is "true" or "1" or "on" or "yes" or "" or "false" or "0" or "off" or "no" => v.GetString()!.ToLowerInvariant() is "true" or "1" or "on" or "yes",
        _ => throw Bad(name, "it must be a boolean"),
    };

    public Dictionary<string, string> Map(string name) => Get(name) is not { } v ? []
        : v.ValueKind == JsonValueKind.Object ? v.EnumerateObject().ToDictionary(p => p.Name.Length is > 0 and <= 255 ? p.Name : throw Bad(name, "keys have 1 to 255 characters"),
            p => p.Value.ValueKind == JsonValueKind.String && p.Value.GetString() is { Length: <= 255 } s ? s : throw Bad(name, "values are strings of at most 255 characters")) : throw Bad(name, "it must be an object");

    public IReadOnlyList<JsonElement> List(string name, int max) => Get(name) is not { } v ? []
        : v.ValueKind == JsonValueKind.Array && v.GetArrayLength() <= max ? [.. v.EnumerateArray()] : throw Bad(name, $"it must be a list of at most {max}");

    public void NothingElse()
    {
        foreach (var p in body.EnumerateObject())
            if (!_read.Contains(p.Name)) throw Fault.BadRequest($"Additional properties are not allowed ('{(p.Name.Length > 60 ? p.Name[..60] : p.Name)}' was unexpected)");
    }

    private static Fault Bad(string name, string why) => Fault.BadRequest($"Invalid input for field/attribute {name}: {why}.");
}
