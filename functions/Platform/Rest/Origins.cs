namespace Cloud.Platform.Rest;

/// <summary>
/// Pages of other origins that the operator lets use the APIs (CORS, the Fetch standard), a dashboard say. Nothing is kept in cookies here: a page has no more rights than
/// the token it sends. Objects have rules of their containers' owners besides.
/// </summary>
internal static class Origins
{
    private const string Origin = "Access-Control-Allow-Origin";
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "COPY"];

    /// <summary>The origin that asks; null when none does or it may not.</summary>
    public static string? Of(Request request, Settings settings) =>
        request.Header("Origin") is { Length: > 0 } origin && (settings.AllowedOrigins.Contains(origin) || settings.AllowedOrigins.Contains("*")) ? origin : null;

    /// <summary>What a browser asks before it sends a page's request; null when the service itself is to answer.</summary>
    /// <param name="origin">As <see cref="Of"/> says.</param>
    public static Reply? Ask(Request request, Settings settings, string? origin, Slice slice)
    {
        if (settings.AllowedOrigins.Count == 0 || request.Method != "OPTIONS" || request.Header("Origin") is null || request.Header("Access-Control-Request-Method") is not { } method) return null;
        if (origin is null) return slice.Routes.Any(r => r.Method == "OPTIONS") ? null : Reply.Empty(200);
        var reply = Reply.Empty(200).With("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
        if (!Methods.Contains(method)) return reply;
        reply.With(Origin, origin).With("Access-Control-Allow-Methods", method).With("Access-Control-Max-Age", "3600");
        return request.Header("Access-Control-Request-Headers") is { Length: > 0 } headers ? reply.With("Access-Control-Allow-Headers", headers) : reply;
    }

    /// <summary>Lets the page see the answer with all its headers.</summary>
    public static Reply Show(Reply reply, string? origin)
    {
        if (origin is null || reply.Headers.Exists(h => h.Name == Origin)) return reply;
        return reply.With("Access-Control-Expose-Headers", string.Join(", ", reply.Headers.Select(h => h.Name).Distinct(StringComparer.OrdinalIgnoreCase))).With(Origin, origin).With("Vary", "Origin");
    }
}
