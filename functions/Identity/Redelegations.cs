using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>Trusts that are handed on: no wider, no longer and no oftener than the trust they come from. https://docs.openstack.org/api-ref/identity/v3-ext/#os-trust-api</summary>
internal static class Redelegations
{
    private const int Most = 3;

    /// <summary>A user's own trust.</summary>
    public static Trust Begun(Call c, Trust wanted)
    {
        Auth.Unrestricted(c);
        if (wanted.AllowRedelegation && wanted.RedelegationCount > Most) throw new Fault(403, $"Requested redelegation depth of {wanted.RedelegationCount} is greater than allowed {Most}.");
        return Counted(wanted, wanted.RedelegationCount ?? Most);
    }

    /// <summary>One made with a token of <paramref name="above"/>.</summary>
    /// <exception cref="Fault">403 for what would be more than that.</exception>
    public static Trust Of(Trust above, Trust wanted)
    {
        var left = above.RedelegationCount ?? 0;
        if (left == 0) throw new Fault(403, "This trust can't be handed on.");
        if (wanted.AllowRedelegation && wanted.RedelegationCount is { } count && count != 0 && count != left - 1) throw new Fault(403, "Modifying 'redelegation_count' upon redelegation is forbidden. Omitting this parameter is advised.");
        if (wanted.RemainingUses is not null) throw new Fault(403, "A trust that is handed on can't have 'remaining_uses'.");
        if (wanted.ExpiresAt > above.ExpiresAt) throw new Fault(403, "Requested expiration time is more than redelegated trust can provide.");
        if (wanted.Impersonation && !above.Impersonation) throw new Fault(403, "Impersonation is not allowed because redelegated trust does not specify impersonation.");
        if (wanted.Project != above.Project) throw new Fault(403, "A trust is handed on for its own project.");
        return Counted(wanted with { RedelegatedTrustId = above.Id, ExpiresAt = wanted.ExpiresAt ?? above.ExpiresAt }, wanted.RedelegationCount ?? left - 1);
    }

    /// <summary>The roles of the caller's token, which are those of the trust that he hands on.</summary>
    public static ValueTask<IReadOnlyList<Role>> RolesOf(Call c) => Directory.Roles.GetMany(c.Store, "", c.Caller.RoleIds, c.Cancelled);

    private static Trust Counted(Trust wanted, int count)
    {
        var further = wanted.AllowRedelegation ? count : 0;
        return further == 0 || wanted.RemainingUses is null ? wanted with { RedelegationCount = further } : throw Fault.BadRequest("Invalid input for field 'remaining_uses': it must not be set if redelegation is allowed.");
    }
}
