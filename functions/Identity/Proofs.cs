using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Who somebody has proved to be.</summary>
/// <param name="Methods">By which methods, those of a token or receipt that he had before included; commas between them.</param>
/// <param name="Credential">The application credential that he used.</param>
/// <param name="Old">What the token says that he used.</param>
/// <param name="Access">The access token that he has lent to whoever comes for him.</param>
/// <param name="Origin">The identity provider and protocol that vouch for him, as <see cref="Protocols.KeyOf"/> has them; empty for none.</param>
internal sealed record Proof(User User, string Methods, AppCredential? Credential = null, TokenClaims? Old = null, string Origin = "", AccessToken? Access = null);

/// <summary>The methods by which somebody proves who he is. Every failure is the same 401, but a token that is none, which isn't there.</summary>
internal static class Proofs
{
    /// <summary>What <see cref="Of"/> understands.</summary>
    public static readonly IReadOnlyList<string> Methods = ["password", "token", "application_credential", "totp", "oauth1"];

    /// <exception cref="Fault">401, or 400 for a body without sense.</exception>
    public static async ValueTask<Proof> Of(Call c, JsonElement auth)
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
                "oauth1" => await AccessTokens.Proven(c),
                "totp" => await Passcode(c, Object(identity, "totp")),
                _ => throw new Fault(401, "Attempted to authenticate with an unsupported method."),
            };
            if (proof is not null && proof.User.Id != part.User.Id) throw Denied();
            proof = proof is null ? part : part with { Methods = proof.Methods + "," + part.Methods, Old = part.Old ?? proof.Old, Origin = part.Origin.Length > 0 ? part.Origin : proof.Origin, Access = part.Access ?? proof.Access };
        }
        return await Receipts.Add(c, proof!);
    }

    private static async ValueTask<Proof> Password(Call c, JsonElement body)
    {
        var who = Object(body, "user");
        var user = await FindUser(c, who);
        var password = Text(who, "password") ?? "";
        if (!await Logins.Check(c, user, password)) throw Denied();
        return NewPasswords.IsExpired(user!, c.Now) ? throw new Fault(401, $"The password is expired and needs to be changed for user: {user!.Id}.") : new(user!, "password");
    }

    private static async ValueTask<Proof> Passcode(Call c, JsonElement body)
    {
        var who = Object(body, "user");
        var user = await FindUser(c, who);
        return user is not null && await Totp.Use(c, user, Text(who, "passcode") ?? "") ? new(user, "totp") : throw Denied();
    }

    private static async ValueTask<Proof> Rescope(Call c, JsonElement body)
    {
        var claims = Text(body, "id") is { } id ? await Auth.TokensOf(c).Read(id) : null;
        if (claims is null || await Callers.Of(c.Store, claims) is null) throw new Fault(404, "Could not recognize the token.");
        if (claims.AppCredentialId.Length > 0 || claims.Kind is 't' or 'o') throw new Fault(403, "Tokens of application credentials, trusts and OAuth can't be rescoped.");
        var user = (await Directory.Users.Get(c.Store, "", claims.UserId))!.Item;
        return new(user, claims.Methods.Contains("token", StringComparison.Ordinal) ? claims.Methods : claims.Methods + ",token", Old: claims, Origin: claims.Origin);
    }

    private static async ValueTask<Proof> Credential(Call c, JsonElement body)
    {
        AppCredential? found = null;
        if (Text(body, "id") is { } id) found = (await AppCredentials.Rows.Get(c.Store, "", id))?.Item;
        else if (body.TryGetProperty("user", out var who) && who.ValueKind == JsonValueKind.Object && await FindUser(c, who) is { } owner && Text(body, "name") is { } name)
            found = await Claims.OwnerOf(c.Store, AppCredentials.Rows.Name, $"{owner.Id}:{name}") is { } at ? await Directory.Get(c, AppCredentials.Rows, at) : null;
        return await AppCredentials.Holder(c.Store, found, Text(body, "secret") ?? "", c.Now) is var (credential, user) ? new(user, "application_credential", credential) : throw Denied();
    }

    private static async ValueTask<User?> FindUser(Call c, JsonElement who)
    {
        if (Text(who, "id") is { } id) return (await Directory.Users.Get(c.Store, "", id))?.Item;
        var name = Text(who, "name") ?? throw Fault.BadRequest("Invalid input for field 'user': 'id' or 'name' is required.");
        return await DomainOf(c, who) is { } domain ? await Directory.UserNamed(c.Store, domain, name) : null;
    }

    /// <summary>The domain that a body names, by id or by name.</summary>
    public static async ValueTask<string?> DomainOf(Call c, JsonElement body)
    {
        var d = Object(body, "domain");
        return Text(d, "id") ?? (Text(d, "name") is { } name ? (await Directory.DomainNamed(c.Store, name))?.Id : throw Fault.BadRequest("Invalid input for field 'domain': 'id' or 'name' is required."));
    }

    public static JsonElement Object(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Object ? v
            : throw Fault.BadRequest($"Expecting to find {name} in the request body; it must be an object.");

    public static string? Text(JsonElement parent, string name) => parent.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null;

    /// <param name="why">For the log.</param>
    public static Fault Denied(string? why = null) => new(401, "The request you have made requires authentication.", why);
}
