using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Logging in with the word of an identity provider. https://docs.openstack.org/api-ref/identity/v3-ext/#request-an-unscoped-os-federation-token</summary>
public static class FederatedLogins
{
    private const string Path = "/v3/OS-FEDERATION/identity_providers/{provider}/protocols/{id}/auth";

    public static readonly Route[] Routes =
    [
        new("GET", Path, Policy.Anyone, WithBearer), new("POST", Path, Policy.Anyone, WithBearer),
        new("GET", "/v3/OS-FEDERATION/projects", "authenticated", Users.ProjectsOfCaller), new("GET", "/v3/OS-FEDERATION/domains", "authenticated", Users.DomainsOfCaller),
    ];

    /// <summary>Whether what a provider said by a protocol still counts.</summary>
    /// <param name="origin"><see cref="Protocols.KeyOf"/>, or empty.</param>
    public static async ValueTask<bool> Stands(IEntityStore store, string origin) => origin.Length == 0
        || (await IdentityProviders.Rows.Get(store, "", origin.Split('/')[0]))?.Item.Enabled == true && await Protocols.Rows.Get(store, "", origin) is not null;

    private static async ValueTask<Reply> WithBearer(Call c)
    {
        var origin = Protocols.KeyOf(c.Args["provider"], c.Args["id"]);
        if (await Directory.Get(c, IdentityProviders.Rows, c.Args["provider"]) is not { Enabled: true } provider || await Directory.Get(c, Protocols.Rows, origin) is not { } protocol) throw Proofs.Denied();
        var attributes = await OpenId.Read(c, provider, c.Bearer ?? throw Proofs.Denied());
        var user = await UserOf(c, provider, protocol, await Map(c, protocol, attributes));
        return await Auth.Give(c, new(user, protocol.Name, Origin: origin), () => new(('u', "")));
    }

    private static async ValueTask<Mapped> Map(Call c, FederationProtocol protocol, Attributes attributes)
    {
        if (await Directory.Get(c, Mappings.Rows, protocol.MappingId) is not { } mapping) throw Proofs.Denied($"the mapping {protocol.MappingId} is gone");
        try { return attributes.By(MappingRule.Read(mapping.Rules)) ?? throw Proofs.Denied($"no rule of {mapping.Id} with a user applies"); }
        catch (FormatException e) { throw Proofs.Denied($"{mapping.Id}: {e.Message}"); }
    }

    private static async ValueTask<User> UserOf(Call c, IdentityProvider provider, FederationProtocol protocol, Mapped mapped)
    {
        if (mapped.User.Type == "local")
        {
            var found = mapped.User.Id is { } id ? await Directory.Get(c, Directory.Users, id)
                : await DomainOf(c, mapped.User.Domain) is { } domain ? await Directory.UserNamed(c.Store, domain, mapped.User.Name!) : null;
            return found ?? throw Proofs.Denied("the mapping names a local user who isn't there");
        }
        var user = await FederatedUsers.Of(c, provider, protocol.Name, mapped.User);
        if (!user.Enabled) throw Proofs.Denied();
        var until = c.Now.AddMinutes(provider.AuthorizationTtl ?? 0);
        if (Tokens.DefaultExpiry(c.Now) is var expiry && expiry > until) until = expiry;
        await LentMembers.Set(c.Store, user.Id, await GroupsOf(c, mapped.Groups), protocol.Id, until);
        foreach (var project in mapped.Projects) await Enter(c, provider.DomainId!, project, user);
        Auth.TokensOf(c).Forget();
        return user;
    }

    // A group that isn't there brings nothing.
    private static async ValueTask<IReadOnlyList<string>> GroupsOf(Call c, IReadOnlyList<LocalGroup> wanted)
    {
        var groups = new HashSet<string>();
        foreach (var g in wanted)
            if ((g.Id is { } id ? await Directory.Get(c, Directory.Groups, id) : await DomainOf(c, g.Domain) is { } domain ? await Directory.GroupNamed(c.Store, domain, g.Name!) : null) is { } group) groups.Add(group.Id);
        return [.. groups];
    }

    private static async ValueTask Enter(Call c, string domain, LocalProject wanted, User user)
    {
        var blank = new Project { Id = c.Services.Ids.Plain(), Name = wanted.Name, DomainId = domain, ParentId = domain };
        if (wanted.Name.Length is 0 or > 64) throw Proofs.Denied("the mapping makes a project's name of no or more than 64 characters");
        var roles = new List<Role>();
        foreach (var r in wanted.Roles) roles.Add(await Directory.RoleNamed(c.Store, r.Name!) ?? throw Proofs.Denied($"the mapping gives a role {r.Name} that isn't there"));
        var project = await Directory.Make(c.Services, Directory.Projects, blank, Directory.NameOf(domain, wanted.Name), Change.By(c));
        foreach (var role in roles) await Grants.Add(c.Store, new("u" + user.Id, 'p', project.Id, role.Id));
    }

    private static async ValueTask<string?> DomainOf(Call c, Ref? domain) => domain?.Id ?? (domain?.Name is { } name ? (await Directory.DomainNamed(c.Store, name))?.Id : null);
}
