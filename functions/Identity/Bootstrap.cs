using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>What must exist before anybody can log in: the default domain, the roles, an administrator and his project.</summary>
public static class Bootstrap
{
    private static readonly Change By = new("bootstrap", "");

    public static async ValueTask Run(Services s)
    {
        if (s.Settings.AdminPassword is not { } password) return;
        await Make(s, Directory.Domains, new Domain { Id = "default", Name = "Default", Description = "The default domain" }, "Default");
        foreach (var role in (string[])["admin", "member", "reader"])
            await Make(s, Directory.Roles, new Role { Id = s.Ids.New(), Name = role }, Directory.NameOf(null, role));
        await Account(s, "admin", password, "admin", everywhere: true);
        if (s.Settings.DemoPassword is { } demo) await Account(s, "demo", demo, "member", everywhere: false);
    }

    private static async ValueTask Account(Services s, string name, string password, string role, bool everywhere)
    {
        var project = await Make(s, Directory.Projects, new Project { Id = s.Ids.New(), Name = name, DomainId = "default", ParentId = "default" }, Directory.NameOf("default", name));
        if (await Directory.UserNamed(s.Store, "default", name) is not { } user)
            user = await Make(s, Directory.Users, new User { Id = s.Ids.New(), Name = name, DomainId = "default", PasswordHash = await Passwords.Hash(password), DefaultProjectId = project.Id }, Directory.NameOf("default", name));
        var roleId = (await Directory.RoleNamed(s.Store, role))!.Id;
        await Grants.Add(s.Store, new(user.Id, 'p', project.Id, roleId));
        if (!everywhere) return;
        await Grants.Add(s.Store, new(user.Id, 's', "all", roleId));
        await Grants.Add(s.Store, new(user.Id, 'd', "default", roleId));
    }

    private static async ValueTask<T> Make<T>(Services s, Rows<T> rows, T item, string name) where T : Resource
    {
        if (await Claims.OwnerOf(s.Store, rows.Name, name) is { } owner && await rows.Get(s.Store, "", owner) is { } there) return there.Item;
        item = item with { CreatedAt = s.Now };
        var saved = await rows.Save(s, item, null, By);
        await s.Store.Commit($"claims.{rows.Name}", [new Op.Upsert(Keys.Safe(name), System.Text.Encoding.UTF8.GetBytes(item.Id))]);
        return saved;
    }
}
