using System.Buffers;

namespace Cloud.Platform.State;

/// <summary>Row keys. A resource is <c>kind|id</c>, or <c>kind|~id</c> turned upside down where the newest comes first.</summary>
public static class Keys
{
    private static readonly SearchValues<char> Unsafe = SearchValues.Create("/\\#?|%");

    public static string Of(string kind, string id, bool newestFirst) => $"{kind}|{(newestFirst ? Upside(id) : Safe(id))}";

    /// <summary>Bounds of all rows whose key begins with <paramref name="prefix"/>.</summary>
    public static (string From, string To) Range(string prefix) => (prefix, prefix + char.MaxValue);

    /// <summary>A text that any client chose, as a part of a key: the few characters that stores refuse are escaped.</summary>
    public static string Safe(string text) =>
        !text.AsSpan().ContainsAny(Unsafe) ? text : string.Concat(text.Select(c => Unsafe.Contains(c) ? $"%{(int)c:X2}" : c.ToString()));

    // A time-ordered UUID with each hex digit replaced by fifteen minus it sorts newest first, on a store that only lists upwards.
    private static string Upside(string id) => !Guid.TryParse(id, out _) ? "~" + Safe(id) : string.Create(id.Length, id, static (to, from) =>
    {
        for (var i = 0; i < to.Length; i++) to[i] = from[i] == '-' ? '-' : "fedcba9876543210"[Convert.ToInt32(from[i].ToString(), 16)];
    });
}
