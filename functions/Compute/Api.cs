using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Nova's API, microversions 2.1 to 2.93.</summary>
public static class Api
{
    public static readonly Slice Slice = new("compute", "compute", ComputeDialect.Value,
    [
        new("GET", "/", Policy.Anyone, c => new(Reply.Object(200, w => w.Objects("versions", ["v2.0", "v2.1"], id => Version(w, c, id))))),
        new("GET", "/v2", Policy.Anyone, c => new(Reply.Object(200, w => w.Object("version", () => Version(w, c, "v2.0"))))),
        new("GET", "/v2.1", Policy.Anyone, c => new(Reply.Object(200, w => w.Object("version", () => Version(w, c, "v2.1"))))),
        .. Servers.Routes, .. ServerActions.Routes, .. ServerHistory.Routes, .. ServerMetadata.Routes, .. VolumeAttachments.Routes, .. Interfaces.Routes, .. Flavors.Routes, .. Keypairs.Routes,
        .. Infrastructure.Routes, .. Hypervisors.Routes, .. OldHosts.Routes, .. Limits.Routes, .. Unoffered.Routes,
    ])
    {
        CatalogName = "nova", CatalogPath = "/v2.1",
        Sagas = [ServerSagas.Creation, ServerSagas.Removal, ServerSagas.Sync, ServerSagas.Reboot],
        Owners =
        [
            new("domain", Holds, id => new RemoveDomain(id)) { Wanted = ServerSagas.On, OnlyMissing = true },
            new("disk", Holds, id => new RemoveDisk(id)),
        ],
        Leftovers = [Servers.Rows.Pointers, ServerSagas.Unhoused],
        OnDomain = ServerSagas.OnDomain, OnEvent = Keypairs.OnEvent,
        OnStart = Flavors.Bootstrap,
    };

    private static async ValueTask<bool> Holds(Services s, string host, string id) => (await Servers.Rows.Find(s.Store, id))?.Item.Host == host;

    // The old API is the new one at its first version, by another path.
    private static void Version(Utf8JsonWriter w, Call c, string id)
    {
        var now = id == "v2.1";
        w.WriteString("id", id);
        w.WriteString("status", now ? "CURRENT" : "SUPPORTED");
        w.WriteString("version", now ? ComputeDialect.Value.Microversions!.Max.ToString() : "");
        w.WriteString("min_version", now ? ComputeDialect.Value.Microversions!.Min.ToString() : "");
        w.WriteString("updated", now ? "2013-07-23T11:33:21Z" : "2011-01-21T11:33:21Z");
        w.Links(("self", c.BaseUrl + (now ? "/v2.1/" : "/v2/")));
        if (c.Path.Trim('/').Length > 0) w.Objects("media-types", [$"application/vnd.openstack.compute+json;version={(now ? "2.1" : "2")}"], type => { w.WriteString("base", "application/json"); w.WriteString("type", type); });
    }
}
