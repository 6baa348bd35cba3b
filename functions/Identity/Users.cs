using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#users</summary>
public static class Users
{
    private static readonly Kind<User> Kind = new(Directory.Users, "users", "/v3/users", IdentityDialect.Value)
    {
        Sees = "identity:get_user",
        TargetOf = u => new(null, u.Id, u.DomainId),
        Check = async (c, d) =>
        {
            var item = d.Item.DomainId.Length > 0 ? d.Item : d.Item with { DomainId = c.Caller.DomainId ?? c.Caller.UserDomainId };
            if (await Directory.Domains.Get(c.Store, "", item.DomainId) is null) throw Fault.NotFound("domain", item.DomainId);
            if (item.Password is { } password) item = item with { PasswordHash = await Passwords.Hash(password), Password = null, ValidFrom = d.Old is null ? null : c.Now };
            if (d.Old is { Enabled: true } && !item.Enabled) item = item with { ValidFrom = c.Now };
            d.Item = item;
            await Directory.ClaimName(c, d, Directory.Users, Directory.NameOf(item.DomainId, item.Name), d.Old is null ? null : Directory.NameOf(d.Old.DomainId, d.Old.Name));
            Auth.TokensOf(c).Forget();
        },
        CheckDelete = (c, d) =>
        {
            var user = d.Item;
            d.After.Add(async () =>
            {
                foreach (var g in await Grants.Of(c.Store, user.Id)) await Grants.Remove(c.Store, g);
                await Claims.Free(c.Store, "user", Directory.NameOf(user.DomainId, user.Name), user.Id);
                Auth.TokensOf(c).Forget();
            });
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, u, _) => IdentityDialect.SelfLink(w, c, "users", u.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_users"), Kind.Create("identity:create_user"), Kind.Show("identity:get_user"), Kind.Update("identity:update_user"), Kind.Delete("identity:delete_user"),
        new("POST", "/v3/users/{id}/password", "authenticated", ChangePassword),
        new("GET", "/v3/users/{id}/projects", "authenticated", ProjectsOf),
        new("GET", "/v3/users/{id}/groups", "authenticated", c => Empty(c, "groups")),
        new("GET", "/v3/groups", "identity:list_users", c => Empty(c, "groups")),
        new("GET", "/v3/auth/projects", "authenticated", c => ProjectsOfUser(c, c.Caller.UserId)),
        new("GET", "/v3/auth/domains", "authenticated", DomainsOfCaller),
    ];

    private static async ValueTask<Reply> ChangePassword(Call c)
    {
        var body = c.Body("user");
        if (c.Args["id"] != c.Caller.UserId) throw Fault.Forbidden("identity:change_password");
        var user = (await Directory.Users.Get(c.Store, "", c.Args["id"]))!;
        string Text(string name) => body.TryGetProperty(name, out var v) && v.ValueKind == System.Text.Json.JsonValueKind.String ? v.GetString()! : throw Fault.BadRequest($"Invalid input: '{name}' is a required property.");
        if (!await Passwords.Verify(Text("original_password"), user.Item.PasswordHash)) throw new Fault(401, "The request you have made requires authentication.");
        await Directory.Users.Save(c.Services, user.Item with { PasswordHash = await Passwords.Hash(Text("password")), ValidFrom = c.Now }, user, Change.By(c), ct: c.Cancelled);
        Auth.TokensOf(c).Forget();
        return Reply.Empty(204);
    }

    private static ValueTask<Reply> ProjectsOf(Call c)
    {
        if (c.Args["id"] != c.Caller.UserId) c.Require("identity:get_user", default);
        return ProjectsOfUser(c, c.Args["id"]);
    }

    private static async ValueTask<Reply> ProjectsOfUser(Call c, string userId)
    {
        var projects = new List<Project>();
        foreach (var id in (await Grants.Of(c.Store, userId)).Where(g => g.Kind == 'p').Select(g => g.ScopeId).Distinct())
            if ((await Directory.Projects.Get(c.Store, "", id))?.Item is { Enabled: true } p) projects.Add(p);
        return Projects.Kind.Page1(c, projects, new("projects", 0, false, null, null));
    }

    private static async ValueTask<Reply> DomainsOfCaller(Call c)
    {
        var domains = new List<Domain>();
        foreach (var id in (await Grants.Of(c.Store, c.Caller.UserId)).Where(g => g.Kind == 'd').Select(g => g.ScopeId).Distinct())
            if ((await Directory.Domains.Get(c.Store, "", id))?.Item is { Enabled: true } d) domains.Add(d);
        return Domains.Kind.Page1(c, domains, new("domains", 0, false, null, null));
    }

    private static ValueTask<Reply> Empty(Call c, string name) => new(Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray(name);
        w.WriteEndArray();
        IdentityDialect.Value.Links(w, c, new(name, 0, false, null, null));
        w.WriteEndObject();
    }));
}
