using Cloud.Platform.Access;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>From what a token says to who that is now.</summary>
public static class Callers
{
    /// <summary>Null when user, project, domain, credential or trust is gone or disabled, or no role is left.</summary>
    public static async ValueTask<Caller?> Of(IEntityStore store, TokenClaims t)
    {
        if (t.Kind == 'r') return null;
        if (await Alive(store, t.UserId) is not { } user || user.Era != t.Era || !await FederatedLogins.Stands(store, t.Origin)) return null;
        if (t.Kind == 't') return await OfTrust(store, t, user);
        if (t.Kind == 'o') return await OfAccess(store, t, user);
        if (t.Kind == 'd' && !await Lives(store, t.ScopeId)) return null;
        var caller = new Caller
        {
            UserId = user.Id, UserDomainId = user.DomainId, DomainId = t.Kind == 'd' ? t.ScopeId : null, System = t.Kind == 's', Origin = t.Origin,
            IssuedAt = t.IssuedAt, ExpiresAt = t.ExpiresAt, Methods = t.Methods.Split(','), AuditId = t.AuditId,
        };
        if (t.Kind == 'u') return caller;
        var roles = await Grants.Effective(store, user.Id, t.Kind, t.ScopeId);
        if (t.AppCredentialId.Length > 0)
        {
            // One role lost voids the credential: it was made to do a certain job, not a part of it.
            if ((await AppCredentials.Rows.Get(store, "", t.AppCredentialId))?.Item is not { } credential || credential.Scope != t.ScopeId || !credential.RoleIds.All(id => roles.Any(r => r.Id == id))) return null;
            roles = [.. await Brought(store, roles, credential.RoleIds)];
            caller = caller with
            {
                AppCredentialId = credential.Id,
                Restricted = !credential.Unrestricted,
                AccessRules = credential.Rules is { } rules ? [.. rules.Select(r => new AccessRule(r.Service, r.Method, r.Path))] : null,
            };
        }
        return t.Kind == 'p' ? await On(store, caller, t.ScopeId, roles) : With(caller, roles);
    }

    private static async ValueTask<Caller?> OfTrust(IEntityStore store, TokenClaims t, User trustee)
    {
        if ((await Trusts.Rows.Get(store, "", t.ScopeId))?.Item is not { } trust || trust.TrusteeUserId != trustee.Id || await Alive(store, trust.TrustorUserId) is not { } trustor) return null;
        var user = trust.Impersonation ? trustor : trustee;
        var caller = new Caller
        {
            UserId = user.Id, UserDomainId = user.DomainId, TrustId = trust.Id, Restricted = true,
            IssuedAt = t.IssuedAt, ExpiresAt = t.ExpiresAt, Methods = t.Methods.Split(','), AuditId = t.AuditId,
        };
        // Everybody who handed it on must still be there, up to the one whose roles they are.
        List<Trust> chain = [trust];
        while (chain[^1].RedelegatedTrustId is { } above)
        {
            if ((await Trusts.Rows.Get(store, "", above))?.Item is not { } parent || await Alive(store, parent.TrusteeUserId) is null || await Alive(store, parent.TrustorUserId) is null) return null;
            chain.Add(parent);
        }
        if (trust.Project is not { } project) return caller;
        var held = await Grants.Effective(store, chain[^1].TrustorUserId, 'p', project);
        return chain.SelectMany(x => x.RoleIds).All(id => held.Any(r => r.Id == id)) ? await On(store, caller, project, await Brought(store, held, trust.RoleIds)) : null;
    }

    private static async ValueTask<Caller?> OfAccess(IEntityStore store, TokenClaims t, User user)
    {
        if ((await AccessTokens.Rows.Get(store, "", t.ScopeId))?.Item is not { } token || token.AuthorizingUserId != user.Id) return null;
        var held = await Grants.Effective(store, user.Id, 'p', token.Project);
        if (!token.RoleIds.All(id => held.Any(r => r.Id == id))) return null;
        var caller = new Caller
        {
            UserId = user.Id, UserDomainId = user.DomainId, AccessTokenId = token.Id, Restricted = true,
            IssuedAt = t.IssuedAt, ExpiresAt = t.ExpiresAt, Methods = t.Methods.Split(','), AuditId = t.AuditId,
        };
        return await On(store, caller, token.Project, await Brought(store, held, token.RoleIds));
    }

    private static async ValueTask<User?> Alive(IEntityStore store, string id) =>
        (await Directory.Users.Get(store, "", id))?.Item is { Enabled: true } user && await Lives(store, user.DomainId) && await FederatedUsers.IsVouchedFor(store, user) ? user : null;

    private static async ValueTask<bool> Lives(IEntityStore store, string domain) => (await Directory.Domains.Get(store, "", domain))?.Item.Enabled == true;

    private static async ValueTask<Caller?> On(IEntityStore store, Caller caller, string projectId, IReadOnlyList<Role> roles) =>
        (await Directory.Projects.Get(store, "", projectId))?.Item is { Enabled: true } project && await Lives(store, project.DomainId!)
            ? With(caller with { ProjectId = project.Id, ProjectDomainId = project.DomainId }, roles) : null;

    private static Caller? With(Caller caller, IReadOnlyList<Role> roles)
    {
        if (roles.Count == 0) return null;
        var inOrder = roles.OrderBy(r => r.Name, StringComparer.Ordinal).ToList();
        return caller with { Roles = [.. inOrder.Select(r => r.Name)], RoleIds = [.. inOrder.Select(r => r.Id)] };
    }

    /// <summary>Those named by <paramref name="ids"/> and what they imply.</summary>
    private static async ValueTask<IReadOnlyList<Role>> Brought(IEntityStore store, IReadOnlyList<Role> held, IEnumerable<string> ids)
    {
        var all = Implications.Expand(ids, await Implications.All(store));
        return [.. held.Where(r => all.Contains(r.Id))];
    }
}
