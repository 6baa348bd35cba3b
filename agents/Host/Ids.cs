using System.Buffers;

namespace Cloud.Agents.Host;

/// <summary>Ids from commands become file names; nothing but these characters gets that far.</summary>
public static class Ids
{
    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

    /// <returns>The id, when it is 1 to 64 letters, digits and hyphens.</returns>
    /// <exception cref="HandlerFault">It isn't; trying again won't help.</exception>
    public static string Check(string id) => IsValid(id) ? id : throw new HandlerFault("an id must be 1 to 64 letters, digits and hyphens", retry: false);

    public static bool IsValid(string? id) => id is { Length: > 0 and <= 64 } && !id.AsSpan().ContainsAnyExcept(Allowed);
}
