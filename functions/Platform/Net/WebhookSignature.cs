using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.Platform.Net;

/// <summary>What receivers check, as Standard Webhooks says (standardwebhooks.com, 1.0): HMAC-SHA256 over <c>id.timestamp.body</c>, one signature for each live key.</summary>
public static class WebhookSignature
{
    private const string Prefix = "whsec_";

    public static string NewSecret() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <param name="id">The same however often it is sent.</param>
    public static IReadOnlyList<(string Name, string Value)> Headers(IReadOnlyList<string> secrets, string id, DateTimeOffset now, ReadOnlySpan<byte> body)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        return [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", string.Join(' ', secrets.Select(s => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(s[Prefix.Length..]), signed)))))];
    }
}
