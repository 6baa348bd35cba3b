using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Swift's conventions: everything in headers, bodies of a line or a small page. https://docs.openstack.org/api-ref/object-store/</summary>
public static class SwiftDialect
{
    public const string Html = "text/html; charset=UTF-8", Plain = "text/plain; charset=utf-8";

    public static readonly Dialect Value = new("object-store")
    {
        Error = (c, f) => Page(f.Status, f.Message).Traced(c),
    };

    /// <summary>An answer without content of its own, as Swift gives it.</summary>
    public static Reply Page(int status, string? message = null) => status is 204 or 304
        ? Reply.Empty(status).With("Content-Type", Html)
        : new() { Status = status, ContentType = Html, Text = status is 200 or 201 ? "" : $"<html><h1>{Title(status)}</h1><p>{System.Net.WebUtility.HtmlEncode(message ?? Title(status))}</p></html>" };

    public static Reply Traced(this Reply reply, Call c)
    {
        var id = c.RequestId.Replace("-", "", StringComparison.Ordinal)[3..];
        return reply.With("X-Trans-Id", string.Create(CultureInfo.InvariantCulture, $"tx{id[^21..]}-{c.Now.ToUnixTimeSeconds():x10}"));
    }

    /// <summary>Seconds since 1970, to five digits.</summary>
    public static string Stamp(DateTimeOffset t) => ((t - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerSecond).ToString("0000000000.00000", CultureInfo.InvariantCulture);

    /// <summary>As in Last-Modified: whole seconds, never earlier than the change.</summary>
    public static string HttpDate(DateTimeOffset t) => Ceiling(t).ToString("R", CultureInfo.InvariantCulture);
    public static DateTimeOffset Ceiling(DateTimeOffset t) => t.Ticks % TimeSpan.TicksPerSecond is var rest and > 0 ? t.AddTicks(TimeSpan.TicksPerSecond - rest) : t;

    /// <summary>As in listings.</summary>
    public static string ListDate(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture);

    public static string Number(long n) => n.ToString(CultureInfo.InvariantCulture);

    public static string Title(int status) => status switch
    {
        202 => "Accepted",
        408 => "Request Timeout",
        411 => "Length Required",
        422 => "Unprocessable Entity",
        499 => "Client Disconnect",
        503 => "Service Unavailable",
        _ => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status) is { Length: > 0 } title ? title : "Error",
    };
}
