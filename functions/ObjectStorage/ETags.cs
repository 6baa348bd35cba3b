using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.ObjectStorage;

/// <summary>MD5 in lower-case hex, as clients expect; integrity rests on the blobs' SHA-256.</summary>
[SuppressMessage("Security", "CA5351", Justification = "ETags are MD5 by definition")]
internal static class ETags
{
    /// <summary>Of no bytes.</summary>
    public static readonly string Empty = Of(default);

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(MD5.HashData(bytes));

    /// <summary>Of texts put together.</summary>
    public static string OfAll(IEnumerable<string> texts) => Of(Encoding.UTF8.GetBytes(string.Concat(texts)));
}
