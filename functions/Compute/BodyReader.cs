using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Reads the members of a body one by one, and refuses what nobody asked for.</summary>
public sealed class BodyReader(JsonElement body)
{
    private readonly HashSet<string> _read = [];

    /// <exception cref="Fault">400 unless it is an object.</exception>
    public static BodyReader Of(JsonElement body) => body.ValueKind == JsonValueKind.Object ? new(body) : throw Fault.BadRequest("Invalid input: it must be an object.");

    /// <summary>The object under <paramref name="name"/>, which must be all there is.</summary>
    public static BodyReader Only(Call c, string name)
    {
        var inner = c.Body(name);
        var outer = new BodyReader(c.Json);
        outer.Get(name);
        outer.NothingElse();
        return new(inner);
    }

    public bool Has(string name) => body.TryGetProperty(name, out _);

    public JsonElement? Get(string name)
    {
        _read.Add(name);
        if (body.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("Invalid input: the body must be a JSON object.");
        return body.TryGetProperty(name, out var v) && v.ValueKind != JsonValueKind.Null ? v : null;
    }

    public string? Text(string name, int max) => Get(name) is not { } v ? null
        : v.ValueKind == JsonValueKind.String && v.GetString() is { } s && s.Length <= max ? s : throw Bad(name, $"it must be a string of at most {max} characters");

    public string Required(string name, int max) => Text(name, max) is { Length: > 0 } s ? s : throw Fault.BadRequest($"Invalid input for field/attribute {name}. '{name}' is a required property");

    /// <summary>A name of 1 to <paramref name="max"/> printable characters without blanks around it; null when it isn't there.</summary>
    public string? Name(string name, int max = 255) => !Has(name) ? null
        : Required(name, max) is var s && s.Trim() == s && !s.Any(char.IsControl) ? s : throw Bad(name, "it must not begin or end with a blank, nor hold control characters");

    /// <summary>Any text of printable characters; lines may break.</summary>
    public string? Printable(string name, int max) => Text(name, max) is not { } s ? null
        : s.Any(ch => char.IsControl(ch) && ch is not ('\n' or '\r' or '\t')) ? throw Bad(name, "it must not hold control characters") : s;

    /// <summary>An id; null when it isn't there.</summary>
    public string? Uuid(string name) => Text(name, 64) is not { } s ? null : Guid.TryParseExact(s, "D", out _) || Guid.TryParseExact(s, "N", out _) ? s : throw Bad(name, $"'{s}' is not a 'uuid'");

    /// <summary>An address of one family in its usual form, or an empty text; null when it isn't there.</summary>
    public string? Address(string name, AddressFamily? family = null)
    {
        if (Text(name, 45) is not { } s) return null;
        if (s.Length == 0 && family is not null) return s;
        return !s.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(s, out var a) && (family ?? a.AddressFamily) == a.AddressFamily && (a.AddressFamily == AddressFamily.InterNetworkV6 || a.ToString() == s) ? a.ToString() : throw Bad(name, "it is not such an address");
    }

    public int? Number(string name, int min, int max) => Get(name) is not { } v ? null
        : (v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var n) || v.ValueKind == JsonValueKind.String && int.TryParse(v.GetString(), System.Globalization.NumberStyles.AllowLeadingSign, null, out n)) && n >= min && n <= max
            ? n : throw Bad(name, $"it must be an integer from {min} to {max}");

    public bool? Flag(string name) => Get(name) is not { } v ? null : Lenient.Boolean(v) ?? throw Bad(name, "it must be a boolean");

    /// <summary>Metadata: keys of letters, digits and some signs, values of at most 255 characters.</summary>
    public Dictionary<string, string> Map(string name) => Get(name) is not { } v ? []
        : v.ValueKind == JsonValueKind.Object ? v.EnumerateObject().ToDictionary(p => IsKey(p.Name) ? p.Name : throw Bad(name, "keys have 1 to 255 characters: letters, digits, '-', '_', ':', '.' and blanks"),
            p => p.Value.ValueKind == JsonValueKind.String && p.Value.GetString() is { Length: <= 255 } s ? s : throw Bad(name, "values are strings of at most 255 characters")) : throw Bad(name, "it must be an object");

    public IReadOnlyList<JsonElement> List(string name, int max) => Get(name) is not { } v ? []
        : v.ValueKind == JsonValueKind.Array && v.GetArrayLength() <= max ? [.. v.EnumerateArray()] : throw Bad(name, $"it must be a list of at most {max}");

    public void NothingElse()
    {
        foreach (var p in body.EnumerateObject())
            if (!_read.Contains(p.Name)) throw Fault.BadRequest($"Additional properties are not allowed ('{(p.Name.Length > 60 ? p.Name[..60] : p.Name)}' was unexpected)");
    }

    private static bool IsKey(string key) => key.Length is > 0 and <= 255 && key.All(ch => char.IsAsciiLetterOrDigit(ch) || ch is '-' or '_' or ':' or '.' or ' ');

    private static Fault Bad(string name, string why) => Fault.BadRequest($"Invalid input for field/attribute {name}: {why}.");
}
