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
            if (d.Item.IsDomain) throw Fault.BadRequest("Domains are made by POST /v3/domains.");
            var domain = d.Item.DomainId.Length > 0 ? d.Item.DomainId : c.Caller.DomainId ?? c.Caller.UserDomainId;
            if (await Directory.Domains.Get(c.Store, "", domain) is null) throw Fault.NotFound("domain", domain);
            if (d.Item.ParentId is { } parent && parent != domain && await Directory.Projects.Get(c.Store, "", parent) is null) throw Fault.NotFound("project", parent);
            d.Item = d.Item with { DomainId = domain, ParentId = d.Item.ParentId ?? domain };
            await Directory.ClaimName(c, d, Directory.Projects, Directory.NameOf(domain, d.Item.Name), d.Old is null ? null : Directory.NameOf(d.Old.DomainId, d.Old.Name));
            Auth.TokensOf(c).Forget();
        },
        CheckDelete = (c, d) =>
        {
            var project = d.Item;
            d.After.Add(async () =>
            {
                foreach (var g in (await Grants.Of(c.Store)).Where(g => g.Kind == 'p' && g.ScopeId == project.Id)) await Grants.Remove(c.Store, g);
                await Claims.Free(c.Store, "project", Directory.NameOf(project.DomainId, project.Name), project.Id);
                Auth.TokensOf(c).Forget();
            });
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, p, _) => IdentityDialect.SelfLink(w, c, "projects", p.Id),
    };

    public static readonly Route[] Routes =
        [Kind.List("identity:list_projects"), Kind.Create("identity:create_project"), Kind.Show("identity:get_project"), Kind.Update("identity:update_project"), Kind.Delete("identity:delete_project")];
}

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#domains</summary>
public static class Domains
{
    public static readonly Kind<Domain> Kind = new(Directory.Domains, "domains", "/v3/domains", IdentityDialect.Value)
    {
        Sees = "identity:get_domain",
        TargetOf = d => new(null, null, d.Id),
        Check = async (c, d) =>
        {
            await Directory.ClaimName(c, d, Directory.Domains, d.Item.Name, d.Old?.Name);
            Auth.TokensOf(c).Forget();
        },
        CheckDelete = async (c, d) =>
        {
            if (d.Item.Enabled) throw new Fault(403, "Cannot delete a domain that is enabled, please disable it first.");
            if ((await Directory.Projects.InProject(c.Store, "")).Any(p => p.DomainId == d.Item.Id) || (await Directory.Users.InProject(c.Store, "")).Any(u => u.DomainId == d.Item.Id))
                throw Fault.Conflict("The domain still holds projects or users.");
            var domain = d.Item;
            d.After.Add(() => Claims.Free(c.Store, "domain", domain.Name, domain.Id));
        },
        Extend = (w, c, d, _) => IdentityDialect.SelfLink(w, c, "domains", d.Id),
    };

    public static readonly Route[] Routes =
        [Kind.List("identity:list_domains"), Kind.Create("identity:create_domain"), Kind.Show("identity:get_domain"), Kind.Update("identity:update_domain"), Kind.Delete("identity:delete_domain")];
}
