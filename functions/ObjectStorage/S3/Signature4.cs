using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>Amazon's signature, version 4, in a header or in the address (presigned), made with an EC2 key of Identity. It makes its holder the caller.</summary>
internal static class Signature4
{
    private const string Algorithm = "AWS4-HMAC-SHA256", Unsigned = "UNSIGNED-PAYLOAD", Streaming = "STREAMING-";
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(15), Longest = TimeSpan.FromDays(7);

    /// <summary>What a request says of its signature.</summary>
    /// <param name="Scope">DATE/REGION/s3/aws4_request.</param>
    private sealed record Said(string Access, string Scope, string[] Headers, string Signature, string Date, TimeSpan Life, string Payload)
    {
        public override string ToString() => Access;
    }

    /// <summary>Whether a request is signed so.</summary>
    public static bool Is(Request r) => r.Header("Authorization")?.StartsWith(Algorithm + " ", StringComparison.Ordinal) == true || r.Query.Any(q => q.Item1 == "X-Amz-Signature");

    /// <exception cref="Fault">400 or 403.</exception>
    public static async ValueTask Verify(Call c)
    {
        var said = c.First("X-Amz-Signature") is null ? InHeader(c) : InAddress(c);
        if (!DateTimeOffset.TryParseExact(said.Date, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) || !said.Scope.StartsWith(said.Date[..8], StringComparison.Ordinal)) throw Denied("AWS authentication requires a valid Date or x-amz-date header");
        if (c.Now < date - Skew || c.Now > date + said.Life) throw new Fault(403, "The difference between the request time and the current time is too large, or the address has expired.") { Kind = "RequestTimeTooSkewed" };
        if (await Identity.Facade.OfAccessKey(c.Services, said.Access) is not var (caller, secret) || caller.AccessRules is not null) throw new Fault(403, "The AWS Access Key Id you provided does not exist in our records.") { Kind = "InvalidAccessKeyId" };
        var key = Identity.Facade.SigningKey(secret, said.Scope);
        var signature = Sign(key, $"{Algorithm}\n{said.Date}\n{said.Scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(Canonical(c, said))))}");
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature), Encoding.UTF8.GetBytes(said.Signature)))
            throw new Fault(403, "The request signature we calculated does not match the signature you provided.") { Kind = "SignatureDoesNotMatch" };
        c.User = caller;
        c.Stream = said.Payload.StartsWith(Streaming, StringComparison.Ordinal) ? new ChunkedBody(c.Stream!, Chain(said, key, signature))
            : said.Payload == Unsigned ? c.Stream : new HashedBody(c.Stream!, said.Payload);
    }

    private static Said InHeader(Call c)
    {
        if (c.Header("Authorization") is not { } text || !text.StartsWith(Algorithm + " ", StringComparison.Ordinal)) throw Denied("Access Denied.");
        var parts = text[Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries).Select(p => p.Split('=', 2)).Where(p => p.Length == 2).GroupBy(p => p[0]).ToDictionary(p => p.Key, p => p.First()[1]);
        string Part(string name) => parts.GetValueOrDefault(name) ?? throw Denied($"The authorization header lacks {name}.");
        var (access, scope) = Credential(Part("Credential"));
        return new(access, scope, Part("SignedHeaders").Split(';'), Part("Signature"), c.Header("x-amz-date") ?? "", Skew, c.Header("x-amz-content-sha256") ?? throw Fault.BadRequest("Missing required header for this request: x-amz-content-sha256"));
    }

    private static Said InAddress(Call c)
    {
        string Part(string name) => c.First("X-Amz-" + name) ?? throw Denied($"The address lacks X-Amz-{name}.");
        if (Part("Algorithm") != Algorithm || !int.TryParse(Part("Expires"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || TimeSpan.FromSeconds(seconds) > Longest) throw Denied("X-Amz-Expires must be a number of seconds, less than a week.");
        var (access, scope) = Credential(Part("Credential"));
        return new(access, scope, Part("SignedHeaders").Split(';'), Part("Signature"), Part("Date"), TimeSpan.FromSeconds(seconds), Unsigned);
    }

    private static (string Access, string Scope) Credential(string text) =>
        text.Split('/') is [var access, var date, var region, "s3", "aws4_request"] ? (access, $"{date}/{region}/s3/aws4_request") : throw Denied("The credential is mal-formed; expecting ACCESS-KEY/DATE/REGION/s3/aws4_request.");

    private static string Canonical(Call c, Said said)
    {
        var query = c.Query.Where(q => q.Key != "X-Amz-Signature").Select(q => (Key: Uri.EscapeDataString(q.Key), Value: Uri.EscapeDataString(q.Value))).OrderBy(q => q.Key, StringComparer.Ordinal).ThenBy(q => q.Value, StringComparer.Ordinal);
        var text = new StringBuilder().Append(c.Method).Append('\n').Append(Place.Escape(Place.Decode(new Uri(c.BaseUrl).AbsolutePath.TrimEnd('/') + c.Path))).Append('\n').AppendJoin('&', query.Select(q => $"{q.Key}={q.Value}")).Append('\n');
        foreach (var name in said.Headers) text.Append(name).Append(':').AppendJoin(' ', (c.Header(name) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Append('\n');
        return text.Append('\n').AppendJoin(';', said.Headers).Append('\n').Append(said.Payload).ToString();
    }

    /// <summary>Signatures of a body's chunks: each signs the one before it too. Null when chunks carry none.</summary>
    private static Func<byte[], string>? Chain(Said said, byte[] key, string seed)
    {
        if (!said.Payload.StartsWith(Streaming + Algorithm, StringComparison.Ordinal)) return null;
        var last = seed;
        return hash => last = Sign(key, $"{Algorithm}-PAYLOAD\n{said.Date}\n{said.Scope}\n{last}\n{Hex(SHA256.HashData([]))}\n{Hex(hash)}");
    }

    private static string Sign(byte[] key, string text) => Hex(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
    private static Fault Denied(string why) => new(403, why) { Kind = "AccessDenied" };
}
