using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>One-time codes (RFC 6238: SHA-1, six digits, 30 seconds) of secrets that are kept as credentials of the type totp, in base32. Each opens once.</summary>
public static class Totp
{
    private const int Seconds = 30;

    /// <summary>Whether this is a code of the present or the last half minute; then it is used up.</summary>
    internal static async ValueTask<bool> Use(Call c, User user, string code)
    {
        var now = c.Now.ToUnixTimeSeconds() / Seconds;
        var used = (long?)null;
        foreach (var secret in (await Credentials.Rows.InProject(c.Store, "")).Where(x => x.Type == "totp" && x.UserId == user.Id).Select(x => Decode(x.Blob)))
            foreach (var window in (long[])[now, now - 1])
                if (secret is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Code(secret, window)), Encoding.UTF8.GetBytes(code))) used = window;
        return await Logins.Passes(c, user, used is { } w && await Logins.TakeCode(c, user.Id, w));
    }

    [SuppressMessage("Security", "CA5350", Justification = "what all authenticators compute")]
    public static string Code(byte[] secret, long window)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, window);
        var hash = HMACSHA1.HashData(secret, counter);
        var number = BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(hash[^1] & 15)) & 0x7fffffff;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>Null for what is not base32.</summary>
    public static byte[]? Decode(string text)
    {
        var (bytes, buffer, bits) = (new List<byte>(), 0, 0);
        foreach (var ch in text.TrimEnd('=').ToUpperInvariant())
        {
            var value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(ch, StringComparison.Ordinal);
            if (value < 0) return null;
            (buffer, bits) = ((buffer << 5 | value) & 0xfff, bits + 5);
            if (bits < 8) continue;
            bits -= 8;
            bytes.Add((byte)(buffer >> bits));
        }
        return bytes.Count > 0 ? [.. bytes] : null;
    }
}
