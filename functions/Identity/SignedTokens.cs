using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>
/// POST /v3/ec2tokens and /v3/s3tokens: a service shows what a user has signed with his EC2 keys and gets that user's token. Only services may:
/// a signature seen on its way, in a link that was passed on, must not be worth more than the request it is for.
/// </summary>
public static class SignedTokens
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(15);
    private static readonly JsonSerializerOptions Json = new(Dialect.Strict) { UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip };

    private sealed record S3Request
    {
        public string Access { get; init; } = "";
        /// <summary>The string to sign, in base64.</summary>
        public string Token { get; init; } = "";
        public string Signature { get; init; } = "";

        public override string ToString() => Access;
    }

    public static readonly Route[] Routes =
    [
        new("POST", "/v3/ec2tokens", "identity:validate_signature", Ec2), new("POST", "/v3/s3tokens", "identity:validate_signature", S3),
    ];

    private static async ValueTask<Reply> Ec2(Call c)
    {
        var request = Read<SignedRequest>(c);
        if (Time(request) is { } time && (c.Now - time).Duration() > Fresh) throw new Fault(401, "Credential is expired");
        // Some clients leave the port out of what they sign.
        var plain = request with { Host = request.Host.Split(':')[0] };
        return await Answer(c, request.Access, secret => Same(AwsSignature.Of(request, secret), request.Signature) || Same(AwsSignature.Of(plain, secret), request.Signature), token: true);
    }

    private static ValueTask<Reply> S3(Call c)
    {
        var request = Read<S3Request>(c);
        string text;
        try { text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(request.Token.TrimEnd('='))); }
        catch (FormatException) { throw Fault.BadRequest("Invalid input for field 'token': it must be in base64."); }
        return Answer(c, request.Access, secret => Same(text.StartsWith("AWS4", StringComparison.Ordinal) ? AwsSignature.V4(text, secret) : AwsSignature.S3(text, secret), request.Signature), token: false);
    }

    private static async ValueTask<Reply> Answer(Call c, string access, Func<string, bool> matches, bool token)
    {
        if (await Ec2Keys.Find(c.Services, access) is not var (claims, secret) || !matches(secret) || await Callers.Of(c.Store, claims) is not { } caller) throw Proofs.Denied();
        var reply = Reply.Of(200, await TokenBody.Of(c, caller, catalog: true));
        return token ? reply.With("X-Subject-Token", await Auth.TokensOf(c).Issue(claims)) : reply;
    }

    private static T Read<T>(Call c)
    {
        foreach (var name in (string[])["credentials", "credential", "ec2Credentials"])
            if (c.Json.ValueKind == JsonValueKind.Object && c.Json.TryGetProperty(name, out var body) && body.ValueKind == JsonValueKind.Object)
                try { return body.Deserialize<T>(Json)!; }
                catch (JsonException) { throw Fault.BadRequest($"Invalid input for field '{name}'."); }
        throw Fault.BadRequest("Invalid input: 'credentials' is a required property.");
    }

    // None at all is the signer's choice.
    private static DateTimeOffset? Time(SignedRequest r)
    {
        var text = r.Params.GetValueOrDefault("Timestamp") ?? r.Headers.GetValueOrDefault("X-Amz-Date") ?? r.Params.GetValueOrDefault("X-Amz-Date");
        if (text is null) return null;
        return DateTimeOffset.TryParseExact(text, ["yyyyMMdd'T'HHmmss'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time : throw new Fault(401, "Credential timestamp is invalid");
    }

    private static bool Same(string? made, string given) => made is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(made), Encoding.UTF8.GetBytes(given));
}
