using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>Giving roles and taking them: https://docs.openstack.org/api-ref/identity/v3/#roles and OS-INHERIT.</summary>
public static class Assignments
{
    public static readonly Route[] Routes =
    [
        .. On('p', "/v3/projects/{scope}", "", false), .. On('d', "/v3/domains/{scope}", "", false), .. On('s', "/v3/system", "system_", false),
        .. On('p', "/v3/OS-INHERIT/projects/{scope}", "", true), .. On('d', "/v3/OS-INHERIT/domains/{scope}", "", true),
    ];

    private static Route[] On(char kind, string path, string prefix, bool inherited) => [.. To('u', "users", kind, path, prefix, inherited), .. To('g', "groups", kind, path, prefix, inherited)];

    private static Route[] To(char actor, string actors, char kind, string path, string prefix, bool inherited)
    {
        var (all, one) = ($"{path}/{actors}/{{actor}}/roles{(inherited ? "/inherited_to_projects" : "")}", $"{path}/{actors}/{{actor}}/roles/{{role}}{(inherited ? "/inherited_to_projects" : "")}");
        string Rule(string verb, string noun) => $"identity:{verb}_{prefix}{noun}{(prefix.Length > 0 ? $"_for_{actors[..^1]}" : "")}";
        ValueTask<Grant> Named(Call c, string policy) => GrantOf(c, actor, kind, inherited, policy);
        async ValueTask<Grant> Existing(Call c, string policy) =>
            await Named(c, policy) is var g && await Grants.Exists(c.Store, g) ? g : throw new Fault(404, $"Could not find role assignment with role: {g.RoleId}.");
        var (list, check, create, revoke) = (Rule("list", "grants"), Rule("check", "grant"), Rule("create", "grant"), Rule("revoke", "grant"));
        return
        [
            new("GET", all, list, async c =>
            {
                var scope = await ScopeOf(c, kind, list);
                await ActorOf(c, actor, list);
                return await Roles.Kind.PageFrom(c, (await Grants.Of(c.Store, actor + c.Args["actor"])).Where(g => g.Kind == kind && g.ScopeId == scope && g.Inherited == inherited).Select(g => g.RoleId));
            }),
            new("GET", one, check, async c => { await Existing(c, check); return Reply.Empty(204); }),
            new("PUT", one, create, async c => { await Grants.Add(c.Store, await Named(c, create)); return Changed(c); }),
            new("DELETE", one, revoke, async c => { await Grants.Remove(c.Store, await Existing(c, revoke)); return Changed(c); }),
        ];
    }

    private static Reply Changed(Call c)
    {
        Auth.TokensOf(c).Forget();
        return Reply.Empty(204);
    }

    // Whoever may not act on a domain's things is told so whether they exist or not.
    private static async ValueTask<string> ScopeOf(Call c, char kind, string policy)
    {
        if (kind == 's') return "all";
        var id = c.Args["scope"];
        if (kind == 'd') c.Require(policy, new(null, null, id));
        else
        {
            var project = await Directory.Get(c, Directory.Projects, id);
            c.Require(policy, new(null, null, project?.DomainId));
            if (project is not null) return id;
        }
        // A domain acts as a project of its own, to which inherited roles may be given.
        return await Directory.Get(c, Directory.Domains, id) is not null && kind == 'd' ? id : throw Fault.NotFound(kind == 'd' ? "domain" : "project", id);
    }

    private static async ValueTask ActorOf(Call c, char actor, string policy)
    {
        var id = c.Args["actor"];
        var domain = actor == 'u' ? (await Directory.Get(c, Directory.Users, id))?.DomainId : (await Directory.Get(c, Directory.Groups, id))?.DomainId;
        if (!policy.Contains("system", StringComparison.Ordinal)) c.Require(policy, new(null, null, domain));
        if (domain is null) throw Fault.NotFound(actor == 'u' ? "user" : "group", id);
    }

    private static async ValueTask<Grant> GrantOf(Call c, char actor, char kind, bool inherited, string policy)
    {
        var scope = await ScopeOf(c, kind, policy);
        await ActorOf(c, actor, policy);
        var role = await Directory.Get(c, Directory.Roles, c.Args["role"]);
        if (role?.DomainId is { } domain) c.Require(policy, new(null, null, domain));
        if (role is null) throw Fault.NotFound("role", c.Args["role"]);
        // The administrator of one domain would else make himself the whole cloud's: the role means that on any project.
        if (policy == "identity:create_grant" && (kind == 'p' || inherited) && !c.Allows("cloud_admin", default) && await BringsAdmin(c, role))
            throw Fault.Forbidden(policy);
        return new(actor + c.Args["actor"], kind, scope, role.Id, inherited);
    }

    private static async ValueTask<bool> BringsAdmin(Call c, Role role) =>
        await Directory.RoleNamed(c.Store, "admin") is { } admin && Implications.Expand([role.Id], await Implications.All(c.Store)).Contains(admin.Id);
}
