using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Symbolic links: objects without bytes that stand for others (X-Symlink-Target).</summary>
internal static class Links
{
    private const string Target = "X-Symlink-Target", TargetAccount = Target + "-Account", TargetETag = Target + "-Etag";
    /// <summary>Links to links, at most.</summary>
    public const int MaxHops = 2;

    /// <summary>The draft with the link that the request asks for.</summary>
    /// <exception cref="Fault">400, 409 or 412.</exception>
    public static async ValueTask<StoredObject> Said(Call c, Place here, StoredObject draft, bool synced)
    {
        if (c.Header(Target) is not { Length: > 0 } target)
            return c.Header(TargetAccount) is null && c.Header(TargetETag) is null ? draft : throw Fault.BadRequest($"{Target} is missing");
        if (c.Header(Manifests.Dlo.Header) is not null) throw Fault.BadRequest("A symlink can't be a manifest");
        var account = c.Header(TargetAccount) is { Length: > 0 } other ? Place.Decode(other) : here.Account;
        var there = Place.Of(account, target, Target);
        if (there == here) throw Fault.BadRequest("Symlink cannot target itself");
        var etag = c.Header(TargetETag) is { Length: > 0 } text ? text.Trim('"') : null;
        // What another cluster sends may come before its target.
        if (etag is not null && !synced && (await Open(c, there)).Item.ETag != etag) throw Fault.Conflict($"Object Etag does not match {TargetETag} header value");
        return draft with { Link = new(there.Container, there.Object, account == here.Account ? null : account, etag) };
    }

    /// <summary>Whether a request is about the link itself.</summary>
    public static bool IsRaw(Call c) => c.First("symlink") == "get";

    /// <summary>The object of a place, or what it stands for, if the caller may read it.</summary>
    public static async ValueTask<(Place Place, StoredObject Item)> Open(Call c, Place place)
    {
        var (_, container) = await Containers.Open(c, place, Access.Reads);
        return await Follow(c, place, await Objects.Find(c, container.Item, place.Object));
    }

    public static async ValueTask<(Place Place, StoredObject Item)> Follow(Call c, Place place, StoredObject item)
    {
        for (var hops = 0; item.Link is { } link; hops++)
        {
            if (hops > MaxHops) throw Fault.Conflict($"Too many levels of symbolic links, maximum allowed is {MaxHops}");
            place = At(place, link);
            var (_, container) = await Containers.Open(c, place, Access.Reads);
            item = await Objects.Find(c, container.Item, place.Object);
            if (link.ETag is { } etag && item.ETag != etag) throw Fault.Conflict("Object Etag does not match the link's.");
        }
        return (place, item);
    }

    /// <summary>What a POST to a link is answered with: metadata is the target's.</summary>
    public static Reply Elsewhere(Call c, Place here, Link link) => SwiftDialect.Page(307, "The requested POST was made to a symlink. POST directly to the target if it is intended.")
        .With("Location", c.BaseUrl + Place.Escape(At(here, link).ToString()));

    public static Reply Describe(Reply reply, Link link)
    {
        foreach (var (name, value) in Headers(link)) reply.With(name, value);
        return reply;
    }

    /// <summary>In which a link is told, and made.</summary>
    public static IEnumerable<(string Name, string Value)> Headers(Link link)
    {
        yield return (Target, $"{Place.Escape(link.Container)}/{Place.Escape(link.Object)}");
        if (link.Account is { } account) yield return (TargetAccount, account);
        if (link.ETag is { } etag) yield return (TargetETag, etag);
    }

    /// <summary>The target's path, as listings show it.</summary>
    public static string PathOf(StoredObject o, Link link) => Place.Escape(At(new(Place.Reseller + o.ProjectId), link).ToString());

    private static Place At(Place here, Link link) => new(link.Account ?? here.Account, link.Container, link.Object);
}
