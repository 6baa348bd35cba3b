using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Cloud.Tests.Kit;

/// <summary>An OpenID provider that signs whatever it is told.</summary>
internal sealed class OpenIdProvider(string issuer, string keyId = "k1") : IDisposable
{
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly RSA _key = RSA.Create(2048);

    public string Issuer => issuer;
    public string PublicKey => _key.ExportSubjectPublicKeyInfoPem();
    public string Discovery => JsonSerializer.Serialize(new { issuer, jwks_uri = issuer + "/keys", token_endpoint = issuer + "/token", grant_types_supported = new[] { "client_credentials", "password" } });

    public string Keys
    {
        get
        {
            var p = _key.ExportParameters(false);
            return JsonSerializer.Serialize(new { keys = new[] { new { kty = "RSA", use = "sig", kid = keyId, n = Base64UrlEncoder.Encode(p.Modulus), e = Base64UrlEncoder.Encode(p.Exponent) } } });
        }
    }

    /// <summary>The answer to a GET of this path; null for none.</summary>
    public string? Get(string path) => path switch { "/.well-known/openid-configuration" => Discovery, "/keys" => Keys, _ => null };

    /// <summary>Claims for an hour from <paramref name="now"/>, for the audience "cloud"; those given come on top.</summary>
    public string Token(DateTimeOffset now, string subject, params (string Name, object Value)[] more) => Sign(Claims(now, subject, more), new(new RsaSecurityKey(_key) { KeyId = keyId }, "RS256"));

    public static string Sign(string claims, SigningCredentials? by) => by is null ? Handler.CreateToken(claims) : Handler.CreateToken(claims, by);

    public string Claims(DateTimeOffset now, string subject, params (string Name, object Value)[] more)
    {
        var claims = new Dictionary<string, object> { ["iss"] = issuer, ["aud"] = "cloud", ["sub"] = subject, ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = now.AddHours(1).ToUnixTimeSeconds() };
        foreach (var (name, value) in more) claims[name] = value;
        return JsonSerializer.Serialize(claims);
    }

    public void Dispose() => _key.Dispose();
}

/// <summary>A cloud that knows OpenID providers.</summary>
internal static class Federating
{
    /// <summary>A copy of a cloud that has fetched nothing yet, in an internet in which these providers are.</summary>
    public static TestCloud Knowing(this TestCloud cloud, params OpenIdProvider[] providers)
    {
        for (var i = 0; i < providers.Length; i++)
        {
            var (provider, address) = (providers[i], $"8.8.4.{i + 1}");
            cloud.Internet.Name(new Uri(provider.Issuer).Host, address);
            cloud.Internet.Server(address + ":80", request => [System.Text.Encoding.ASCII.GetBytes(provider.Get(request.Split(' ')[1]) is { } body ? FakeInternet.Ok(body, "Connection: close\r\n") : "HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n")]);
        }
        return cloud.Copy(settings: cloud.Services.Settings with { OpenId = providers.ToDictionary(p => p.Issuer, _ => new OpenIdIssuer { Audience = ["cloud"] }) });
    }

    /// <summary>An identity provider with the protocol openid, whose people are who their claims sub and groups say; the id of its domain.</summary>
    public static async Task<string> Federate(this TestCloud cloud, string id, string issuer, object? rules = null, int? ttl = null)
    {
        rules ??= new[]
        {
            new { local = new object[] { new { user = new { name = "{0}" } } }, remote = new object[] { new { type = "OIDC-sub" } } },
            new { local = new object[] { new { groups = "{0}", domain = new { id = "default" } } }, remote = new object[] { new { type = "HTTP_OIDC_GROUPS" } } },
        };
        var made = await cloud.Send("PUT", "/identity/v3/OS-FEDERATION/identity_providers/" + id, new { identity_provider = new { enabled = true, remote_ids = new[] { issuer }, authorization_ttl = ttl } });
        await cloud.Send("PUT", $"/identity/v3/OS-FEDERATION/mappings/{id}-map", new { mapping = new { rules } });
        await cloud.Send("PUT", $"/identity/v3/OS-FEDERATION/identity_providers/{id}/protocols/openid", new { protocol = new { mapping_id = id + "-map" } });
        return made.Body.GetProperty("identity_provider").GetProperty("domain_id").GetString()!;
    }

    public static Task<Answer> Federated(this TestCloud cloud, string id, string token, string protocol = "openid") =>
        cloud.Raw("POST", $"/identity/v3/OS-FEDERATION/identity_providers/{id}/protocols/{protocol}/auth", null, null, ("Authorization", "Bearer " + token));

    /// <summary>A group of the default domain that has a role on a project; its id.</summary>
    public static async Task<string> Team(this TestCloud cloud, string name, string project, string role = "member")
    {
        var group = await cloud.Make("groups", "group", new { name });
        await cloud.Send("PUT", $"/identity/v3/projects/{project}/groups/{group}/roles/{await cloud.IdOf("roles", role)}");
        return group;
    }

    public static Task<Answer> Scope(this TestCloud cloud, Answer login, string project) =>
        cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = login.Token() } }, new { project = new { id = project } });
}
