using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>All names and places of a moment, for lists that show them beside ids.</summary>
internal sealed class Names
{
    private readonly Dictionary<string, Domain> _domains;
    private readonly Dictionary<string, Project> _projects;
    private readonly Dictionary<string, Role> _roles;
    private readonly Dictionary<string, (string Name, string? DomainId)> _actors = [];

    private Names(IEnumerable<Domain> domains, IEnumerable<Project> projects, IEnumerable<Role> roles, IEnumerable<User> users, IEnumerable<Group> groups)
    {
        (_domains, _projects, _roles) = (domains.ToDictionary(d => d.Id), projects.ToDictionary(p => p.Id), roles.ToDictionary(r => r.Id));
        foreach (var u in users) _actors["u" + u.Id] = (u.Name, u.DomainId);
        foreach (var g in groups) _actors["g" + g.Id] = (g.Name, g.DomainId);
    }

    public static async ValueTask<Names> Of(Call c) => new(
        await Directory.Domains.InProject(c.Store, ""), await Directory.Projects.InProject(c.Store, ""), await Directory.Roles.InProject(c.Store, ""),
        await Directory.Users.InProject(c.Store, ""), await Directory.Groups.InProject(c.Store, ""));

    public Project? Project(string id) => _projects.GetValueOrDefault(id);
    public Role? Role(string id) => _roles.GetValueOrDefault(id);
    public (string Name, string? DomainId)? Actor(string actor) => _actors.TryGetValue(actor, out var a) ? a : null;
    public (string Name, string? DomainId)? Scope(Grant g) =>
        g.Kind == 'p' ? _projects.TryGetValue(g.ScopeId, out var p) ? (p.Name, p.DomainId) : null : _domains.TryGetValue(g.ScopeId, out var d) ? (d.Name, null) : null;

    /// <summary>The domain a grant is in; null for the system's and for what is gone.</summary>
    public string? DomainOf(Grant g) => g.Kind switch { 'd' => g.ScopeId, 'p' => _projects.GetValueOrDefault(g.ScopeId)?.DomainId, _ => null };
    public IEnumerable<string> Below(string project) => Tree.Below([.. _projects.Values], project).Select(p => p.Id);
    public IEnumerable<string> In(string domain) => _projects.Values.Where(p => p.DomainId == domain).Select(p => p.Id);

    /// <summary>{id} or, with names, {id, name, domain: {id, name}}.</summary>
    public static void Write(Utf8JsonWriter w, string kind, string id, Names? names, (string Name, string? DomainId)? known)
    {
        w.WriteStartObject(kind);
        w.WriteString("id", id);
        if (names is not null && known is var (name, domain))
        {
            w.WriteString("name", name);
            if (domain is not null)
            {
                w.WriteStartObject("domain");
                w.WriteString("id", domain);
                w.WriteString("name", names._domains.GetValueOrDefault(domain)?.Name);
                w.WriteEndObject();
            }
        }
        w.WriteEndObject();
    }
}
