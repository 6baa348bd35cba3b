using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Some of a user's roles on a project, lent to a consumer.</summary>
public sealed record AccessToken : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field] public string ConsumerId { get; init; } = "";
    [Field(Wire = "project_id")] public string Project { get; init; } = "";
    [Field] public string AuthorizingUserId { get; init; } = "";
    [Field] public DateTimeOffset ExpiresAt { get; init; }
    [Secret] public string Secret { get; init; } = "";
    public string[] RoleIds { get; init; } = [];
}

/// <summary>https://docs.openstack.org/api-ref/identity/v3-ext/#list-access-tokens</summary>
public static class AccessTokens
{
    public static readonly Rows<AccessToken> Rows = new("access_token", "identity") { Global = true };

    private static readonly TimeSpan Life = TimeSpan.FromDays(1);

    private static readonly Kind<AccessToken> Kind = new(Rows, "access_tokens", "/v3/users/{user_id}/OS-OAUTH1/access_tokens", IdentityDialect.Value)
    {
        Sees = "identity:get_access_token",
        TargetOf = t => new(null, t.AuthorizingUserId),
        Within = (c, t) => t.AuthorizingUserId == c.Args["user_id"],
        CheckDelete = (c, d) =>
        {
            Auth.Unrestricted(c);
            Directory.ForgetsTokens(c, d);
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, t, _) => w.Object("links", () =>
        {
            var self = $"{c.BaseUrl}/v3/users/{t.AuthorizingUserId}/OS-OAUTH1/access_tokens/{t.Id}";
            w.WriteString("self", self);
            w.WriteString("roles", self + "/roles");
        }),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_access_tokens"), Kind.Show("identity:get_access_token"), Kind.Delete("identity:delete_access_token"),
        new("GET", Kind.Path + "/{id}/roles", "identity:list_access_token_roles", async c => await Roles.Kind.PageFrom(c, (await Kind.Load(c, c.Route.Policy)).Item.RoleIds)),
        new("GET", Kind.Path + "/{id}/roles/{role}", "identity:get_access_token_role", async c => await Roles.OneOf(c, (await Kind.Load(c, c.Route.Policy)).Item.RoleIds)),
    ];

    internal static ValueTask<AccessToken> Make(Call c, RequestToken wish, string secret) => Rows.Save(c.Services, new()
    {
        Id = c.Services.Ids.Plain(), Secret = secret, ConsumerId = wish.ConsumerId, Project = wish.Project, AuthorizingUserId = wish.UserId, RoleIds = wish.RoleIds, ExpiresAt = c.Now + Life, CreatedAt = c.Now,
    }, null, Change.By(c), ct: c.Cancelled);

    /// <summary>Who signs with one: its user, with no more than was lent.</summary>
    internal static async ValueTask<Proof> Proven(Call c)
    {
        var signed = OAuthSigned.Read(c);
        if (await Directory.Get(c, Consumers.Rows, signed["oauth_consumer_key"]) is not { } consumer || await Directory.Get(c, Rows, signed["oauth_token"]) is not { } token || token.ConsumerId != consumer.Id || token.ExpiresAt < c.Now) throw Proofs.Denied();
        await signed.Verify(c, consumer.Secret, token.Secret);
        return await Directory.Get(c, Directory.Users, token.AuthorizingUserId) is { } user ? new(user, "oauth1", Access: token) : throw Proofs.Denied();
    }

    /// <summary>Those of a user, a project or a consumer that ends.</summary>
    public static async ValueTask RemoveOf(Call c, Func<AccessToken, bool> gone)
    {
        foreach (var t in (await Rows.InProject(c.Store, "")).Where(gone))
            if (await Rows.Get(c.Store, "", t.Id) is { } row) await Rows.Remove(c.Services, row, Change.By(c));
    }
}
