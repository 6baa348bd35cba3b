using System.Text.Json;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Cloud.Identity;

/// <summary>Tokens that OpenID providers sign, as https://www.rfc-editor.org/rfc/rfc9068 and OpenID Connect Core have them.</summary>
internal static class OpenId
{
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = 16 * 1024 };
    // Those of two keys only: with one that is shared, whoever can check a token could also make one.
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>What a genuine token says that was made for this cloud by this provider.</summary>
    /// <exception cref="Fault">401 for any other.</exception>
    public static async ValueTask<Attributes> Read(Call c, IdentityProvider provider, string text)
    {
        if (!Handler.CanReadToken(text)) throw Proofs.Denied("it is no JWT");
        JsonWebToken token;
        try { token = Handler.ReadJsonWebToken(text); }
        catch (ArgumentException e) { throw Proofs.Denied($"it is no JWT: {e.GetType().Name}"); }
        if (!provider.RemoteIds.Contains(token.Issuer) || !c.Services.Settings.OpenId.TryGetValue(token.Issuer, out var issuer)) throw Proofs.Denied($"its issuer is not one of {provider.Id}, or not in the settings");
        IReadOnlyList<SecurityKey> keys;
        try { keys = await Auth.TokensOf(c).Issuers.KeysOf(c.Services.Outbound, token.Issuer, token.Kid, c.Cancelled); }
        catch (OutboundException e) { throw Proofs.Denied($"the keys of {token.Issuer} could not be had: {e.Message}"); }
        var result = await Handler.ValidateTokenAsync(text, new TokenValidationParameters
        {
            ValidIssuer = token.Issuer, ValidAudiences = issuer.Audience, IssuerSigningKeys = keys, ValidAlgorithms = Algorithms,
            LifetimeValidator = (from, until, _, _) => until > c.Now - Skew && (from is null || from < c.Now + Skew),
        });
        return result.IsValid ? new(Values(token)) : throw Proofs.Denied($"{result.Exception.GetType().Name}");
    }

    /// <summary>Each claim by its own name and by those that mappings know from Apache's module: OIDC-email, HTTP_OIDC_EMAIL. What is no text is left out.</summary>
    private static Dictionary<string, string[]> Values(JsonWebToken token)
    {
        using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload));
        var all = new Dictionary<string, string[]>();
        foreach (var claim in payload.RootElement.EnumerateObject())
        {
            // A text is one value, whatever is in it: people choose some of them.
            string[] values = [.. (claim.Value.ValueKind == JsonValueKind.Array ? claim.Value.EnumerateArray() : Enumerable.Repeat(claim.Value, 1)).Select(Text).OfType<string>()];
            foreach (var name in (string[])[claim.Name, "OIDC-" + claim.Name, "HTTP_OIDC_" + claim.Name.ToUpperInvariant().Replace('-', '_')]) all.TryAdd(name, values);
        }
        return all;
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };
}
