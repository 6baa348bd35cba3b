using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Who a user is to an identity provider.</summary>
public sealed record FederatedLink
{
    public required string IdpId { get; init; }
    public required FederatedName[] Protocols { get; init; }
}

public sealed record FederatedName
{
    public required string ProtocolId { get; init; }
    public required string UniqueId { get; init; }
}

/// <summary>Users whom identity providers vouch for. Each name that a provider gives belongs to one user, and is no other provider's.</summary>
internal static class FederatedUsers
{
    public const string Scope = "federated";

    /// <summary>What of a user is unique in the cloud.</summary>
    public static IEnumerable<string> KeysOf(User? user) => from link in user?.Federated ?? [] from p in link.Protocols select KeyOf(link.IdpId, p.ProtocolId, p.UniqueId);

    /// <summary>The user behind what a provider says, made at the first login.</summary>
    public static async ValueTask<User> Of(Call c, IdentityProvider provider, string protocol, LocalUser said)
    {
        var (unique, name) = (said.Id ?? said.Name!, said.Name ?? said.Id!);
        if (unique.Length > 255 || name.Length > 255) throw Proofs.Denied("the mapping makes a name of more than 255 characters");
        while (true)
        {
            var id = await Claims.OwnerOf(c.Store, Scope, KeyOf(provider.Id, protocol, unique), c.Cancelled);
            var was = id is null ? null : await Directory.Users.Get(c.Store, "", id, c.Cancelled);
            if (was is null && !await Claims.Take(c.Store, Scope, KeyOf(provider.Id, protocol, unique), id ??= c.Services.Ids.Plain(), c.Cancelled)) continue;
            var user = was?.Item ?? new()
            {
                Id = id!, DomainId = provider.DomainId!, CreatedAt = c.Now,
                Federated = [new() { IdpId = provider.Id, Protocols = [new() { ProtocolId = protocol, UniqueId = unique }] }],
            };
            // One with a password has a name of his own.
            if (user.PasswordHash is null) user = user with { Name = name, Email = said.Email ?? user.Email };
            if (user == was?.Item) return user;
            try { return await Directory.Users.Save(c.Services, user, was, Change.By(c), ct: c.Cancelled); }
            catch (ConflictException) { /* another login at the same moment */ }
        }
    }

    /// <summary>Whether anybody still vouches for a user who has no password.</summary>
    public static async ValueTask<bool> IsVouchedFor(IEntityStore store, User user)
    {
        if (user.PasswordHash is not null || user.Federated is not { Length: > 0 } links) return true;
        foreach (var link in links)
            if ((await IdentityProviders.Rows.Get(store, "", link.IdpId))?.Item.Enabled == true) return true;
        return false;
    }

    /// <summary>Takes the names that an administrator gives a user, and frees those that he takes away.</summary>
    public static async ValueTask Claim(Call c, Draft<User> d)
    {
        var (old, now) = (KeysOf(d.Old).ToList(), KeysOf(d.Item).ToList());
        if (now.SequenceEqual(old)) return;
        foreach (var link in d.Item.Federated!)
        {
            // Else the administrator of one domain could catch the people of another's provider.
            if ((await Directory.Get(c, IdentityProviders.Rows, link.IdpId))?.DomainId != d.Item.DomainId) throw Fault.BadRequest($"Could not find Identity Provider: {link.IdpId} of this domain.");
            foreach (var p in link.Protocols)
                if (await Directory.Get(c, Protocols.Rows, Protocols.KeyOf(link.IdpId, p.ProtocolId)) is null) throw Fault.BadRequest($"Could not find federated protocol {p.ProtocolId} for Identity Provider: {link.IdpId}.");
        }
        foreach (var key in now.Except(old))
        {
            if (!await Claims.Take(c.Store, Scope, key, d.Item.Id, c.Cancelled)) throw Fault.Conflict("Conflict occurred attempting to store user - Duplicate entry found with this unique_id.");
            d.Undo.Add(() => Claims.Free(c.Store, Scope, key, d.Item.Id));
        }
        foreach (var key in old.Except(now)) d.After.Add(() => Claims.Free(c.Store, Scope, key, d.Item.Id));
    }

    /// <summary>A protocol ends: whoever comes later under the same names is somebody else. Users with no other way in are disabled.</summary>
    public static async ValueTask Unlink(Call c, string provider, string protocol)
    {
        await LentMembers.End(c.Store, Protocols.KeyOf(provider, protocol));
        foreach (var user in (await Directory.Users.InProject(c.Store, "", c.Cancelled)).Where(u => KeysOf(u).Any(k => k.StartsWith(KeyOf(provider, protocol, ""), StringComparison.Ordinal))))
        {
            if (await Directory.Users.Get(c.Store, "", user.Id, c.Cancelled) is not { } was) continue;
            FederatedLink[] left = [.. was.Item.Federated!.Select(l => l.IdpId == provider ? l with { Protocols = [.. l.Protocols.Where(p => p.ProtocolId != protocol)] } : l).Where(l => l.Protocols.Length > 0)];
            var item = was.Item with { Federated = left };
            if (left.Length == 0 && item.PasswordHash is null) item = item with { Enabled = false, Era = item.Era + 1 };
            await Directory.Users.Save(c.Services, item, was, Change.By(c), ct: c.Cancelled);
            foreach (var key in KeysOf(was.Item).Except(KeysOf(item))) await Claims.Free(c.Store, Scope, key, item.Id, c.Cancelled);
        }
    }

    /// <summary>Filters of lists: idp_id, protocol_id, unique_id.</summary>
    public static bool Match(Call c, User user)
    {
        var (idp, protocol, unique) = (c.First("idp_id"), c.First("protocol_id"), c.First("unique_id"));
        return (idp ?? protocol ?? unique) is null || (user.Federated ?? []).Any(l => (idp is null || l.IdpId == idp) && l.Protocols.Any(p => (protocol is null || p.ProtocolId == protocol) && (unique is null || p.UniqueId == unique)));
    }

    private static string KeyOf(string provider, string protocol, string unique) => $"{Protocols.KeyOf(provider, protocol)}/{unique}";
}
