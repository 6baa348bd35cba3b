using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Names whose owner never came to be, or went without freeing them.</summary>
public static class Unowned
{
    public static readonly IReadOnlyList<Leftovers> All =
    [
        Of(Directory.Projects, p => Directory.NameOf(p.DomainId, p.Name)), Of(Directory.Users, u => Directory.NameOf(u.DomainId, u.Name)),
        Of(Directory.Groups, g => Directory.NameOf(g.DomainId, g.Name)), Of(Directory.Roles, r => Directory.NameOf(r.DomainId, r.Name)), Of(Directory.Domains, d => d.Name),
        new("federated-names", (s, ct) => Claims.Unowned(s.Store, FederatedUsers.Scope, async () =>
            [.. from user in await Directory.Users.Everywhere(s.Store, ct) from key in FederatedUsers.KeysOf(user) select (FederatedUsers.Scope, Keys.Safe(key), user.Id)], ct)),
        Of(AppCredentials.Rows, AppCredentials.NameOf), Of(Limits.Registered, Limits.KeyOf), Of(Limits.Rows, Limits.KeyOf),
    ];

    private static Leftovers Of<T>(Rows<T> rows, Func<T, string> name) where T : Resource => new(rows.Name + "-names", (s, ct) =>
        Claims.Unowned(s.Store, rows.Name, async () => [.. (await rows.Everywhere(s.Store, ct)).Select(i => (rows.Name, Keys.Safe(name(i)), i.Id))], ct));
}
