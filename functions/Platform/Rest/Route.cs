namespace Cloud.Platform.Rest;

/// <summary>One operation of the API: everything the router, the documents and the tests need to know of it.</summary>
/// <param name="Path">Below the service's root, with {names}; <c>{name*}</c> at the end takes the rest.</param>
/// <param name="Policy">Name of the rule; there is no route without one (<see cref="Access.Policy.Anyone"/> for public ones).</param>
public sealed record Route(string Method, string Path, string Policy, Func<Call, ValueTask<Reply>> Run)
{
    /// <summary>Key of the body that chooses among routes of one path (server actions), or null.</summary>
    public string? Action { get; init; }
    public string? Since { get; init; }
    public string? Until { get; init; }
    /// <summary>The body is handed over unread, of any size and type.</summary>
    public bool Streams { get; init; }
    /// <summary>The handler asks about the rule: others than the holder of a token may be allowed too (access lists, signed addresses).</summary>
    public bool AsksItself { get; init; }
    /// <summary>Throws 404 when what the path names isn't there for this caller: asked when the rule denies, in services that say so first.</summary>
    public Func<Call, ValueTask>? Seen { get; init; }
    /// <summary>What kind of resource it takes and shows, for the documents; null for irregular ones.</summary>
    public Shape? Shape { get; init; }
    /// <summary>Why this cloud doesn't have it; null when it does.</summary>
    public string? NotOffered { get; init; }

    /// <summary>A documented operation that this cloud doesn't have: 501 in the service's own format, with the reason.</summary>
    public static Route Missing(string method, string path, string policy, string why, string? action = null) =>
        new(method, path, policy, _ => throw new Fault(501, why)) { Action = action, NotOffered = why };
}
