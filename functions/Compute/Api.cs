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
        new("GET", "/", Policy.Anyone, c => new(Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray("versions"); Version(w, c); w.WriteEndArray(); w.WriteEndObject(); }))),
        new("GET", "/v2.1", Policy.Anyone, c => new(Reply.Of(200, w => { w.WriteStartObject(); w.WritePropertyName("version"); Version(w, c); w.WriteEndObject(); }))),
        .. Servers.Routes, .. ServerActions.Routes, .. ServerMetadata.Routes, .. Attachments.Routes, .. Flavors.Routes, .. Keypairs.Routes, .. Infrastructure.Routes,
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
        OnDomain = ServerSagas.OnDomain,
        OnStart = Flavors.Bootstrap,
    };

    private static async ValueTask<bool> Holds(Services s, string host, string id) => (await Servers.Rows.Find(s.Store, id))?.Item is { Doomed: false } x && x.Host == host;

    private static void Version(Utf8JsonWriter w, Call c)
    {
        w.WriteStartObject();
        w.WriteString("id", "v2.1");
        w.WriteString("status", "CURRENT");
        w.WriteString("version", "2.93");
        w.WriteString("min_version", "2.1");
        w.WriteString("updated", "2013-07-23T11:33:21Z");
        w.WriteStartArray("links");
        w.WriteStartObject();
        w.WriteString("rel", "self");
        w.WriteString("href", c.BaseUrl + "/v2.1/");
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteStartArray("media-types");
        w.WriteStartObject();
        w.WriteString("base", "application/json");
        w.WriteString("type", "application/vnd.openstack.compute+json;version=2.1");
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteEndObject();
    }
}
