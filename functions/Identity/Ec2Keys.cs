using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>OS-EC2: a user's access and secret keys for one project, kept as credentials of the type ec2.</summary>
public static class Ec2Keys
{
    private const string Path = "/v3/users/{user_id}/credentials/OS-EC2";

    /// <summary>What the credential's blob holds.</summary>
    private sealed record Keys(string Access, string Secret)
    {
        public override string ToString() => Access;
    }

    public static readonly Route[] Routes =
    [
        new("GET", Path, "identity:ec2_list_credentials", async c =>
        {
            var all = (await Credentials.Rows.InProject(c.Store, "")).Where(x => x.Type == "ec2" && x.UserId == c.Args["user_id"]).ToList();
            return Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WriteStartArray("credentials");
                foreach (var x in all) Write(w, c, x);
                w.WriteEndArray();
                IdentityDialect.Value.Links(w, c, new("credentials", 0, false, null, null));
                w.WriteEndObject();
            });
        }),
        new("POST", Path, "identity:ec2_create_credential", async c =>
        {
            Auth.Unrestricted(c);
            var user = (await Users.Kind.Load(c, c.Route.Policy, c.Args["user_id"])).Item;
            if (c.Json.ValueKind != JsonValueKind.Object || !c.Json.TryGetProperty("tenant_id", out var tenant) || tenant.ValueKind != JsonValueKind.String) throw Fault.BadRequest("Invalid input: 'tenant_id' is a required property.");
            // Whether there is such a project is not told: keys open none that their user may not enter when he uses them.
            var keys = new Keys(RandomNumberGenerator.GetHexString(32, lowercase: true), RandomNumberGenerator.GetHexString(32, lowercase: true));
            var item = new Credential
            {
                Id = Credentials.IdOf(keys.Access), Type = "ec2", UserId = user.Id, Project = tenant.GetString(), MadeBy = c.Caller.AppCredentialId, CreatedAt = c.Now,
                Blob = JsonSerializer.Serialize(keys, JsonSerializerOptions.Web),
            };
            return One(c, 201, await Credentials.Rows.Save(c.Services, item, null, Change.By(c)));
        }),
        new Route("GET", Path + "/{access}", "identity:ec2_get_credential", async c => One(c, 200, (await Own(c)).Item)).Told(Known),
        (new Route("DELETE", Path + "/{access}", "identity:ec2_delete_credential", async c =>
        {
            Auth.Unrestricted(c);
            await Credentials.Rows.Remove(c.Services, await Own(c), Change.By(c));
            return Reply.Empty(204);
        })
        { Seen = async c => { if (c.Allows("identity:ec2_get_credential", default)) await Own(c); } }).Told(Known), // as of domains
    ];

    /// <summary>Who signs with a key, in the key's project and with no more rights than its maker had.</summary>
    public static async ValueTask<(Caller Caller, string Secret)?> Holder(Platform.Services s, string access) =>
        await Find(s, access) is { } key && await Callers.Of(s.Store, key.Claims) is { } caller ? (caller, key.Secret) : null;

    /// <summary>What a token of a key's holder says. Null for an unknown key.</summary>
    internal static async ValueTask<(TokenClaims Claims, string Secret)?> Find(Platform.Services s, string access)
    {
        if ((await Credentials.Rows.Get(s.Store, "", Credentials.IdOf(access)))?.Item is not { Type: "ec2", Project: { } project } x || (await Directory.Users.Get(s.Store, "", x.UserId))?.Item is not { } user) return null;
        return (Auth.Claims(user, 'p', project, s.Now, Tokens.DefaultExpiry(s.Now), "ec2credential", x.MadeBy ?? ""), Read(x).Secret);
    }

    private static Keys Read(Credential x) => JsonSerializer.Deserialize<Keys>(x.Blob, JsonSerializerOptions.Web)!;

    private static async ValueTask Known(Call c)
    {
        if (await Credentials.Rows.Get(c.Store, "", Credentials.IdOf(c.Args["access"])) is not { Item.Type: "ec2" } x) throw Fault.NotFound("credential", c.Args["access"]);
        c.Require(c.Route.Policy, new(null, x.Item.UserId));
    }

    // As in Keystone, a path that names another user is no obstacle for whoever has the right over both.
    private static async ValueTask<Loaded<Credential>> Own(Call c) =>
        await Credentials.Rows.Get(c.Store, "", Credentials.IdOf(c.Args["access"])) is { Item.Type: "ec2" } x && (x.Item.UserId == c.Args["user_id"] || c.Allows(c.Route.Policy, new(null, x.Item.UserId))) ? x : throw Fault.NotFound("credential", c.Args["access"]);

    private static Reply One(Call c, int status, Credential x) => Reply.Of(status, w =>
    {
        w.WriteStartObject();
        w.WritePropertyName("credential");
        Write(w, c, x);
        w.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter w, Call c, Credential x)
    {
        var keys = Read(x);
        w.WriteStartObject();
        w.WriteString("user_id", x.UserId);
        w.WriteString("tenant_id", x.Project);
        w.WriteString("access", keys.Access);
        w.WriteString("secret", keys.Secret);
        w.WriteNull("trust_id");
        IdentityDialect.SelfLink(w, c, $"users/{x.UserId}/credentials/OS-EC2", keys.Access);
        w.WriteEndObject();
    }
}
