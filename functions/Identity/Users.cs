using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#users</summary>
public static class Users
{
    public static readonly Kind<User> Kind = new(Directory.Users, "users", "/v3/users", IdentityDialect.Value)
    {
        Sees = "identity:get_user",
        TargetOf = u => new(null, u.Id, u.DomainId),
        Check = async (c, d) =>
        {
            var item = d.Item;
            if (d.Old is null) item = item with { DomainId = await Directory.DomainFor(c, item.DomainId, "identity:create_user") };
            item = item with { Options = Options.Merge(d.Old?.Options, item.Options, Options.OfUsers) };
            if (item.Password is { } password) item = await NewPasswords.Set(c, item, password, own: false);
            if (d.Old is { Enabled: true } && !item.Enabled) item = item with { Era = item.Era + 1 };
            d.Item = item;
            await FederatedUsers.Claim(c, d);
            await Directory.ClaimName(c, d, Directory.Users, Directory.NameOf(item.DomainId, item.Name), d.Old is null ? null : Directory.NameOf(d.Old.DomainId, d.Old.Name));
            Directory.ForgetsTokens(c, d);
        },
        CheckDelete = async (c, d) =>
        {
            var user = d.Item;
            foreach (var group in await Members.GroupsOf(c.Store, user.Id)) await Members.Remove(c.Store, group, user.Id);
            await Grants.RemoveWhere(c.Store, g => g.Actor == "u" + user.Id);
            await AppCredentials.RemoveOf(c, a => a.UserId == user.Id);
            await Trusts.RemoveOf(c, t => t.TrustorUserId == user.Id || t.TrusteeUserId == user.Id);
            await Credentials.RemoveOf(c, x => x.UserId == user.Id);
            await AccessTokens.RemoveOf(c, t => t.AuthorizingUserId == user.Id);
            await AccessRules.RemoveOf(c, user.Id);
            await Logins.Forget(c, user.Id);
            foreach (var key in FederatedUsers.KeysOf(user)) d.After.Add(() => Claims.Free(c.Store, FederatedUsers.Scope, key, user.Id));
            d.After.Add(() => Claims.Free(c.Store, "user", Directory.NameOf(user.DomainId, user.Name), user.Id));
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, u, _) => IdentityDialect.SelfLink(w, c, "users", u.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_users", where: FederatedUsers.Match), Kind.Create("identity:create_user"), Kind.Show("identity:get_user"), Kind.Update("identity:update_user"), Kind.Delete("identity:delete_user"),
        new("POST", "/v3/users/{user_id}/password", Policy.Anyone, ChangePassword), // the old password is the proof
        new("GET", "/v3/users/{user_id}/projects", "identity:list_user_projects", async c => await ProjectsOf(c, (await Kind.Load(c, c.Route.Policy, c.Args["user_id"])).Item.Id, null)),
        new("GET", "/v3/users/{user_id}/groups", "identity:list_groups_for_user", async c =>
        {
            var user = (await Kind.Load(c, c.Route.Policy, c.Args["user_id"])).Item;
            var groups = await Directory.Groups.GetMany(c.Store, "", await Members.GroupsOf(c.Store, user.Id), c.Cancelled);
            return Groups.Kind.PageFrom(c, groups.Where(g => Directory.IsInScope(c, g.DomainId)));
        }),
        new("GET", "/v3/auth/projects", "authenticated", ProjectsOfCaller),
        new("GET", "/v3/auth/domains", "authenticated", DomainsOfCaller),
        new("GET", "/v3/auth/system", "authenticated", SystemOfCaller),
    ];

    private static async ValueTask<Reply> ChangePassword(Call c)
    {
        var body = c.Body("user");
        string Text(string name) => body.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : throw Fault.BadRequest($"Invalid input: '{name}' is a required property.");
        var (old, password) = (Text("original_password"), Text("password"));
        if (password.Length is 0 or > 4096) throw Fault.BadRequest("Invalid input for field 'password'.");
        var user = await Directory.Users.Get(c.Store, "", c.Args["user_id"]);
        if (!await Logins.Check(c, user?.Item, old)) throw Proofs.Denied();
        if (Options.IsSet(user!.Item.Options, "lock_password")) throw Fault.BadRequest("The password of this user is locked.");
        await Directory.Users.Save(c.Services, await NewPasswords.Set(c, user.Item, password, own: true), user, Change.By(c), ct: c.Cancelled);
        Auth.TokensOf(c).Forget();
        return Reply.Empty(204);
    }

    private static async ValueTask<Reply> ProjectsOf(Call c, string userId, bool? enabled)
    {
        var all = await Directory.Projects.InProject(c.Store, "");
        var grants = await Grants.OfUser(c.Store, userId);
        var direct = grants.Where(g => g is { Kind: 'p', Inherited: false }).Select(g => g.ScopeId).ToHashSet();
        foreach (var g in grants.Where(g => g.Inherited))
            direct.UnionWith(g.Kind == 'p' ? Tree.Below(all, g.ScopeId).Select(p => p.Id) : all.Where(p => p.DomainId == g.ScopeId).Select(p => p.Id));
        return Projects.Kind.PageFrom(c, all.Where(p => direct.Contains(p.Id) && (enabled is null || p.Enabled)));
    }

    public static ValueTask<Reply> ProjectsOfCaller(Call c) => ProjectsOf(c, c.Caller.UserId, true);

    public static async ValueTask<Reply> DomainsOfCaller(Call c)
    {
        var domains = new List<Domain>();
        foreach (var id in (await Grants.OfUser(c.Store, c.Caller.UserId)).Where(g => g is { Kind: 'd', Inherited: false }).Select(g => g.ScopeId).Distinct())
            if (await Directory.Get(c, Directory.Domains, id) is { Enabled: true } d) domains.Add(d);
        return Domains.Kind.PageFrom(c, domains);
    }

    private static async ValueTask<Reply> SystemOfCaller(Call c)
    {
        var any = (await Grants.OfUser(c.Store, c.Caller.UserId)).Exists(g => g.Kind == 's');
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("system");
            if (any)
            {
                w.WriteStartObject();
                w.WriteBoolean("all", true);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            IdentityDialect.Value.Links(w, c, new("system", 0, false, null, null));
            w.WriteEndObject();
        });
    }
}
