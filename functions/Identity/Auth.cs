using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>POST /v3/auth/tokens: who asks, and for what scope. Every failure of proof is the same 401.</summary>
public static class Auth
{
    public static async ValueTask<Reply> Issue(Call c)
    {
        var auth = c.Body("auth");
        var proof = await Proofs.Of(c, auth);
        return await Give(c, proof, () => ScopeOf(c, auth, proof));
    }

    /// <summary>A token for whoever has proved who he is, unless that is not yet enough.</summary>
    internal static async ValueTask<Reply> Give(Call c, Proof proof, Func<ValueTask<(char Kind, string Id)>> wantedScope)
    {
        if (Receipts.StillWanted(proof) is { } wanted) return await Receipts.Answer(c, proof, wanted);
        var (kind, scope) = await wantedScope();
        var (token, caller) = await Sign(c, proof, kind, scope);
        var body = await TokenBody.Of(c, caller, c.First("nocatalog") is null);
        return Reply.Of(201, body).With("X-Subject-Token", token).With("Vary", "X-Auth-Token");
    }

    /// <summary>The token itself, and who its holder is.</summary>
    /// <exception cref="Fault">401 when he has nothing to do there.</exception>
    internal static async ValueTask<(string Token, Caller Caller)> Sign(Call c, Proof proof, char kind, string scope)
    {
        var expires = Tokens.DefaultExpiry(c.Now);
        var trusted = kind == 't' ? (await Directory.Get(c, Trusts.Rows, scope))?.ExpiresAt : null;
        foreach (var end in (DateTimeOffset?[])[proof.Old?.ExpiresAt, proof.Credential?.ExpiresAt, proof.Access?.ExpiresAt, trusted])
            if (end < expires) expires = end.Value;
        var claims = Claims(proof.User, kind, scope, c.Now, expires, proof.Methods, proof.Credential?.Id ?? "") with { Origin = proof.Origin };
        if (await Callers.Of(c.Store, claims) is not { } caller || kind == 't' && !await Trusts.Use(c, scope)) throw Proofs.Denied();
        return (await TokensOf(c).Issue(claims), caller);
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

    /// <summary>What a new token says.</summary>
    internal static TokenClaims Claims(User user, char kind, string scope, DateTimeOffset from, DateTimeOffset until, string methods, string credential)
    {
        var audit = System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(9));
        return new(user.Id, kind, scope, Whole(from), Whole(until), methods, audit, credential, user.Era);
    }

    public static Tokens TokensOf(Call c) => (Tokens)c.Services.Tokens;

    /// <summary>What would outlive or exceed the caller's token is not made with one that was itself lent.</summary>
    /// <exception cref="Fault">403.</exception>
    public static void Unrestricted(Call c)
    {
        if (c.Caller.Restricted) throw new Fault(403, "Tokens of trusts, of OAuth and of restricted application credentials can't manage credentials and trusts.");
    }

    private static async ValueTask<Caller> Subject(Call c)
    {
        var token = c.Header("X-Subject-Token") ?? throw Fault.BadRequest("The X-Subject-Token header is missing.");
        var caller = await c.Services.Tokens.Verify(token, c.Cancelled) ?? throw new Fault(404, "Could not recognize the token.");
        c.Require(c.Route.Policy, new(null, caller.UserId));
        return caller;
    }

    private static async ValueTask<(char, string)> ScopeOf(Call c, JsonElement auth, Proof proof)
    {
        if (proof.Credential is { } credential) return ('p', credential.Scope);
        if (proof.Access is { } access) return ('o', access.Id);
        if (!auth.TryGetProperty("scope", out var scope))
            return proof.User.DefaultProjectId is { Length: > 0 } p && (await Grants.Effective(c.Store, proof.User.Id, 'p', p)).Count > 0 ? ('p', p) : ('u', "");
        if (scope.ValueKind == JsonValueKind.String && scope.GetString() == "unscoped") return ('u', "");
        if (scope.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("Invalid input for field 'scope'.");
        if (scope.TryGetProperty("unscoped", out _)) return ('u', "");
        if (scope.TryGetProperty("OS-TRUST:trust", out _)) return ('t', Proofs.Text(Proofs.Object(scope, "OS-TRUST:trust"), "id") ?? throw Fault.BadRequest("Invalid input for field 'OS-TRUST:trust': 'id' is required."));
        if (scope.TryGetProperty("system", out var system))
            return system.ValueKind == JsonValueKind.Object && system.TryGetProperty("all", out var all) && all.ValueKind == JsonValueKind.True ? ('s', "all") : throw Fault.BadRequest("Invalid input for field 'system': it must be {\"all\": true}.");
        if (scope.TryGetProperty("domain", out _)) return ('d', await Proofs.DomainOf(c, scope) ?? throw Proofs.Denied());
        var project = Proofs.Object(scope, "project");
        if (Proofs.Text(project, "id") is { } id) return ('p', id);
        var name = Proofs.Text(project, "name") ?? throw Fault.BadRequest("Invalid input for field 'project': 'id' or 'name' is required.");
        return await Proofs.DomainOf(c, project) is { } domain && await Directory.ProjectNamed(c.Store, domain, name) is { } found ? ('p', found.Id) : throw Proofs.Denied();
    }

    private static DateTimeOffset Whole(DateTimeOffset t) => DateTimeOffset.FromUnixTimeSeconds(t.ToUnixTimeSeconds());
}
