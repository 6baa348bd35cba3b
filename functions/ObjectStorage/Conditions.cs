using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>If-Match and its relatives.</summary>
internal static class Conditions
{
    /// <returns>304 or 412, or null when the request goes on.</returns>
    public static int? Of(Call c, string etag, DateTimeOffset modified)
    {
        var at = SwiftDialect.Ceiling(modified);
        if (c.Header("If-Match") is { } match) { if (!Names(match, etag)) return 412; }
        else if (Date(c, "If-Unmodified-Since") is { } unmodified && at > unmodified) return 412;
        if (c.Header("If-None-Match") is { } none) return Names(none, etag) ? c.Method is "GET" or "HEAD" ? 304 : 412 : null;
        return Date(c, "If-Modified-Since") is { } since && at <= since ? 304 : null;
    }

    private static bool Names(string header, string etag) => header.Split(',').Select(t => t.Trim()).Any(t => t == "*" || (t.StartsWith("W/", StringComparison.Ordinal) ? t[2..] : t).Trim('"') == etag);

    private static DateTimeOffset? Date(Call c, string header) =>
        c.Header(header) is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var t) ? t : null;
}
