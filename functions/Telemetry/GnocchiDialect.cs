using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;
using Microsoft.AspNetCore.WebUtilities;

namespace Cloud.Telemetry;

/// <summary>
/// Gnocchi's conventions (https://gnocchi.osci.io/rest.html): bare bodies, no envelope, times with an offset. Errors are JSON for clients that accept it,
/// where the description is a text or an object of cause, reason and detail; for others the page in plain text that its web framework makes.
/// </summary>
internal static class GnocchiDialect
{
    public static readonly Dialect Value = new("metric") { Bare = true, UpdateMethod = "PATCH", Error = Error };

    private static Reply Error(Call c, Fault f)
    {
        var title = f.Status == 501 ? "Not Implemented" : ReasonPhrases.GetReasonPhrase(f.Status);
        if (c.Header("Accept") is not { Length: > 0 } accept || !(accept.Contains("json", StringComparison.OrdinalIgnoreCase) || accept.Contains("*/*", StringComparison.Ordinal)))
            return new() { Status = f.Status, ContentType = "text/plain; charset=UTF-8", Text = $"{f.Status} {title}\n\n{Explanation(f.Status)}\n\n{f.Message}\n" };
        return Reply.Object(f.Status, w =>
        {
            w.WriteNumber("code", f.Status);
            w.WritePropertyName("description");
            if (f.Described is { } parts) parts.WriteTo(w);
            else w.WriteStringValue(f.Message);
            w.WriteString("title", title);
        });
    }

    private static string Explanation(int status) => status switch
    {
        400 => "The server could not comply with the request since it is either malformed or otherwise incorrect.",
        403 => "Access was denied to this resource.",
        404 => "The resource could not be found.",
        _ => "",
    };
}

/// <summary>Gnocchi's errors.</summary>
internal static class Wrong
{
    /// <summary>A body, or a value in it, isn't as it must be. The words are those of the checker that Gnocchi uses, which clients show to people.</summary>
    /// <param name="path">Names and positions from the body's root.</param>
    public static Fault Input(string reason, params IReadOnlyList<string> path) =>
        Parts(400, "Invalid input", path.Count == 0 ? reason : $"{reason} @ data{string.Concat(path.Select(p => p.Length > 0 && p.All(char.IsAsciiDigit) ? $"[{p}]" : $"['{p}']"))}", new JsonArray([.. path.Select(p => (JsonNode)p)]));

    public static Fault Value(string reason, params IReadOnlyList<string> path) => Input(reason + " for dictionary value", path);

    public static Fault Argument(string name, string reason) => Parts(400, "Argument value error", reason, name);

    public static Fault Parts(int status, string cause, string? reason, JsonNode? detail)
    {
        var parts = new JsonObject { ["cause"] = cause };
        if (reason is not null) parts["reason"] = reason;
        parts["detail"] = detail;
        return new(status, reason is null ? $"{cause}: {detail?.ToJsonString()}" : $"{cause}: {reason}") { Described = parts };
    }

    public static Fault NoResource(string id) => new(404, $"Resource {Short(id)} does not exist");
    public static Fault NoMetric(string id, int status = 404) => new(status, $"Metric {Short(id)} does not exist");
    public static Fault NoType(string name, int status = 404) => Named(status, "Resource type", name);
    public static Fault NoPolicy(string name, int status = 404) => Named(status, "Archive policy", name);
    public static Fault NoRule(string name) => new(404, $"Archive policy rule {Short(name)} does not exist");

    private static Fault Named(int status, string what, string name) => new(status, $"{what} {Short(name)} does not exist") { Described = status == 400 ? new JsonObject { ["cause"] = $"{what} does not exist", ["detail"] = Short(name) } : null };

    public static string Short(string text) => text.Length > 300 ? text[..300] : text;
}
