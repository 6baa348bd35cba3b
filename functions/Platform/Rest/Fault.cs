namespace Cloud.Platform.Rest;

/// <summary>A failure the caller may see. Each service's <see cref="Dialect"/> writes it in its own format.</summary>
/// <param name="message">Goes to the wire.</param>
/// <param name="detail">Goes to the log, never to the wire.</param>
public sealed class Fault(int status, string message, string? detail = null) : Exception(message)
{
    public int Status => status;
    public string? Detail => detail;
    /// <summary>The service's own name of the error, where it has one (e.g. Neutron's exception type).</summary>
    public string? Kind { get; init; }
    /// <summary>The message taken apart, in services that show it so (Gnocchi's cause, reason and detail).</summary>
    public System.Text.Json.Nodes.JsonNode? Described { get; init; }
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public static Fault BadRequest(string message) => new(400, message);
    /// <param name="kind">As on the wire: security_group.</param>
    public static Fault NotFound(string kind, string id) => new(404, $"{char.ToUpperInvariant(kind[0])}{kind[1..].Replace('_', ' ')} {(id.Length > 64 ? id[..64] : id)} could not be found.")
    {
        Kind = string.Concat(kind.Split('_', ' ').Select(w => char.ToUpperInvariant(w[0]) + w[1..])) + "NotFound",
    };
    public static Fault Conflict(string message) => new(409, message);
    public static Fault Forbidden(string policy) => new(403, $"Policy doesn't allow {policy} to be performed.") { Kind = "PolicyNotAuthorized" };
}
