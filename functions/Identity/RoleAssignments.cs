using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>GET /v3/role_assignments: who has what where, as given or (effective) as it comes out.</summary>
public static class RoleAssignments
{
    public static readonly Route[] Routes = [new("GET", "/v3/role_assignments", "authenticated", List)];

    /// <param name="Via">The group an effective grant came through, or null.</param>
    private sealed record Line(Grant Grant, string? Via = null, string? Prior = null);

    private static async ValueTask<Reply> List(Call c)
    {
        var effective = Asked(c, "effective");
        var (user, group) = (c.First("user.id"), c.First("group.id"));
        if (effective && group is not null) throw Fault.BadRequest("Combining effective and group filter will always result in an empty list.");
        if (user is not null && group is not null) throw Fault.BadRequest("Specify a user or group, not both.");
        if (new[] { c.First("scope.project.id"), c.First("scope.domain.id"), c.First("scope.system") }.Count(x => x is not null) > 1) throw Fault.BadRequest("Specify a domain or project, not both.");
        var names = await Names.Of(c);
        var tree = Tree(c);
        if (tree is null) c.Require("identity:list_role_assignments", c.Own); else c.Require("identity:list_role_assignments_for_tree", new(tree, null, names.Project(tree)?.DomainId));
        var lines = (effective ? await Effective(c, names) : (await Grants.Of(c.Store, user is not null ? "u" + user : group is not null ? "g" + group : null)).Select(g => new Line(g)))
            .Where(l => Wanted(c, l, names) && (tree is not null || c.Allows("identity:list_role_assignments", new(null, null, names.DomainOf(l.Grant))))).ToList();
        var named = Asked(c, "include_names");
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("role_assignments");
            foreach (var line in lines) Write(w, c, line, named ? names : null);
            w.WriteEndArray();
            IdentityDialect.Value.Links(w, c, new("role_assignments", 0, false, null, null));
            w.WriteEndObject();
        });
    }

    private static bool Wanted(Call c, Line line, Names names)
    {
        var g = line.Grant;
        bool Is(string key, string? value) => c.First(key) is not { } wanted || wanted == value;
        var below = Tree(c) is { } top && g.Kind == 'p' && names.Below(top).Contains(g.ScopeId);
        return Is("role.id", g.RoleId) && Is("user.id", g.Actor[0] == 'u' ? g.Actor[1..] : null) && Is("group.id", g.Actor[0] == 'g' ? g.Actor[1..] : null)
            && (below || Is("scope.project.id", g.Kind == 'p' ? g.ScopeId : null)) && Is("scope.domain.id", g.Kind == 'd' ? g.ScopeId : null)
            && (c.First("scope.system") is null || g.Kind == 's') && (c.First("scope.OS-INHERIT:inherited_to") is null || g.Inherited || line.Via == "above");
    }

    // Groups become their users, inherited grants the projects they reach, roles also what they imply; roles of a domain are only seen through those.
    private static async ValueTask<IEnumerable<Line>> Effective(Call c, Names names)
    {
        var rules = await Implications.All(c.Store);
        var lines = new List<Line>();
        foreach (var g in await Grants.Of(c.Store))
        {
            var users = g.Actor[0] == 'u' ? [g.Actor] : (await Members.UsersOf(c.Store, g.Actor[1..])).Select(u => "u" + u);
            IEnumerable<(char Kind, string Id)> scopes = !g.Inherited ? [(g.Kind, g.ScopeId)] : (g.Kind == 'p' ? names.Below(g.ScopeId) : names.In(g.ScopeId)).Select(id => ('p', id));
            foreach (var user in users)
                foreach (var (kind, scope) in scopes)
                    foreach (var role in Implications.Expand([g.RoleId], rules))
                        if (names.Role(role) is { DomainId: null }) lines.Add(new(new(user, kind, scope, role), g.Inherited ? "above" : null, role == g.RoleId ? null : g.RoleId));
        }
        return lines.DistinctBy(l => l.Grant);
    }

    private static void Write(Utf8JsonWriter w, Call c, Line line, Names? names)
    {
        var g = line.Grant;
        w.WriteStartObject();
        Names.Write(w, "role", g.RoleId, names, names?.Role(g.RoleId) is { } role ? (role.Name, role.DomainId) : null);
        Names.Write(w, g.Actor[0] == 'u' ? "user" : "group", g.Actor[1..], names, names?.Actor(g.Actor));
        w.WriteStartObject("scope");
        if (g.Kind == 's') w.WriteBoolean("all", true, "system");
        else Names.Write(w, g.Kind == 'p' ? "project" : "domain", g.ScopeId, names, names?.Scope(g));
        if (g.Inherited) w.WriteString("OS-INHERIT:inherited_to", "projects");
        w.WriteEndObject();
        w.WriteStartObject("links");
        var scope = g.Kind switch { 's' => "system", 'p' => "projects/" + g.ScopeId, _ => "domains/" + g.ScopeId };
        w.WriteString("assignment", $"{c.BaseUrl}/v3/{(g.Inherited ? "OS-INHERIT/" : "")}{scope}/{(g.Actor[0] == 'u' ? "users" : "groups")}/{g.Actor[1..]}/roles/{line.Prior ?? g.RoleId}{(g.Inherited ? "/inherited_to_projects" : "")}");
        if (line.Prior is not null) w.WriteString("prior_role", $"{c.BaseUrl}/v3/roles/{line.Prior}/implies/{g.RoleId}");
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void WriteBoolean(this Utf8JsonWriter w, string name, bool value, string within)
    {
        w.WriteStartObject(within);
        w.WriteBoolean(name, value);
        w.WriteEndObject();
    }

    /// <summary>The project whose whole subtree is asked about, or null.</summary>
    private static string? Tree(Call c) => Asked(c, "include_subtree") ? c.First("scope.project.id") : null;

    private static bool Asked(Call c, string name) => c.First(name) is { } v && v is not ("false" or "False" or "0");
}
