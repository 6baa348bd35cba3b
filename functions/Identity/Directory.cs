using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>The rows of people, projects and roles, and the names that must be unique among them.</summary>
public static class Directory
{
    public static readonly Rows<Domain> Domains = new("domain", "identity") { Global = true };
    public static readonly Rows<Project> Projects = new("project", "identity") { Global = true, Named = p => p.Name };
    public static readonly Rows<User> Users = new("user", "identity") { Global = true, Named = u => u.Name };
    public static readonly Rows<Group> Groups = new("group", "identity") { Global = true, Named = g => g.Name };
    public static readonly Rows<Role> Roles = new("role", "identity") { Global = true };

    public static async ValueTask<User?> UserNamed(IEntityStore store, string domainId, string name) => await Named(store, Users, NameOf(domainId, name));
    public static async ValueTask<Group?> GroupNamed(IEntityStore store, string domainId, string name) => await Named(store, Groups, NameOf(domainId, name));
    public static async ValueTask<Project?> ProjectNamed(IEntityStore store, string domainId, string name) => await Named(store, Projects, NameOf(domainId, name));
    public static async ValueTask<Domain?> DomainNamed(IEntityStore store, string name) => await Named(store, Domains, name);
    /// <summary>A role of the whole cloud.</summary>
    public static async ValueTask<Role?> RoleNamed(IEntityStore store, string name) => await Named(store, Roles, NameOf(null, name));

    public static async ValueTask<T?> Get<T>(Call c, Rows<T> rows, string id) where T : Resource => (await rows.Get(c.Store, "", id, c.Cancelled))?.Item;

    /// <exception cref="Fault">404.</exception>
    public static async ValueTask<T> Need<T>(Call c, Rows<T> rows, string id) where T : Resource => await Get(c, rows, id) ?? throw Fault.NotFound(rows.Name, id);

    public static string NameOf(string? domainId, string name) => $"{domainId}:{name}";

    private static async ValueTask<T?> Named<T>(IEntityStore store, Rows<T> rows, string key) where T : Resource =>
        await Claims.OwnerOf(store, rows.Name, key) is { } id ? (await rows.Get(store, "", id))?.Item : null;

    /// <summary>The one of this name, made when there is none.</summary>
    public static async ValueTask<T> Make<T>(Services s, Rows<T> rows, T item, string name, Change change) where T : Resource
    {
        // The name first, as for anybody: what is killed and repeated finds the id it had chosen, and so does another instance that starts at the same time.
        do
        {
            var owner = await Claims.OwnerOf(s.Store, rows.Name, name);
            if (owner is not null && await rows.Get(s.Store, "", owner) is { } there) return there.Item;
            item = item with { Id = owner ?? item.Id, CreatedAt = s.Now };
        }
        while (!await Claims.Take(s.Store, rows.Name, name, item.Id));
        return await rows.Save(s, item, null, change);
    }

    /// <summary>The domain that something new goes to: the one asked for, else the caller's.</summary>
    /// <exception cref="Fault">403 when it isn't the caller's to fill, whether it exists or not; 404.</exception>
    public static async ValueTask<string> DomainFor(Call c, string? asked, string policy)
    {
        var id = asked is { Length: > 0 } ? asked : c.Caller.DomainId ?? c.Caller.ProjectDomainId ?? c.Caller.UserDomainId;
        c.Require(policy, new(null, null, id));
        await Need(c, Domains, id);
        return id;
    }

    /// <summary>A token for one domain lists nothing of another.</summary>
    public static bool IsInScope(Call c, string domain) => c.Caller.DomainId is null || c.Caller.DomainId == domain;

    /// <summary>Takes the new name before the write; an old one is freed after it.</summary>
    /// <exception cref="Fault">409 when somebody else has it.</exception>
    public static async ValueTask ClaimName<T>(Call c, Draft<T> d, Rows<T> rows, string key, string? oldKey) where T : Resource
    {
        if (key == oldKey) return;
        if (!await Claims.Take(c.Store, rows.Name, key, d.Item.Id, c.Cancelled))
        {
            // A claim whose owner is gone was left by a kill between the two writes.
            var owner = await Claims.OwnerOf(c.Store, rows.Name, key, c.Cancelled);
            if (owner is not null && await rows.Get(c.Store, "", owner, c.Cancelled) is not null)
                throw Fault.Conflict($"Conflict occurred attempting to store {rows.Name} - Duplicate entry found with name {key[(key.IndexOf(':', StringComparison.Ordinal) + 1)..]}.");
            if (owner is not null) await Claims.Free(c.Store, rows.Name, key, owner, c.Cancelled);
            await Claims.Take(c.Store, rows.Name, key, d.Item.Id, c.Cancelled);
        }
        d.Undo.Add(() => Claims.Free(c.Store, rows.Name, key, d.Item.Id));
        if (oldKey is not null) d.After.Add(() => Claims.Free(c.Store, rows.Name, oldKey, d.Item.Id));
    }

    /// <summary>Whatever tokens mean is looked up anew once the draft is written.</summary>
    public static void ForgetsTokens<T>(Call c, Draft<T> d) where T : Resource => d.After.Add(() =>
    {
        Auth.TokensOf(c).Forget();
        return ValueTask.CompletedTask;
    });
}
