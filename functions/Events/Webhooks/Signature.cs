using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.Events.Webhooks;

/// <summary>
/// Signs as Standard Webhooks says (standardwebhooks.com, spec 1.0): HMAC-SHA256 over <c>id.timestamp.body</c>, one signature for each live key,
/// so that a receiver that knows either is content. docs/webhooks.md shows how to verify one.
/// </summary>
public static class Signature
{
    private const string Prefix = "whsec_";

    public static SigningKey NewKey(string id, DateTimeOffset now) => new(id, Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), now);

    /// <param name="id">The same however often it is sent.</param>
    public static IReadOnlyList<(string Name, string Value)> Headers(IReadOnlyList<SigningKey> keys, string id, DateTimeOffset now, ReadOnlySpan<byte> body)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signed = new byte[Encoding.UTF8.GetMaxByteCount(id.Length + timestamp.Length + 2) + body.Length];
        var length = Encoding.UTF8.GetBytes($"{id}.{timestamp}.", signed);
        body.CopyTo(signed.AsSpan(length));
        length += body.Length;
        var signatures = string.Join(' ', keys.Select(k => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(k.Secret[Prefix.Length..]), signed.AsSpan(0, length)))));
        return [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signatures), ("webhook-key-id", string.Join(' ', keys.Select(k => k.Id)))];
    }
}
