using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Roles and their assignments: https://docs.openstack.org/api-ref/identity/v3/#roles</summary>
public static class Roles
{
    private static readonly Kind<Role> Kind = new(Directory.Roles, "roles", "/v3/roles", IdentityDialect.Value)
    {
        Sees = "identity:get_role",
        Check = (c, d) => Directory.ClaimName(c, d, Directory.Roles, Directory.NameOf(d.Item.DomainId, d.Item.Name), d.Old is null ? null : Directory.NameOf(d.Old.DomainId, d.Old.Name)),
        CheckDelete = (c, d) =>
        {
            var role = d.Item;
            d.After.Add(async () =>
            {
                foreach (var g in (await Grants.Of(c.Store)).Where(g => g.RoleId == role.Id)) await Grants.Remove(c.Store, g);
                await Claims.Free(c.Store, "role", Directory.NameOf(role.DomainId, role.Name), role.Id);
                Auth.TokensOf(c).Forget();
            });
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, r, _) => IdentityDialect.SelfLink(w, c, "roles", r.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_roles"), Kind.Create("identity:create_role"), Kind.Show("identity:get_role"), Kind.Update("identity:update_role"), Kind.Delete("identity:delete_role"),
        .. Assignments('p', "/v3/projects/{scope}"), .. Assignments('d', "/v3/domains/{scope}"), .. Assignments('s', "/v3/system"),
        new("GET", "/v3/role_assignments", "identity:list_role_assignments", ListAssignments),
    ];

    private static Route[] Assignments(char kind, string path) =>
    [
        new("GET", path + "/users/{user}/roles", "identity:list_grants", async c =>
        {
            var roles = await Grants.RolesOn(c.Store, c.Args["user"], kind, Scope(c, kind));
            return Kind.Page1(c, roles, new("roles", 0, false, null, null));
        }),
        new("PUT", path + "/users/{user}/roles/{role}", "identity:create_grant", async c =>
        {
            await Grants.Add(c.Store, await Checked(c, kind));
            Auth.TokensOf(c).Forget();
            return Reply.Empty(204);
        }),
        new("HEAD", path + "/users/{user}/roles/{role}", "identity:check_grant", c => Check(c, kind)),
        new("GET", path + "/users/{user}/roles/{role}", "identity:check_grant", c => Check(c, kind)),
        new("DELETE", path + "/users/{user}/roles/{role}", "identity:revoke_grant", async c =>
        {
            var grant = await Checked(c, kind);
            if (!await Grants.Exists(c.Store, grant)) throw new Fault(404, $"Could not find role assignment with role: {grant.RoleId}.");
            await Grants.Remove(c.Store, grant);
            Auth.TokensOf(c).Forget();
            return Reply.Empty(204);
        }),
    ];

    private static string Scope(Call c, char kind) => kind == 's' ? "all" : c.Args["scope"];

    private static async ValueTask<Reply> Check(Call c, char kind) =>
        await Grants.Exists(c.Store, await Checked(c, kind)) ? Reply.Empty(204) : throw new Fault(404, $"Could not find role assignment with role: {c.Args["role"]}.");

    private static async ValueTask<Grant> Checked(Call c, char kind)
    {
        var grant = new Grant(c.Args["user"], kind, Scope(c, kind), c.Args["role"]);
        if (await Directory.Users.Get(c.Store, "", grant.UserId) is null) throw Fault.NotFound("user", grant.UserId);
        if (await Directory.Roles.Get(c.Store, "", grant.RoleId) is null) throw Fault.NotFound("role", grant.RoleId);
        if (kind == 'p' && await Directory.Projects.Get(c.Store, "", grant.ScopeId) is null) throw Fault.NotFound("project", grant.ScopeId);
        if (kind == 'd' && await Directory.Domains.Get(c.Store, "", grant.ScopeId) is null) throw Fault.NotFound("domain", grant.ScopeId);
        return grant;
    }

    private static async ValueTask<Reply> ListAssignments(Call c)
    {
        bool Is(string key, string value) => c.First(key) is not { Length: > 0 } wanted || wanted == value;
        var names = c.First("include_names") is not (null or "false" or "0");
        var all = new List<(Grant G, string User, string Role, string Scope)>();
        foreach (var g in await Grants.Of(c.Store, c.First("user.id")))
        {
            if (!Is("role.id", g.RoleId) || !Is("scope.project.id", g.Kind == 'p' ? g.ScopeId : "") || !Is("scope.domain.id", g.Kind == 'd' ? g.ScopeId : "")) continue;
            if (c.First("scope.system") is not null && g.Kind != 's') continue;
            all.Add((g, names ? (await Directory.Users.Get(c.Store, "", g.UserId))?.Item.Name ?? "" : "", names ? (await Directory.Roles.Get(c.Store, "", g.RoleId))?.Item.Name ?? "" : "",
                !names ? "" : g.Kind == 'p' ? (await Directory.Projects.Get(c.Store, "", g.ScopeId))?.Item.Name ?? "" : g.Kind == 'd' ? (await Directory.Domains.Get(c.Store, "", g.ScopeId))?.Item.Name ?? "" : ""));
        }
        return Reply.Of(200, w =>
        {
            void Named(string kind, string id, string name)
            {
                w.WriteStartObject(kind);
                w.WriteString("id", id);
                if (names)
                {
                    w.WriteString("name", name);
                    w.WriteStartObject("domain");
                    w.WriteString("id", "default");
                    w.WriteString("name", "Default");
                    w.WriteEndObject();
                }
                w.WriteEndObject();
            }
            w.WriteStartObject();
            w.WriteStartArray("role_assignments");
            foreach (var (g, user, role, scope) in all)
            {
                w.WriteStartObject();
                Named("role", g.RoleId, role);
                Named("user", g.UserId, user);
                w.WriteStartObject("scope");
                if (g.Kind == 's')
                {
                    w.WriteStartObject("system");
                    w.WriteBoolean("all", true);
                    w.WriteEndObject();
                }
                else Named(g.Kind == 'p' ? "project" : "domain", g.ScopeId, scope);
                w.WriteEndObject();
                w.WriteStartObject("links");
                w.WriteString("assignment", $"{c.BaseUrl}/v3/{(g.Kind == 'p' ? "projects" : "domains")}/{g.ScopeId}/users/{g.UserId}/roles/{g.RoleId}");
                w.WriteEndObject();
                w.WriteEndObject();
            }
            w.WriteEndArray();
            IdentityDialect.Value.Links(w, c, new("role_assignments", 0, false, null, null));
            w.WriteEndObject();
        });
    }
}
