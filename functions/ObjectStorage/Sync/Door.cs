using System.Globalization;
using Cloud.Platform;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Sync;

/// <summary>
/// Requests of other clusters, for single objects of a container with a key: signed with a realm's key (X-Container-Sync-Auth: REALM NONCE SIGNATURE), or with the container's
/// own in X-Container-Sync-Key. They bring the time of the change, and only what is newer counts.
/// </summary>
internal static class Door
{
    /// <summary>Clocks of clusters differ, but not by more than this.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromDays(1);

    /// <summary>Whether the request says that it is signed: then it is that, or refused, whoever sends it.</summary>
    public static bool IsSigned(Call c) => c.Header(Signature.Header) is not null;

    /// <summary>Whether the request may do what it asks with a place.</summary>
    public static bool Opens(Call c, Place place, Container? container) =>
        container is not null && place.Object.Length > 0 && place == Place.Of(c) && container.Name == place.Container && StampOf(c, container) is not null;

    /// <summary>When the change was made at the other end; null for what doesn't come from there.</summary>
    public static DateTimeOffset? StampOf(Call c, Container container)
    {
        if (container.SyncKey is not { Length: > 0 } key || c.Method is not ("PUT" or "DELETE" or "HEAD") || c.Query.Count > 0 || c.Header("X-Copy-From") is not null) return null;
        if (c.Header("X-Timestamp") is not { } text || Stamps.Read(text) is not { } at || at > c.Now + Skew) return null;
        return (IsSigned(c) ? HasSigned(c, text, key) : c.Header("X-Container-Sync-Key") is { } given && Signature.Same(given, key)) ? at : null;
    }

    private static bool HasSigned(Call c, string stamp, string key)
    {
        if (c.Header(Signature.Header)!.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var name, var nonce, var given] || c.Services.Settings.Sync.Find(name) is not { } realm) return false;
        return (from realmKey in (string[])[realm.Key, .. realm.Key2 is { Length: > 0 } second ? (string[])[second] : []]
                from path in (string[])[c.Path, new Uri(c.BaseUrl).AbsolutePath.TrimEnd('/') + c.Path]
                select Signature.Same(given, Signature.Of(realmKey, c.Method, path, stamp, nonce, key))).Any(same => same);
    }

    public static Fault Refusal() => new(401, "X-Container-Sync-Auth header not valid; contact cluster operator for support.") { Headers = [("WWW-Authenticate", "SwiftContainerSync realm=\"unknown\"")] };

    /// <summary>What HEAD tells the other end: of the object itself, whatever it stands for.</summary>
    public static Reply Show(StoredObject o) => Objects.Describe(SwiftDialect.Page(200).With("ETag", Uploads.ETagOf(o)), o);

    /// <summary>/info: realms and their clusters, and which of them this one is.</summary>
    public static void Write(System.Text.Json.Utf8JsonWriter w, SyncSettings sync)
    {
        var here = sync.Current.Trim('/').ToUpperInvariant();
        w.Object("realms", () =>
        {
            foreach (var (realm, said) in sync.Realms.Where(r => r.Value.Clusters.Count > 0))
                w.Object(realm.ToUpperInvariant(), () => w.Object("clusters", () =>
                {
                    foreach (var cluster in said.Clusters.Keys.Select(k => k.ToUpperInvariant()))
                        w.Object(cluster, () => { if (here == $"{realm.ToUpperInvariant()}/{cluster}") w.WriteBoolean("current", true); });
                }));
        });
    }
}
