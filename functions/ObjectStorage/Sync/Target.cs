using Cloud.Platform;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Sync;

/// <summary>Where a container's changes go: X-Container-Sync-To as <c>//REALM/CLUSTER/ACCOUNT/CONTAINER</c>, of a realm that the settings know, or as another container's URL.</summary>
/// <param name="Url">Of the other container, no slash at its end.</param>
/// <param name="Realm">Whose key signs requests; null when they carry the container's own.</param>
internal sealed record Target(string Url, string? Realm, string RealmKey)
{
    /// <exception cref="Fault">400.</exception>
    public static Target Of(Services s, string text)
    {
        var target = text.StartsWith("//", StringComparison.Ordinal) ? OfRealm(s, text) : new(text.TrimEnd('/'), null, "");
        try
        {
            var uri = s.Outbound.Check(target.Url);
            if (uri.AbsolutePath is "/" or "") throw Fault.BadRequest("Path required in X-Container-Sync-To");
            if (uri.Query.Length > 0 || uri.Fragment.Length > 0 || target.Url.AsSpan().ContainsAny("?#;")) throw Fault.BadRequest("Params, queries, and fragments not allowed in X-Container-Sync-To");
        }
        catch (OutboundException e) { throw Fault.BadRequest($"X-Container-Sync-To: {e.Message}"); }
        return target;
    }

    private static Target OfRealm(Services s, string text)
    {
        if (text[2..].TrimEnd('/').Split('/') is not [var name, var cluster, { Length: > 0 } account, { Length: > 0 } container]) throw Fault.BadRequest($"Invalid X-Container-Sync-To format '{Short(text)}'");
        if (s.Settings.Sync.Find(name) is not { } realm) throw Fault.BadRequest($"No realm key for '{Short(name)}'");
        return realm.Endpoint(cluster) is { } endpoint ? new($"{endpoint.TrimEnd('/')}/{account}/{container}", name.ToUpperInvariant(), realm.Key)
            : throw Fault.BadRequest($"No cluster endpoint for '{Short(name)}' '{Short(cluster)}'");
    }

    private static string Short(string text) => text.Length > 64 ? text[..64] : text;
}
