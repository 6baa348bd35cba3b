using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>Cinder's API, version 3 with microversions 3.0 to 3.70.</summary>
public static class Api
{
    public static readonly Slice Slice = new("volume", "volumev3,block-storage", BlockDialect.Value,
    [
        new("GET", "/", Policy.Anyone, c => new(Version(c, 300))), new("GET", "/v3", Policy.Anyone, c => new(Version(c, 200))),
        .. Volumes.Routes, .. Snapshots.Routes, .. VolumeTypes.Routes, .. Attachments.Routes, .. Limits.Routes, .. Infrastructure.Routes, .. Unoffered.Routes,
    ])
    {
        CatalogName = "cinder", CatalogPath = "/v3/{project_id}",
        Sagas = [VolumeSagas.Creation, VolumeSagas.Extension, VolumeSagas.Removal, Snapshots.Creation, Snapshots.Removal],
        Owners = [new("disk", Holds, id => new RemoveDisk(id))],
        Leftovers = [Volumes.Rows.Pointers, Snapshots.Rows.Pointers],
        OnStart = VolumeTypes.Bootstrap,
    };

    // Servers' own disks have the same prefix; compute answers for them.
    private static async ValueTask<bool> Holds(Services s, string host, string id) =>
        (await Volumes.Rows.Find(s.Store, id))?.Item.Host == host || (await Snapshots.Rows.Find(s.Store, id))?.Item.Host == host;

    private static Reply Version(Call c, int status) => Reply.Object(status, w => w.Objects("versions", ["v3.0"], id =>
    {
        w.WriteString("id", id);
        w.WriteString("status", "CURRENT");
        w.WriteString("version", BlockDialect.Value.Microversions!.Max.ToString());
        w.WriteString("min_version", BlockDialect.Value.Microversions.Min.ToString());
        w.WriteString("updated", "2022-10-05T00:00:00Z");
        w.Links(("self", c.BaseUrl + "/v3/"));
        w.Objects("media-types", ["application/vnd.openstack.volume+json;version=3"], type => { w.WriteString("base", "application/json"); w.WriteString("type", type); });
    }));
}
