using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>What must exist before anybody can log in: the catalog, the default domain, the roles, an administrator and his project.</summary>
public static class Bootstrap
{
    private static readonly Change By = new("bootstrap", "");

    public static async ValueTask Run(Services s)
    {
        await CatalogOf(s);
        await Directory.Users.KeepNames(s.Store);
        await Directory.Groups.KeepNames(s.Store);
        await Directory.Projects.KeepNames(s.Store);
        if (s.Settings.AdminPassword is not { } password) return;
        await Make(s, Directory.Domains, new Domain { Id = "default", Name = "Default", Description = "The default domain" }, "Default");
        Role? below = null;
        foreach (var name in (string[])["reader", "member", "admin"])
        {
            var role = await Make(s, Directory.Roles, new Role { Id = s.Ids.Plain(), Name = name, Options = { ["immutable"] = JsonSerializer.SerializeToElement(true) } }, Directory.NameOf(null, name));
            if (below is not null) await Implications.Add(s.Store, role.Id, below.Id);
            below = role;
        }
        foreach (var name in (string[])["service", "ResellerAdmin"]) await Make(s, Directory.Roles, new Role { Id = s.Ids.Plain(), Name = name }, Directory.NameOf(null, name));
        await Account(s, "admin", password, "admin", everywhere: true);
        if (s.Settings.DemoPassword is { } demo) await Account(s, "demo", demo, "member", everywhere: false);
    }

    private static async ValueTask Account(Services s, string name, string password, string role, bool everywhere)
    {
        var project = await Make(s, Directory.Projects, new Project { Id = s.Ids.Plain(), Name = name, DomainId = "default", ParentId = "default" }, Directory.NameOf("default", name));
        if (await Directory.UserNamed(s.Store, "default", name) is not { } user)
            user = await Make(s, Directory.Users, new User { Id = s.Ids.Plain(), Name = name, DomainId = "default", PasswordHash = await Passwords.Hash(password), DefaultProjectId = project.Id }, Directory.NameOf("default", name));
        var roleId = (await Directory.RoleNamed(s.Store, role))!.Id;
        await Grants.Add(s.Store, new("u" + user.Id, 'p', project.Id, roleId));
        if (!everywhere) return;
        await Grants.Add(s.Store, new("u" + user.Id, 's', "all", roleId));
        await Grants.Add(s.Store, new("u" + user.Id, 'd', "default", roleId));
    }

    // A service that this cloud has is in its catalog; what an administrator changed of it stays changed.
    private static async ValueTask CatalogOf(Services s)
    {
        await Once(s, Regions.Rows, new Region { Id = s.Settings.Region });
        foreach (var slice in s.Slices.Where(x => x.CatalogName.Length > 0))
            foreach (var type in slice.Type.Split(','))
            {
                await Once(s, Endpoints.Services, new Service { Id = type, Type = type, Name = slice.CatalogName });
                var url = $"{Catalog.Root}/{slice.Prefix}{slice.CatalogPath.Replace("{project_id}", "%(project_id)s", StringComparison.Ordinal)}";
                foreach (var side in (string[])["public", "internal", "admin"])
                    await Once(s, Endpoints.Rows, new Endpoint { Id = $"{type}-{side}", ServiceId = type, Interface = side, Url = url, RegionId = s.Settings.Region });
            }
    }

    private static async ValueTask Once<T>(Services s, Rows<T> rows, T item) where T : Resource
    {
        if (await rows.Get(s.Store, "", item.Id) is null) await rows.Save(s, item with { CreatedAt = s.Now }, null, By);
    }

    private static ValueTask<T> Make<T>(Services s, Rows<T> rows, T item, string name) where T : Resource => Directory.Make(s, rows, item, name, By);
}
