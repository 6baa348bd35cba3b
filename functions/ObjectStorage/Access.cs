using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Who may: the account's own project by its rules, resellers everywhere, and whom a container's list names.</summary>
internal static class Access
{
    public const string Reads = "object:read", Writes = "object:write", Reseller = "object:reseller";

    /// <exception cref="Fault">401 or 403. What isn't there looks the same to strangers.</exception>
    public static async ValueTask Require(Call c, Place place, Container? container = null, string? rule = null)
    {
        if (!await Allowed(c, place, container, rule ?? c.Route.Policy)) throw Refusal(c, place);
    }

    /// <summary>Whether the caller owns the account: he sees its secrets.</summary>
    public static bool Owns(Call c, Place place) => c.User is not null && (c.Allows(Reseller, default) || place.Project is { } project && c.Allows(Writes, new(project)));

    private static async ValueTask<bool> Allowed(Call c, Place place, Container? container, string rule)
    {
        // What another cluster signed is that, or nothing.
        if (Sync.Door.Opens(c, place, container)) return true;
        if (Sync.Door.IsSigned(c)) return false;
        // A signed address says all that its holder may.
        if (Signed.TempUrl.Is(c)) return await Signed.TempUrl.Opens(c, place, rule == Reads);
        if (c.User is not null && (c.Allows(Reseller, default) || place.Project is { } project && c.Allows(rule, new(project)))) return true;
        return container is not null && await Listed(c, place, container, rule == Reads);
    }

    private static async ValueTask<bool> Listed(Call c, Place place, Container container, bool reads)
    {
        // The container itself is its owner's to change.
        if (place.Object.Length == 0 && !reads) return false;
        if (reads && Acl.AllowsReferrer(container.Read, c.Header("Referer")) && (place.Object.Length > 0 || Acl.AllowsListings(container.Read))) return true;
        return c.User is { } user && await Acl.Names(reads ? container.Read : container.Write, user, () => Identity.Facade.NamesOf(c.Services, user));
    }

    public static Fault Refusal(Call c, Place place) => Sync.Door.IsSigned(c) ? Sync.Door.Refusal() : c.User is not null && !Signed.TempUrl.Is(c)
        ? new(403, "Access was denied to this resource.")
        : new(401, "This server could not verify that you are authorized to access the document you requested.")
        {
            Headers = [("WWW-Authenticate", $"Swift realm=\"{(place.Project is null ? "unknown" : place.Account)}\""), ("WWW-Authenticate", $"Keystone uri=\"{c.BaseUrl[..c.BaseUrl.LastIndexOf('/')]}/identity\"")],
        };
}
