using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.Identity;

/// <summary>A request as EC2's clients sign it, and the service they sent it to passes on.</summary>
public sealed record SignedRequest
{
    public string Access { get; init; } = "";
    public string Signature { get; init; } = "";
    public string Host { get; init; } = "";
    public string Verb { get; init; } = "";
    public string Path { get; init; } = "";
    public Dictionary<string, string> Params { get; init; } = [];
    public Dictionary<string, string> Headers { get; init; } = [];
    /// <summary>SHA-256 of the body, in hex.</summary>
    public string BodyHash { get; init; } = "";

    public override string ToString() => Access;
}

/// <summary>AWS signatures with a secret key. Null where there is nothing that could be signed.</summary>
public static class AwsSignature
{
    private const string Version4 = "AWS4-HMAC-SHA256";

    /// <summary>S3's first form: of the string to sign, in base64.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "the form says so")]
    public static string S3(string toSign, string secret) => Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(toSign)));

    /// <summary>Version 4, in hex. The string to sign says on its third line for which day, region and service the key is.</summary>
    public static string? V4(string toSign, string secret)
    {
        if (toSign.Split('\n') is not [Version4, _, var scope, _] || scope.Split('/') is not [_, _, _, "aws4_request"]) return null;
        return Convert.ToHexStringLower(HMACSHA256.HashData(Key(secret, scope), Encoding.UTF8.GetBytes(toSign)));
    }

    /// <summary>Version 4's key: the secret, bound to each part of the scope in turn.</summary>
    internal static byte[] Key(string secret, string scope) =>
        scope.Split('/').Aggregate(Encoding.UTF8.GetBytes("AWS4" + secret), (key, part) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part)));

    /// <summary>Version 2 or 4 of a whole request, by what it says of itself.</summary>
    public static string? Of(SignedRequest r, string secret) => r.Params.GetValueOrDefault("SignatureVersion") switch
    {
        "2" => Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{r.Verb}\n{r.Host}\n{r.Path}\n{Query(r.Params, "Signature")}"))),
        null => ToSign(r) is { } text ? V4(text, secret) : null,
        _ => null,
    };

    private static string? ToSign(SignedRequest r)
    {
        var headers = r.Headers.ToDictionary(h => h.Key.Trim(), h => h.Value.Trim(), StringComparer.OrdinalIgnoreCase);
        var authorization = headers.GetValueOrDefault("Authorization");
        if (authorization is null ? r.Params.GetValueOrDefault("X-Amz-Algorithm") != Version4 : !authorization.StartsWith(Version4, StringComparison.Ordinal)) return null;
        // Credential=KEY/SCOPE, SignedHeaders=a;b, Signature=... in a header, or each a parameter.
        string? Said(string name) => authorization is null ? r.Params.GetValueOrDefault("X-Amz-" + name)
            : authorization[Version4.Length..].Split(',', StringSplitOptions.TrimEntries).FirstOrDefault(p => p.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
        if (Said("Credential")?.Split('/', 2) is not [_, var scope] || Said("SignedHeaders") is not { } signed || (headers.GetValueOrDefault("X-Amz-Date") ?? r.Params.GetValueOrDefault("X-Amz-Date")) is not { } date) return null;
        if (!date.StartsWith(scope.Split('/')[0], StringComparison.Ordinal)) return null;
        var lines = signed.Split(';').Where(headers.ContainsKey).Select(h => $"{h}:{headers[h]}\n");
        var verb = r.Verb.ToUpperInvariant();
        var canonical = $"{verb}\n{r.Path}\n{(verb == "POST" ? "" : Query(r.Params, "X-Amz-Signature"))}\n{string.Concat(lines)}\n{signed}\n{r.BodyHash}";
        return $"{Version4}\n{date}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
    }

    private static string Query(Dictionary<string, string> parameters, string without) =>
        string.Join('&', parameters.Where(p => p.Key != without).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));
}
