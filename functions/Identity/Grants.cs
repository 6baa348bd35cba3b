using Cloud.Platform.Access;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Who has which role where.</summary>
/// <param name="Kind">p project, d domain, s system.</param>
public sealed record Grant(string UserId, char Kind, string ScopeId, string RoleId);

/// <summary>Role assignments, one row each, ordered by user.</summary>
public static class Grants
{
    private const string Partition = "grants";

    private static string Key(Grant g) => $"{Keys.Safe(g.UserId)}|{g.Kind}{Keys.Safe(g.ScopeId)}|{Keys.Safe(g.RoleId)}";

    public static ValueTask Add(IEntityStore store, Grant g) => store.Commit(Partition, [new Op.Upsert(Key(g), Json.Write(g))]);
    public static ValueTask Remove(IEntityStore store, Grant g) => store.Commit(Partition, [new Op.Delete(Key(g))]);
    public static async ValueTask<bool> Exists(IEntityStore store, Grant g) => await store.Get(Partition, Key(g)) is not null;

    public static async ValueTask<IReadOnlyList<Grant>> Of(IEntityStore store, string? userId = null)
    {
        var (from, to) = Keys.Range(userId is null ? "" : Keys.Safe(userId) + "|");
        return [.. (await store.List(Partition, from, to)).Select(r => Json.Read<Grant>(r.Body))];
    }

    /// <summary>The caller that a token stands for now; null when user, project, domain or credential is gone or disabled, or no role is left.</summary>
    public static async ValueTask<Caller?> Resolve(IEntityStore store, TokenClaims t)
    {
        if ((await Directory.Users.Get(store, "", t.UserId))?.Item is not { Enabled: true } user || user.ValidFrom > t.IssuedAt) return null;
        if ((await Directory.Domains.Get(store, "", user.DomainId))?.Item is not { Enabled: true }) return null;
        if (t.Kind == 'p')
        {
            if ((await Directory.Projects.Get(store, "", t.ScopeId))?.Item is not { Enabled: true } project) return null;
            if ((await Directory.Domains.Get(store, "", project.DomainId))?.Item is not { Enabled: true }) return null;
        }
        else if (t.Kind == 'd' && (await Directory.Domains.Get(store, "", t.ScopeId))?.Item is not { Enabled: true }) return null;
        var roles = t.Kind == 'u' ? [] : await RolesOn(store, t.UserId, t.Kind, t.ScopeId);
        if (t.AppCredentialId.Length > 0)
        {
            if ((await Directory.AppCredentials.Get(store, "", t.AppCredentialId))?.Item is not { } credential) return null;
            roles = [.. roles.Where(r => credential.RoleIds.Contains(r.Id))];
        }
        if (t.Kind != 'u' && roles.Count == 0) return null;
        return new()
        {
            UserId = t.UserId, UserDomainId = user.DomainId, ProjectId = t.Kind == 'p' ? t.ScopeId : null, DomainId = t.Kind == 'd' ? t.ScopeId : null, System = t.Kind == 's',
            Roles = Implied(roles.Select(r => r.Name)), IssuedAt = t.IssuedAt, ExpiresAt = t.ExpiresAt, Methods = t.Methods.Split(','), AuditId = t.AuditId,
            AppCredentialId = t.AppCredentialId.Length > 0 ? t.AppCredentialId : null,
        };
    }

    public static async ValueTask<IReadOnlyList<Role>> RolesOn(IEntityStore store, string userId, char kind, string scopeId)
    {
        var roles = new List<Role>();
        foreach (var g in await Of(store, userId))
            if (g.Kind == kind && g.ScopeId == scopeId && (await Directory.Roles.Get(store, "", g.RoleId))?.Item is { } role) roles.Add(role);
        return roles;
    }

    /// <summary>admin implies member, member implies reader.</summary>
    public static string[] Implied(IEnumerable<string> names)
    {
        var all = names.ToHashSet();
        if (all.Contains("admin")) all.Add("member");
        if (all.Contains("member")) all.Add("reader");
        return [.. all.Order(StringComparer.Ordinal)];
    }
}
