using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>What of a listing is asked for.</summary>
internal sealed record ListQuery
{
    public const int Most = 10_000;

    public string Prefix { get; init; } = "";
    public string Delimiter { get; init; } = "";
    public string Marker { get; init; } = "";
    public string EndMarker { get; init; } = "";
    public bool Reverse { get; init; }
    public int Limit { get; init; } = Most;
    /// <summary>An older form of prefix and delimiter that leaves out what lies deeper.</summary>
    public bool Flat { get; init; }
    public ListFormat Format { get; init; }

    // Going down, one starts below the marker and ends above the end marker.
    public string After => Reverse ? EndMarker : Marker;
    public string Before => Reverse ? Marker : EndMarker;

    /// <exception cref="Fault">400, 406 or 412.</exception>
    public static ListQuery Of(Call c)
    {
        var query = new ListQuery
        {
            Prefix = Text(c, "prefix"), Delimiter = Text(c, "delimiter"), Marker = Text(c, "marker"), EndMarker = Text(c, "end_marker"),
            Reverse = IsTrue(c.First("reverse")), Limit = LimitOf(c), Format = FormatOf(c),
        };
        return c.First("path") is not { } path ? query : query with { Prefix = path.Length == 0 ? "" : path.TrimEnd('/') + "/", Delimiter = "/", Flat = true };
    }

    public static bool IsTrue(string? text) => text is not null && text.ToLowerInvariant() is "true" or "1" or "yes" or "on" or "t" or "y";

    private static string Text(Call c, string name) => c.First(name) is not { } text ? ""
        : text.Contains('\0', StringComparison.Ordinal) || text.Contains('\uFFFD', StringComparison.Ordinal) ? throw Fault.BadRequest($"\"{name}\" parameter not valid UTF-8") : text;

    private static int LimitOf(Call c)
    {
        if (c.First("limit") is not { Length: > 0 } text || !text.All(char.IsAsciiDigit)) return Most;
        return int.TryParse(text, CultureInfo.InvariantCulture, out var limit) && limit <= Most ? limit : throw new Fault(412, $"Maximum limit is {Most}");
    }

    public static ListFormat FormatOf(Call c)
    {
        if (c.First("format") is { Length: > 0 } format) return format.ToLowerInvariant() switch { "json" => ListFormat.Json, "xml" => ListFormat.Xml, _ => ListFormat.Plain };
        if (c.Header("Accept") is not { Length: > 0 } accept) return ListFormat.Plain;
        foreach (var type in accept.Split(',').Select(t => t.Split(';')[0].Trim().ToLowerInvariant()))
            switch (type)
            {
                case "text/plain" or "*/*" or "text/*": return ListFormat.Plain;
                case "application/json": return ListFormat.Json;
                case "application/xml" or "text/xml": return ListFormat.Xml;
            }
        throw new Fault(406, "Not Acceptable");
    }
}

internal enum ListFormat { Plain, Json, Xml }
