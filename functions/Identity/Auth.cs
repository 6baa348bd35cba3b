using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>POST /v3/auth/tokens: who asks, and for what scope. Every failure of proof is the same 401.</summary>
public static class Auth
{
    private sealed record Proof(User User, string Methods, AppCredential? Credential = null, TokenClaims? Old = null);

    public static async ValueTask<Reply> Issue(Call c)
    {
        var auth = c.Body("auth");
        var proof = await Prove(c, auth);
        var (kind, scope) = await ScopeOf(c, auth, proof);
        var now = c.Now;
        var expires = Tokens.DefaultExpiry(now);
        if (proof.Old is { } old && old.ExpiresAt < expires) expires = old.ExpiresAt;
        if (proof.Credential?.ExpiresAt is { } end && end < expires) expires = end;
        if (kind == 't' && (await Directory.Get(c, Trusts.Rows, scope))?.ExpiresAt is { } until && until < expires) expires = until;
        var audit = System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(9));
        var claims = new TokenClaims(proof.User.Id, kind, scope, Whole(now), Whole(expires), proof.Methods, audit, proof.Credential?.Id ?? "", proof.User.Era);
        if (await Callers.Of(c.Store, claims) is not { } caller || kind == 't' && !await Trusts.Use(c, scope)) throw Denied();
        var token = await TokensOf(c).Issue(claims);
        var body = await TokenBody.Of(c, caller, c.First("nocatalog") is null);
        return Reply.Of(201, body).With("X-Subject-Token", token).With("Vary", "X-Auth-Token");
    }

    public static async ValueTask<Reply> Show(Call c)
    {
        var caller = await Subject(c);
        return Reply.Of(200, await TokenBody.Of(c, caller, c.First("nocatalog") is null)).With("X-Subject-Token", c.Header("X-Subject-Token")!).With("Vary", "X-Auth-Token");
    }

    public static async ValueTask<Reply> Revoke(Call c)
    {
        await Subject(c);
        if (await TokensOf(c).Read(c.Header("X-Subject-Token")!) is { } claims) await TokensOf(c).Revoke(claims);
        return Reply.Empty(204);
    }

    public static Tokens TokensOf(Call c) => (Tokens)c.Services.Tokens;

    /// <summary>What would outlive or exceed the caller's token is not made with one that was itself lent.</summary>
    /// <exception cref="Fault">403.</exception>
    public static void Unrestricted(Call c)
    {
        if (c.Caller.Restricted) throw new Fault(403, "Tokens of trusts and of restricted application credentials can't manage credentials and trusts.");
    }

    private static async ValueTask<Caller> Subject(Call c)
    {
        var token = c.Header("X-Subject-Token") ?? throw Fault.BadRequest("The X-Subject-Token header is missing.");
        var caller = await c.Services.Tokens.Verify(token, c.Cancelled) ?? throw new Fault(404, "Could not recognize the token.");
        if (caller.UserId != c.Caller.UserId) c.Require(c.Route.Policy, default);
        return caller;
    }

    private static async ValueTask<Proof> Prove(Call c, JsonElement auth)
    {
        var identity = Object(auth, "identity");
        if (!identity.TryGetProperty("methods", out var methods) || methods.ValueKind != JsonValueKind.Array || methods.GetArrayLength() == 0)
            throw Fault.BadRequest("Invalid input for field 'identity': 'methods' must name at least one method.");
        Proof? proof = null;
        foreach (var m in methods.EnumerateArray())
        {
            var name = m.ValueKind == JsonValueKind.String ? m.GetString()! : "";
            var part = name switch
            {
                "password" => await Password(c, Object(identity, "password")),
                "token" => await Rescope(c, Object(identity, "token")),
                "application_credential" => await Credential(c, Object(identity, "application_credential")),
                _ => throw new Fault(401, $"Attempted to authenticate with an unsupported method."),
            };
            if (proof is not null && proof.User.Id != part.User.Id) throw Denied();
            proof = proof is null ? part : part with { Methods = proof.Methods + "," + part.Methods, Old = part.Old ?? proof.Old };
        }
        return proof!;
    }

    private static async ValueTask<Proof> Password(Call c, JsonElement body)
    {
        var who = Object(body, "user");
        var user = await FindUser(c, who);
        var password = Text(who, "password") ?? "";
        // The hash is computed for strangers as well, so that time tells nothing.
        var right = await Passwords.Verify(password, user?.PasswordHash);
        return right && user is { Enabled: true } ? new(user, "password") : throw Denied();
    }

    private static async ValueTask<Proof> Rescope(Call c, JsonElement body)
    {
        var claims = Text(body, "id") is { } id ? await TokensOf(c).Read(id) : null;
        if (claims is null || await Callers.Of(c.Store, claims) is null) throw Denied();
        if (claims.AppCredentialId.Length > 0 || claims.Kind == 't') throw new Fault(403, "Tokens of application credentials and trusts can't be rescoped.");
        var user = (await Directory.Users.Get(c.Store, "", claims.UserId))!.Item;
        return new(user, claims.Methods.Contains("token", StringComparison.Ordinal) ? claims.Methods : claims.Methods + ",token", Old: claims);
    }

    private static async ValueTask<Proof> Credential(Call c, JsonElement body)
    {
        AppCredential? found = null;
        if (Text(body, "id") is { } id) found = (await AppCredentials.Rows.Get(c.Store, "", id))?.Item;
        else if (body.TryGetProperty("user", out var who) && who.ValueKind == JsonValueKind.Object && await FindUser(c, who) is { } owner && Text(body, "name") is { } name)
            found = await Claims.OwnerOf(c.Store, AppCredentials.Rows.Name, $"{owner.Id}:{name}") is { } at ? await Directory.Get(c, AppCredentials.Rows, at) : null;
        var given = Passwords.Fingerprint(Text(body, "secret") ?? "");
        if (found is null || !CryptographicOperations.FixedTimeEquals(Convert.FromHexString(given), Convert.FromHexString(found.SecretHash!)) || found.ExpiresAt < c.Now) throw Denied();
        return (await Directory.Users.Get(c.Store, "", found.UserId))?.Item is { Enabled: true } user ? new(user, "application_credential", found) : throw Denied();
    }

    private static async ValueTask<User?> FindUser(Call c, JsonElement who)
    {
        if (Text(who, "id") is { } id) return (await Directory.Users.Get(c.Store, "", id))?.Item;
        var name = Text(who, "name") ?? throw Fault.BadRequest("Invalid input for field 'user': 'id' or 'name' is required.");
        return await DomainOf(c, who) is { } domain ? await Directory.UserNamed(c.Store, domain, name) : null;
    }

    private static async ValueTask<string?> DomainOf(Call c, JsonElement body)
    {
        var d = Object(body, "domain");
        return Text(d, "id") ?? (Text(d, "name") is { } name ? (await Directory.DomainNamed(c.Store, name))?.Id : throw Fault.BadRequest("Invalid input for field 'domain': 'id' or 'name' is required."));
    }

    private static async ValueTask<(char, string)> ScopeOf(Call c, JsonElement auth, Proof proof)
    {
        if (proof.Credential is { } credential) return ('p', credential.Scope);
        if (!auth.TryGetProperty("scope", out var scope))
            return proof.User.DefaultProjectId is { Length: > 0 } p && (await Grants.Effective(c.Store, proof.User.Id, 'p', p)).Count > 0 ? ('p', p) : ('u', "");
        if (scope.ValueKind == JsonValueKind.String && scope.GetString() == "unscoped") return ('u', "");
        if (scope.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("Invalid input for field 'scope'.");
        if (scope.TryGetProperty("unscoped", out _)) return ('u', "");
        if (scope.TryGetProperty("OS-TRUST:trust", out _)) return ('t', Text(Object(scope, "OS-TRUST:trust"), "id") ?? throw Fault.BadRequest("Invalid input for field 'OS-TRUST:trust': 'id' is required."));
        if (scope.TryGetProperty("system", out var system))
            return system.ValueKind == JsonValueKind.Object && system.TryGetProperty("all", out var all) && all.ValueKind == JsonValueKind.True ? ('s', "all") : throw Fault.BadRequest("Invalid input for field 'system': it must be {\"all\": true}.");
        if (scope.TryGetProperty("domain", out _)) return ('d', await DomainOf(c, scope) ?? throw Denied());
        var project = Object(scope, "project");
        if (Text(project, "id") is { } id) return ('p', id);
        var name = Text(project, "name") ?? throw Fault.BadRequest("Invalid input for field 'project': 'id' or 'name' is required.");
        return await DomainOf(c, project) is { } domain && await Directory.ProjectNamed(c.Store, domain, name) is { } found ? ('p', found.Id) : throw Denied();
    }

    private static JsonElement Object(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Object ? v
            : throw Fault.BadRequest($"Expecting to find {name} in the request body; it must be an object.");

    private static string? Text(JsonElement parent, string name) => parent.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null;

    private static DateTimeOffset Whole(DateTimeOffset t) => DateTimeOffset.FromUnixTimeSeconds(t.ToUnixTimeSeconds());

    private static Fault Denied() => new(401, "The request you have made requires authentication.");
}
