using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>OS-TRUST: one user lets another act with some of his roles. https://docs.openstack.org/api-ref/identity/v3-ext/#os-trust-api</summary>
public static class Trusts
{
    private const string Path = "/v3/OS-TRUST/trusts", One = Path + "/{trust_id}";
    public static readonly Rows<Trust> Rows = new("trust", "identity") { Global = true };

    private static readonly Kind<Trust> Kind = new(Rows, "trusts", Path, IdentityDialect.Value)
    {
        Sees = "identity:get_trust", KnownToAll = true, Id = "trust_id",
        TargetOf = t => new(null, t.TrustorUserId),
        Check = async (c, d) =>
        {
            var t = d.Item = c.Caller.TrustId is { } above ? Redelegations.Of(await Directory.Need(c, Rows, above), d.Item) : Redelegations.Begun(c, d.Item);
            c.Require("identity:create_trust", new(null, t.TrustorUserId));
            if (t.ExpiresAt <= c.Now) throw Fault.BadRequest("Invalid input for field 'expires_at': it is in the past.");
            await Directory.Need(c, Directory.Users, t.TrusteeUserId);
            var wanted = t.WantedRoles ?? [];
            if ((t.Project is null) != (wanted.Length == 0)) throw Fault.BadRequest("A trust is for a project and at least one role on it, or for neither.");
            if (t.Project is { } project) await Directory.Need(c, Directory.Projects, project);
            // What is handed on are the roles of the trust, whoever hands it on.
            var held = t.Project is null ? [] : t.RedelegatedTrustId is null ? await Grants.Effective(c.Store, t.TrustorUserId, 'p', t.Project) : await Redelegations.RolesOf(c);
            var roles = wanted.Select(w => held.FirstOrDefault(r => w.Id is not null ? r.Id == w.Id : r.Name == w.Name)?.Id ?? throw new Fault(403, "A role of the trust is not assigned to the trustor on the project."));
            d.Item = t with { RoleIds = [.. roles.Distinct()], WantedRoles = null };
        },
        CheckDelete = async (c, d) =>
        {
            Auth.Unrestricted(c);
            await RemoveOf(c, t => t.RedelegatedTrustId == d.Item.Id);
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, t, _) => IdentityDialect.SelfLink(w, c, "OS-TRUST/trusts", t.Id),
    };

    public static readonly Route[] Routes =
    [
        new("GET", Path, "authenticated", List),
        new("POST", Path, "identity:create_trust", async c => Shown(c, 201, await Kind.Create(c, c.Route.Policy, c.Body("trust"), null), await RolesOf(c))),
        new("GET", One, "identity:get_trust", async c => Shown(c, 200, await Own(c), await RolesOf(c))),
        Kind.Delete("identity:delete_trust"),
        new("GET", One + "/roles", "identity:list_roles_for_trust", async c => await Roles.Kind.PageFrom(c, (await Own(c)).RoleIds)),
        new("GET", One + "/roles/{role}", "identity:get_role_for_trust", async c => await Roles.OneOf(c, (await Own(c)).RoleIds)),
    ];

    /// <summary>Those of a user, or of a project that ends, with all that hand them on.</summary>
    public static async ValueTask RemoveOf(Call c, Func<Trust, bool> gone)
    {
        foreach (var t in (await Rows.InProject(c.Store, "")).Where(gone))
        {
            await RemoveOf(c, below => below.RedelegatedTrustId == t.Id);
            if (await Rows.Get(c.Store, "", t.Id) is { } row) await Rows.Remove(c.Services, row, Change.By(c));
        }
    }

    /// <summary>Takes one of the uses that are left.</summary>
    /// <returns>False when none was.</returns>
    public static async ValueTask<bool> Use(Call c, string id)
    {
        while (await Rows.Get(c.Store, "", id, c.Cancelled) is { } row)
        {
            if (row.Item.RemainingUses is not { } left) return true;
            if (left <= 0) return false;
            try
            {
                await Rows.Save(c.Services, row.Item with { RemainingUses = left - 1 }, row, Change.By(c), ct: c.Cancelled);
                return true;
            }
            catch (ConflictException) { /* somebody else used it at the same moment */ }
        }
        return false;
    }

    private static async ValueTask<Reply> List(Call c)
    {
        var (trustor, trustee) = (c.First("trustor_user_id"), c.First("trustee_user_id"));
        if (trustor is not null) c.Require("identity:list_trusts_for_trustor", new(null, trustor));
        if (trustee is not null) c.Require("identity:list_trusts_for_trustee", new(null, trustee));
        if (trustor is null && trustee is null) c.Require("identity:list_trusts", default);
        return Kind.PageFrom(c, await Rows.InProject(c.Store, ""));
    }

    // The trustee sees it too.
    private static async ValueTask<Trust> Own(Call c) =>
        await Directory.Get(c, Rows, c.Args[Kind.Id]) is { } trust && c.Allows(c.Route.Policy, new(null, trust.TrusteeUserId)) ? trust : (await Kind.Load(c, c.Route.Policy)).Item;

    private static async ValueTask<IReadOnlyDictionary<string, Role>> RolesOf(Call c) => (await Directory.Roles.InProject(c.Store, "")).ToDictionary(r => r.Id);

    private static Reply Shown(Call c, int status, Trust trust, IReadOnlyDictionary<string, Role> roles) => (Kind with
    {
        Extend = (w, call, t, detail) =>
        {
            Kind.Extend!(w, call, t, detail);
            w.WriteStartObject("roles_links");
            w.WriteNull("next");
            w.WriteString("self", $"{c.BaseUrl}/v3/OS-TRUST/trusts/{t.Id}/roles");
            w.WriteNull("previous");
            w.WriteEndObject();
            w.WriteStartArray("roles");
            foreach (var id in t.RoleIds)
                if (roles.TryGetValue(id, out var role)) Roles.Kind.WriteItem(w, call, role);
            w.WriteEndArray();
        },
    }).One1(c, status, trust);
}
