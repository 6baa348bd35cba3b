using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Who has which role where.</summary>
/// <param name="Actor">u and a user's id, or g and a group's.</param>
/// <param name="Kind">p project, d domain, s system.</param>
/// <param name="Inherited">It holds for all projects below the scope, not for the scope itself.</param>
public sealed record Grant(string Actor, char Kind, string ScopeId, string RoleId, bool Inherited = false);

/// <summary>Role assignments, one row each, ordered by actor.</summary>
public static class Grants
{
    private const string Partition = "grants";

    private static string Key(Grant g) => $"{Keys.Safe(g.Actor)}|{g.Kind}{Keys.Safe(g.ScopeId)}|{Keys.Safe(g.RoleId)}{(g.Inherited ? "|below" : "")}";

    public static ValueTask Add(IEntityStore store, Grant g) => store.Commit(Partition, [new Op.Upsert(Key(g), Json.Write(g))]);
    public static ValueTask Remove(IEntityStore store, Grant g) => store.Commit(Partition, [new Op.Delete(Key(g))]);
    public static async ValueTask<bool> Exists(IEntityStore store, Grant g) => await store.Get(Partition, Key(g)) is not null;

    public static async ValueTask<IReadOnlyList<Grant>> Of(IEntityStore store, string? actor = null)
    {
        var (from, to) = Keys.Range(actor is null ? "" : Keys.Safe(actor) + "|");
        return [.. (await store.List(Partition, from, to)).Select(r => Json.Read<Grant>(r.Body))];
    }

    /// <summary>For the end of a user, group, project, domain or role.</summary>
    public static async ValueTask RemoveWhere(IEntityStore store, Func<Grant, bool> gone)
    {
        foreach (var g in await Of(store)) if (gone(g)) await Remove(store, g);
    }

    /// <summary>All grants that are a user's: his own and his groups'.</summary>
    public static async ValueTask<List<Grant>> OfUser(IEntityStore store, string userId)
    {
        var all = new List<Grant>(await Of(store, "u" + userId));
        foreach (var group in await Members.GroupsOf(store, userId)) all.AddRange(await Of(store, "g" + group));
        return all;
    }

    /// <summary>The roles a user has on a scope: his own, his groups', inherited from above and implied ones. Roles of a single domain only imply others.</summary>
    public static async ValueTask<IReadOnlyList<Role>> Effective(IEntityStore store, string userId, char kind, string scopeId)
    {
        var grants = await OfUser(store, userId);
        if (grants.Count == 0) return [];
        var above = kind == 'p' ? await Tree.Above(store, scopeId) : [];
        var held = grants.Where(g => g.Inherited ? above.Contains((g.Kind, g.ScopeId)) : g.Kind == kind && g.ScopeId == scopeId).Select(g => g.RoleId);
        var roles = new List<Role>();
        foreach (var id in Implications.Expand(held, await Implications.All(store)))
            if ((await Directory.Roles.Get(store, "", id))?.Item is { DomainId: null } role) roles.Add(role);
        return roles;
    }
}
