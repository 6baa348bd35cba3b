using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.State;

namespace Cloud.Platform.Rest;

/// <summary>One request on its way through a slice.</summary>
public sealed class Call
{
    public required Services Services { get; init; }
    public required Dialect Dialect { get; init; }
    public required string Method { get; init; }
    /// <summary>Path below the service's root, e.g. /v3/.../volumes; no query.</summary>
    public required string Path { get; init; }
    public required IReadOnlyList<(string Key, string Value)> Query { get; init; }
    /// <summary>Client headers. Identity headers (X-Roles and the like) never get here.</summary>
    public required Func<string, string?> Header { get; init; }
    /// <summary>Names of all headers, for services whose clients name some themselves.</summary>
    public IEnumerable<string> HeaderNames { get; init; } = [];
    /// <summary>Whom it came from; null where nobody says.</summary>
    public System.Net.IPAddress? Peer { get; init; }
    /// <summary>The service's root as the client sees it, no slash at its end, e.g. http://cloud:8774/compute.</summary>
    public required string BaseUrl { get; init; }
    public required string RequestId { get; init; }
    public CancellationToken Cancelled { get; init; }
    /// <summary>The server is about to end: who waits for something shall not.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>The body of a route that streams; otherwise <see cref="Json"/> holds it.</summary>
    public Stream? Stream { get; set; }
    public JsonElement Json { get; set; }
    public string? Token { get; set; }
    public Caller? User { get; set; }
    public ApiVersion Version { get; set; }
    public Route Route { get; set; } = null!;
    public Dictionary<string, string> Args { get; } = [];

    /// <summary>The caller of an operation that needs a token; the router has seen to it.</summary>
    public Caller Caller => User ?? throw new Fault(401, "The request you have made requires authentication.");
    /// <summary>The caller's project. 403 for a token without project scope.</summary>
    public string ProjectId => Caller.ProjectId ?? throw new Fault(403, "This operation needs a project-scoped token.");
    public IEntityStore Store => Services.Store;
    public DateTimeOffset Now => Services.Now;

    /// <summary>What an operation is asked about before anything is loaded: the caller's own place, and the user that the path names.</summary>
    public Target Own => new(User?.ProjectId, Args.GetValueOrDefault("user_id") ?? User?.UserId, User?.DomainId ?? User?.ProjectDomainId);

    /// <summary>What is known of something that can't be looked at: the user that the path names.</summary>
    public Target Named => new(null, Args.GetValueOrDefault("user_id"));

    /// <summary>The token of an Authorization header of that scheme; null where there is none.</summary>
    public string? Bearer => Header("Authorization") is { } header && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;

    public string? First(string key)
    {
        foreach (var (k, v) in Query) if (k == key) return v;
        return null;
    }

    public bool Allows(string policy, Target target) => Services.Policy.Allows(policy, User, target);

    /// <exception cref="Fault">403.</exception>
    public void Require(string policy, Target target)
    {
        if (!Allows(policy, target)) throw Fault.Forbidden(policy);
    }

    /// <summary>The object under <paramref name="name"/> in the body.</summary>
    /// <exception cref="Fault">400 when it isn't there.</exception>
    public JsonElement Body(string name) =>
        Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Object ? v
            : throw Fault.BadRequest($"Invalid input: the body must be an object that holds '{name}'.");
}
