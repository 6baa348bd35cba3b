using System.Security.Cryptography;
using System.Text;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Signed;

/// <summary>What holders of an account's or container's key (X-*-Meta-Temp-URL-Key) have signed: SHA-1, SHA-256 or SHA-512 in hex, or ALGORITHM:BASE64.</summary>
internal static class Signature
{
    /// <summary>Which places a signature over one of <paramref name="texts"/> opens: those of the account or of the container whose key made it; null when none did.</summary>
    public static async ValueTask<Func<Place, bool>?> Scope(Call c, Place place, string signature, IReadOnlyList<string> texts)
    {
        if (place.Project is not { } project || Decode(signature) is not { } given) return null;
        bool Made(Dictionary<string, string> keys) => keys.Values.Any(key => texts.Any(text => CryptographicOperations.FixedTimeEquals(given, Hmac(given.Length, key, text))));
        if (Made((await Shelf.Account(c.Store, project, c.Cancelled)).Keys)) return p => p.Account == place.Account;
        return await Shelf.Container(c.Store, project, place.Container, c.Cancelled) is { } container && Made(container.Item.Keys) ? p => p.Account == place.Account && p.Container == place.Container : null;
    }

    /// <summary>A path as clients may sign it: as Swift alone would have it, and as this cloud's catalog says.</summary>
    public static IReadOnlyList<string> Paths(Call c, Place place) => [place.ToString(), new Uri(c.BaseUrl).AbsolutePath + place];

    private static byte[]? Decode(string signature)
    {
        var (algorithm, text) = signature.IndexOf(':', StringComparison.Ordinal) is >= 0 and var at ? (signature[..at], signature[(at + 1)..]) : (null, signature);
        try
        {
            var bytes = algorithm is null ? Convert.FromHexString(text) : System.Buffers.Text.Base64Url.DecodeFromChars(text.Replace('+', '-').Replace('/', '_'));
            return bytes.Length == (algorithm switch { "sha1" => 20, "sha256" => 32, "sha512" => 64, null => bytes.Length, _ => -1 }) ? bytes : null;
        }
        catch (FormatException) { return null; }
    }

#pragma warning disable CA5350 // clients of old sign with SHA-1, which HMAC makes no weaker than its key
    private static byte[] Hmac(int length, string key, string text) => length switch
    {
        20 => HMACSHA1.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(text)),
        32 => HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(text)),
        64 => HMACSHA512.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(text)),
        _ => [],
    };
#pragma warning restore CA5350
}
