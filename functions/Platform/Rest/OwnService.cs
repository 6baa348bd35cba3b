using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;

namespace Cloud.Platform.Rest;

/// <summary>
/// Conventions of the services that no OpenStack client knows (events, metering, operations): errors are problem documents (RFC 9457),
/// unknown query keys are refused, pages go on at an opaque cursor that a Link header holds too.
/// </summary>
public static class OwnService
{
    public static Dialect Dialect(string name) => new(name) { Error = Problem };

    public static ValueTask<Reply> Versions(Call c) => new(Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray("versions");
        w.WriteStartObject();
        w.WriteString("id", "v1");
        w.WriteString("status", "CURRENT");
        w.WriteStartArray("links");
        w.WriteStartObject();
        w.WriteString("rel", "self");
        w.WriteString("href", c.BaseUrl + "/v1");
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteEndObject();
    }));

    /// <exception cref="Fault">400 when the query has any other key, or one twice.</exception>
    public static void OnlyKnows(Call c, params ReadOnlySpan<string> keys)
    {
        var seen = new HashSet<string>();
        foreach (var (key, _) in c.Query)
        {
            if (!keys.Contains(key)) throw Fault.BadRequest($"Unknown query parameter; known are {string.Join(", ", keys)}.");
            if (!seen.Add(key)) throw Fault.BadRequest($"The query parameter {key} is given twice.");
        }
    }

    public static int Limit(Call c, int most = 1000) => c.First("limit") is not { } text ? Math.Min(100, most)
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= 1 && n <= most ? n
        : throw Fault.BadRequest($"limit must be a number from 1 to {most}.");

    public static bool Flag(Call c, string key) => c.First(key) switch
    {
        null or "0" or "false" or "False" => false,
        "1" or "true" or "True" or "" => true,
        _ => throw Fault.BadRequest($"{key} must be true or false."),
    };

    /// <summary>A time in ISO 8601; without an offset it is UTC.</summary>
    public static DateTimeOffset? Time(Call c, string key) => c.First(key) is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var t) ? t
        : throw Fault.BadRequest($"{key} must be a time such as 2030-01-31T00:00:00Z.");

    public static bool Matches(string? filter, string value) => filter is null || (filter.EndsWith(".*", StringComparison.Ordinal) ? value.StartsWith(filter[..^1], StringComparison.Ordinal) : value == filter);

    public static Reply WithNext(this Reply reply, Call c, string? cursor) => cursor is null ? reply : reply.With("Link", $"<{PageLinks.With(c, ("cursor", cursor))}>; rel=\"next\"");

    private static Reply Problem(Call c, Fault f) => new()
    {
        Status = f.Status, ContentType = "application/problem+json",
        Json = w =>
        {
            w.WriteStartObject();
            w.WriteString("type", "about:blank");
            w.WriteString("title", ReasonPhrases.GetReasonPhrase(f.Status));
            w.WriteNumber("status", f.Status);
            w.WriteString("detail", f.Message);
            w.WriteString("request_id", c.RequestId);
            w.WriteEndObject();
        },
    };
}
