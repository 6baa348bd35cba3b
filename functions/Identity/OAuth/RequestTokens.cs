using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>A consumer's wish to act for somebody on a project, and what its user says to that.</summary>
public sealed record RequestToken : Resource
{
    [Secret] public string Secret { get; init; } = "";
    public string ConsumerId { get; init; } = "";
    public string Project { get; init; } = "";
    public DateTimeOffset ExpiresAt { get; init; }
    /// <summary>What its user tells the consumer; null before he has agreed.</summary>
    [Secret] public string? Verifier { get; init; }
    public string UserId { get; init; } = "";
    public string[] RoleIds { get; init; } = [];
}

/// <summary>https://docs.openstack.org/api-ref/identity/v3-ext/#os-oauth1-api: from a consumer's wish to its access token.</summary>
public static class RequestTokens
{
    public static readonly Rows<RequestToken> Rows = new("request_token", "identity") { Global = true, Publishes = false };

    private static readonly TimeSpan Life = TimeSpan.FromHours(8);

    public static readonly Route[] Routes =
    [
        new("POST", "/v3/OS-OAUTH1/request_token", Policy.Anyone, Ask), new("PUT", "/v3/OS-OAUTH1/authorize/{id}", "identity:authorize_request_token", Agree), new("POST", "/v3/OS-OAUTH1/access_token", Policy.Anyone, Exchange),
    ];

    private static async ValueTask<Reply> Ask(Call c)
    {
        var signed = OAuthSigned.Read(c);
        var project = c.Header("Requested-Project-Id") ?? throw Fault.BadRequest("The Requested-Project-Id header is missing.");
        var consumer = await Directory.Get(c, Consumers.Rows, signed["oauth_consumer_key"]) ?? throw Proofs.Denied();
        await signed.Verify(c, consumer.Secret, "");
        var wish = new RequestToken { Id = c.Services.Ids.Plain(), Secret = NewSecret(), ConsumerId = consumer.Id, Project = project, ExpiresAt = c.Now + Life, CreatedAt = c.Now };
        await Rows.Save(c.Services, wish, null, Change.By(c), ct: c.Cancelled);
        return Issued(wish.Id, wish.Secret, wish.ExpiresAt);
    }

    // Only he himself can lend his roles, with a token that isn't itself lent.
    private static async ValueTask<Reply> Agree(Call c)
    {
        if (c.Caller.AppCredentialId is not null || c.Caller.Restricted) throw new Fault(403, "Cannot authorize a request token with a token issued via delegation.");
        if (c.Json.ValueKind != JsonValueKind.Object || !c.Json.TryGetProperty("roles", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0) throw Fault.BadRequest("Invalid input: 'roles' must name at least one role.");
        if (await Rows.Get(c.Store, "", c.Args["id"], c.Cancelled) is not { } row) throw Fault.NotFound("request_token", c.Args["id"]);
        if (row.Item.ExpiresAt < c.Now) throw new Fault(401, "Request token is expired.");
        if (row.Item.Verifier is not null) throw Fault.Conflict("The request token is authorized already.");
        var held = await Grants.Effective(c.Store, c.Caller.UserId, 'p', row.Item.Project);
        var roles = list.EnumerateArray().Select(r => held.FirstOrDefault(h => Proofs.Text(r, "id") is { } id ? h.Id == id : h.Name == Proofs.Text(r, "name"))?.Id ?? throw new Fault(401, "The authorizing user does not have a role required."));
        var agreed = row.Item with { UserId = c.Caller.UserId, RoleIds = [.. roles.Distinct()], Verifier = RandomNumberGenerator.GetHexString(32, lowercase: true) };
        await Rows.Save(c.Services, agreed, row, Change.By(c), ct: c.Cancelled);
        return Reply.Object(200, w => w.Object("token", () => w.WriteString("oauth_verifier", agreed.Verifier)));
    }

    private static async ValueTask<Reply> Exchange(Call c)
    {
        var signed = OAuthSigned.Read(c);
        var consumer = await Directory.Get(c, Consumers.Rows, signed["oauth_consumer_key"]);
        var row = await Rows.Get(c.Store, "", signed["oauth_token"], c.Cancelled);
        var verifier = Encoding.UTF8.GetBytes(signed["oauth_verifier"]);
        if (consumer is null || row is not { Item: { Verifier: { } agreed } wish } || wish.ConsumerId != consumer.Id || wish.ExpiresAt < c.Now || !CryptographicOperations.FixedTimeEquals(verifier, Encoding.UTF8.GetBytes(agreed))) throw Proofs.Denied();
        await signed.Verify(c, consumer.Secret, wish.Secret);
        // Whoever removes the wish has its one token.
        try { await Rows.Remove(c.Services, row, Change.By(c), ct: c.Cancelled); }
        catch (ConflictException) { throw Proofs.Denied(); }
        var token = await AccessTokens.Make(c, wish, NewSecret());
        return Issued(token.Id, token.Secret, token.ExpiresAt);
    }

    /// <summary>Removes what nobody can use any more.</summary>
    public static async Task Sweep(Platform.Services s, CancellationToken ct)
    {
        foreach (var wish in (await Rows.InProject(s.Store, "", ct)).Where(w => w.ExpiresAt < s.Now))
            if (await Rows.Get(s.Store, "", wish.Id, ct) is { } row) await Rows.Remove(s, row, new("sweep", ""), ct: ct);
    }

    private static string NewSecret() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private static Reply Issued(string id, string secret, DateTimeOffset until) =>
        new() { Status = 201, ContentType = "application/x-www-form-urlencoded", Text = $"oauth_token={id}&oauth_token_secret={secret}&oauth_expires_at={IdentityDialect.Value.Time(until)}" };
}
