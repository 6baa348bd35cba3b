using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#groups</summary>
public static class Groups
{
    public static readonly Kind<Group> Kind = new(Directory.Groups, "groups", "/v3/groups", IdentityDialect.Value)
    {
        Sees = "identity:get_group",
        TargetOf = g => new(null, null, g.DomainId),
        Check = async (c, d) =>
        {
            if (d.Old is null) d.Item = d.Item with { DomainId = await Directory.DomainFor(c, d.Item.DomainId, "identity:create_group") };
            await Directory.ClaimName(c, d, Directory.Groups, Directory.NameOf(d.Item.DomainId, d.Item.Name), d.Old is null ? null : Directory.NameOf(d.Old.DomainId, d.Old.Name));
        },
        CheckDelete = async (c, d) =>
        {
            var group = d.Item;
            await Grants.RemoveWhere(c.Store, g => g.Actor == "g" + group.Id);
            foreach (var user in await Members.UsersOf(c.Store, group.Id)) await Members.Remove(c.Store, group.Id, user);
            d.After.Add(() => Claims.Free(c.Store, "group", Directory.NameOf(group.DomainId, group.Name), group.Id));
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, g, _) => IdentityDialect.SelfLink(w, c, "groups", g.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_groups"), Kind.Create("identity:create_group"), Kind.Show("identity:get_group"), Kind.Update("identity:update_group"), Kind.Delete("identity:delete_group").Told(async c => await Directory.Need(c, Directory.Groups, c.Args["id"])),
        new("GET", "/v3/groups/{id}/users", "identity:list_users_in_group", async c =>
        {
            var users = await Directory.Users.GetMany(c.Store, "", await Members.UsersOf(c.Store, (await Kind.Load(c, c.Route.Policy)).Item.Id), c.Cancelled);
            return Users.Kind.PageFrom(c, users.Where(u => Directory.IsInScope(c, u.DomainId)));
        }),
        new("PUT", "/v3/groups/{id}/users/{user}", "identity:add_user_to_group", async c =>
        {
            var (group, user) = await Pair(c);
            await Members.Add(c.Store, group, user);
            return Changed(c);
        }),
        new("GET", "/v3/groups/{id}/users/{user}", "identity:check_user_in_group", async c =>
        {
            var (group, user) = await Pair(c);
            return await Members.Has(c.Store, group, user) ? Reply.Empty(204) : throw NoMember(user, group);
        }),
        new("DELETE", "/v3/groups/{id}/users/{user}", "identity:remove_user_from_group", async c =>
        {
            var (group, user) = await Pair(c);
            if (!await Members.Has(c.Store, group, user)) throw NoMember(user, group);
            await Members.Remove(c.Store, group, user);
            return Changed(c);
        }),
    ];

    private static async ValueTask<(string Group, string User)> Pair(Call c) =>
        ((await Kind.Load(c, c.Route.Policy)).Item.Id, (await Users.Kind.Load(c, "identity:get_user", c.Args["user"])).Item.Id);

    private static Reply Changed(Call c)
    {
        Auth.TokensOf(c).Forget();
        return Reply.Empty(204);
    }

    private static Fault NoMember(string user, string group) => new(404, $"User {user} not found in group {group}.");
}
