using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.Telemetry;

/// <summary>Ids of resources: a UUID, or any text that is turned into one, the same for the same creator (version 5 in a namespace that all Gnocchis share).</summary>
internal static class Ids
{
    private static readonly Guid Namespace = new("0a7a15ff-aa13-4ac2-897c-9bdf30ce175b");

    /// <summary>In lower case with dashes; null for what isn't one.</summary>
    public static string? Uuid(string text)
    {
        var hex = text.Replace("urn:", "", StringComparison.Ordinal).Replace("uuid:", "", StringComparison.Ordinal).Trim('{', '}').Replace("-", "", StringComparison.Ordinal);
        return hex.Length == 32 && Guid.TryParseExact(hex, "N", out var id) ? id.ToString() : null;
    }

    /// <exception cref="FormatException">With a text for the client.</exception>
    public static string Resource(string text, Creator creator) =>
        text.Contains('/', StringComparison.Ordinal) ? throw new FormatException("'/' is not supported in resource id")
        : Uuid(text) ?? (text.EnumerateRunes().Count() <= 255 ? Of(text + "\0" + creator) : throw new FormatException("transformable resource id >255 max allowed characters"));

    [SuppressMessage("Security", "CA5350", Justification = "UUIDs of version 5 are made of it; nothing is kept secret")]
    private static string Of(string name)
    {
        var hash = SHA1.HashData([.. Namespace.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(name)]);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true).ToString();
    }
}
