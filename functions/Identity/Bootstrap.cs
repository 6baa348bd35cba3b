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
        await Once(s, Regions.Rows, [new Region { Id = s.Settings.Region }]);
        var types = s.Slices.Where(x => x.CatalogName.Length > 0).SelectMany(x => x.Type.Split(',').Select(t => (Type: t, Slice: x))).ToList();
        await Once(s, Endpoints.Services, types.Select(t => new Service { Id = t.Type, Type = t.Type, Name = t.Slice.CatalogName }));
        await Once(s, Endpoints.Rows, types.SelectMany(t => ((string[])["public", "internal", "admin"]).Select(side => new Endpoint
        {
            Id = $"{t.Type}-{side}", ServiceId = t.Type, Interface = side, RegionId = s.Settings.Region,
            Url = $"{Catalog.Root}/{t.Slice.Prefix}{t.Slice.CatalogPath.Replace("{project_id}", "%(project_id)s", StringComparison.Ordinal)}",
        })));
    }

    // One look for all of a kind: a function app starts often.
    private static async ValueTask Once<T>(Services s, Rows<T> rows, IEnumerable<T> items) where T : Resource
    {
        var there = (await rows.InProject(s.Store, "")).Select(i => i.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var item in items.Where(i => !there.Contains(i.Id))) await rows.Save(s, item with { CreatedAt = s.Now }, null, By);
    }

    private static ValueTask<T> Make<T>(Services s, Rows<T> rows, T item, string name) where T : Resource => Directory.Make(s, rows, item, name, By);
}
