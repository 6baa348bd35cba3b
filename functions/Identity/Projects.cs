using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#projects</summary>
public static class Projects
{
    public static readonly Kind<Project> Kind = new(Directory.Projects, "projects", "/v3/projects", IdentityDialect.Value)
    {
        Sees = "identity:get_project",
        TargetOf = p => new(p.Id, null, p.DomainId),
        Check = async (c, d) =>
        {
            var item = d.Item;
            if (d.Old is null) item = await Place(c, item);
            item = item with { Options = Options.Merge(d.Old?.Options, item.Options, Options.Immutable), Tags = ProjectTags.Checked(item.Tags) };
            Options.Guard(d, d.Old?.Options, item.Options, "project");
            if (d.Old is not null && d.Old.Enabled != item.Enabled) await CheckFamily(c, item);
            d.Item = item;
            await Directory.ClaimName(c, d, Directory.Projects, Directory.NameOf(item.DomainId, item.Name), d.Old is null ? null : Directory.NameOf(d.Old.DomainId, d.Old.Name));
            Directory.ForgetsTokens(c, d);
        },
        CheckDelete = async (c, d) =>
        {
            var project = d.Item;
            Options.Guard(d, project.Options, null, "project");
            if ((await Directory.Projects.InProject(c.Store, "")).Any(p => p.ParentId == project.Id)) throw new Fault(403, $"Cannot delete the project {project.Id} since it is not a leaf in the hierarchy.");
            await Grants.RemoveWhere(c.Store, g => g.Kind == 'p' && g.ScopeId == project.Id);
            await AppCredentials.RemoveOf(c, a => a.Scope == project.Id);
            await Trusts.RemoveOf(c, t => t.Project == project.Id);
            await Credentials.RemoveOf(c, x => x.Project == project.Id);
            await AccessTokens.RemoveOf(c, t => t.Project == project.Id);
            d.After.Add(() => Claims.Free(c.Store, "project", Directory.NameOf(project.DomainId, project.Name), project.Id));
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, p, _) => IdentityDialect.SelfLink(w, c, "projects", p.Id),
    };

    public static readonly Route[] Routes =
    [
        new("GET", "/v3/projects", "identity:list_projects", List), new("POST", "/v3/projects", "identity:create_project", Create), new("GET", "/v3/projects/{id}", "identity:get_project", Show),
        new("PATCH", "/v3/projects/{id}", "identity:update_project", Update), new("DELETE", "/v3/projects/{id}", "identity:delete_project", Delete),
        .. ProjectTags.Routes,
    ];

    // A project goes below another of the same domain, or right below its domain.
    private static async ValueTask<Project> Place(Call c, Project item)
    {
        var parent = item.ParentId is { Length: > 0 } id && id != item.DomainId ? await Directory.Get(c, Directory.Projects, id) : null;
        var domain = await Directory.DomainFor(c, item.DomainId ?? parent?.DomainId ?? item.ParentId, "identity:create_project");
        if (parent is null) return item.ParentId is null || item.ParentId == domain ? item with { DomainId = domain, ParentId = domain } : throw Fault.NotFound("project", item.ParentId);
        if (parent.DomainId != domain) throw Fault.BadRequest("Invalid input for field 'parent_id': the parent is in another domain.");
        if (!parent.Enabled) throw Fault.BadRequest($"Project {parent.Id} is disabled, so nothing can be made below it.");
        if ((await Tree.Parents(c.Store, parent)).Count + 2 > Tree.MaxDepth) throw new Fault(403, $"Max hierarchy depth reached for {parent.Id} branch.");
        return item with { DomainId = domain };
    }

    private static async ValueTask CheckFamily(Call c, Project item)
    {
        if (item.Enabled && (await Tree.Parents(c.Store, item)).Any(p => !p.Enabled)) throw new Fault(403, $"Cannot enable project {item.Id} since it has disabled parents.");
        if (!item.Enabled && Tree.Below(await Directory.Projects.InProject(c.Store, ""), item.Id).Any(p => p.Enabled))
            throw new Fault(403, $"Cannot disable project {item.Id} since its subtree contains enabled projects.");
    }

    private static async ValueTask<Reply> List(Call c)
    {
        if (Asked(c, "is_domain"))
            return Kind.PageFrom(c, (await Directory.Domains.InProject(c.Store, "")).Where(d => c.Allows("identity:get_domain", Domains.Kind.TargetOf(d))).Select(AsProject));
        var (items, page) = await Kind.Select(c, "identity:list_projects", (call, p) => ProjectTags.Match(call, p.Tags));
        return Kind.Page1(c, items, page);
    }

    // To Keystone a domain is a project that acts as one; it can be made and found by either name.
    private static async ValueTask<Reply> Create(Call c)
    {
        var body = c.Body("project");
        if (!(body.TryGetProperty("is_domain", out var is_domain) && is_domain.ValueKind == JsonValueKind.True)) return Kind.One1(c, 201, await Kind.Create(c, "identity:create_project", body, null));
        c.Require("identity:create_domain", default);
        var known = body.EnumerateObject().Where(p => p.Name is "name" or "description" or "enabled" or "options" or "tags").ToDictionary(p => p.Name, p => p.Value);
        var domain = await Domains.Kind.Create(c, "identity:create_domain", JsonSerializer.SerializeToElement(known), null);
        return Kind.One1(c, 201, AsProject(domain));
    }

    private static async ValueTask<Reply> Show(Call c)
    {
        if (await Directory.Get(c, Directory.Domains, c.Args["id"]) is not null) return Kind.One1(c, 200, AsProject((await Domains.Kind.Load(c, "identity:get_domain")).Item));
        var project = (await Kind.Load(c, "identity:get_project")).Item;
        return (await Relatives.Of(c, project)) is { } extend ? (Kind with { Extend = extend }).One1(c, 200, project) : Kind.One1(c, 200, project);
    }

    private static async ValueTask<Reply> Update(Call c)
    {
        var body = c.Body("project");
        if (await Directory.Get(c, Directory.Domains, c.Args["id"]) is null)
            return Kind.One1(c, 200, await Kind.Change(c, "identity:update_project", d => d.Item = Kind.Read(c, d.Item, body, In.Update), body: body));
        return Kind.One1(c, 200, AsProject(await Domains.Kind.Change(c, "identity:update_domain", d => d.Item = Domains.Kind.Read(c, d.Item, body, In.Update), body: body)));
    }

    private static async ValueTask<Reply> Delete(Call c)
    {
        if (await Directory.Get(c, Directory.Domains, c.Args["id"]) is null) await Kind.Delete(c, "identity:delete_project", null);
        else await Domains.Kind.Delete(c, "identity:delete_domain", null);
        return Reply.Empty(204);
    }

    private static Project AsProject(Domain d) =>
        new() { Id = d.Id, Name = d.Name, Description = d.Description, Enabled = d.Enabled, IsDomain = true, Tags = d.Tags, Options = d.Options, Extra = d.Extra, DomainId = null, ParentId = null };

    private static bool Asked(Call c, string name) => c.First(name) is "True" or "true" or "1" or "";
}
