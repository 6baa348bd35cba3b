using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#domains</summary>
public static class Domains
{
    public static readonly Kind<Domain> Kind = new(Directory.Domains, "domains", "/v3/domains", IdentityDialect.Value)
    {
        Sees = "identity:get_domain",
        TargetOf = d => new(null, null, d.Id),
        Check = async (c, d) =>
        {
            d.Item = d.Item with { Options = Options.Merge(d.Old?.Options, d.Item.Options, Options.Immutable), Tags = ProjectTags.Checked(d.Item.Tags) };
            Options.Guard(d, d.Old?.Options, d.Item.Options, "domain");
            if (d.Item.Id == "default" && !d.Item.Enabled) throw new Fault(403, "The default domain can't be disabled: the cloud's own accounts are in it.");
            await Directory.ClaimName(c, d, Directory.Domains, d.Item.Name, d.Old?.Name);
            Directory.ForgetsTokens(c, d);
        },
        CheckDelete = async (c, d) =>
        {
            var domain = d.Item;
            Options.Guard(d, domain.Options, null, "domain");
            if (domain.Enabled) throw new Fault(403, "Cannot delete a domain that is enabled, please disable it first.");
            await Empty(c, domain.Id);
            d.After.Add(() => Claims.Free(c.Store, "domain", domain.Name, domain.Id));
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, d, _) => IdentityDialect.SelfLink(w, c, "domains", d.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_domains"), Kind.Create("identity:create_domain"), Kind.Show("identity:get_domain"), (Kind.Update("identity:update_domain") with { Seen = ByReaders }).Told(async c => await Directory.Need(c, Directory.Domains, c.Args["id"])), Kind.Delete("identity:delete_domain"),
        .. DomainConfigs.Routes,
    ];

    // Who may read them all and change none hears that one isn't there; it tells him nothing that he couldn't read.
    private static async ValueTask ByReaders(Call c)
    {
        if (c.Allows("identity:get_domain", default)) await Directory.Need(c, Directory.Domains, c.Args["id"]);
    }

    // Everything in the domain goes before it does; a delete that dies half-way is finished by the next one.
    private static async ValueTask Empty(Call c, string domain)
    {
        var projects = (await Directory.Projects.InProject(c.Store, "")).Where(p => p.DomainId == domain).ToList();
        foreach (var p in Tree.Below(projects, domain).Reverse()) await Projects.Kind.Delete(c, "identity:delete_domain", null, p.Id);
        foreach (var g in await Directory.Groups.InProject(c.Store, "")) if (g.DomainId == domain) await Groups.Kind.Delete(c, "identity:delete_domain", null, g.Id);
        foreach (var u in await Directory.Users.InProject(c.Store, "")) if (u.DomainId == domain) await Users.Kind.Delete(c, "identity:delete_domain", null, u.Id);
        foreach (var r in await Directory.Roles.InProject(c.Store, "")) if (r.DomainId == domain) await Roles.Kind.Delete(c, "identity:delete_domain", null, r.Id);
        await Grants.RemoveWhere(c.Store, g => g.Kind == 'd' && g.ScopeId == domain);
        await DomainConfigs.Remove(c, domain);
    }
}
