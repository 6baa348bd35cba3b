using Cloud.Agents.Contract;
using Cloud.Image.Metadefs;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>Glance's API, version 2.15.</summary>
public static class Api
{
    public static readonly Platform.Slice Slice = new("image", "image", ImageDialect.Value,
    [
        new("GET", "/", Policy.Anyone, Versions), new("GET", "/versions", Policy.Anyone, Versions), new("GET", "/v2", Policy.Anyone, Versions),
        .. Images.Kind.SeenFirst([.. Images.Routes, .. ImageData.Routes, .. Members.Routes, .. ImageImport.Routes, .. Tasks.Routes, .. Stores.Routes]),
        .. Namespaces.Kind.SeenFirst([.. Namespaces.Routes, .. Objects.Routes, .. Properties.Routes, .. Tags.Routes, .. ResourceTypes.Routes]),
        .. Schemas.Routes, .. Cache.Routes,
    ])
    {
        CatalogName = "glance",
        Owners = [new("image", async (s, _, id) => await Images.Rows.Find(s.Store, id) is not null, id => new RemoveImage(id))],
        Sagas = [Cache.Filling, Cache.Removal],
        Leftovers = [Images.Rows.Pointers, Images.Rows.Strays, Tasks.Rows.Pointers, Cache.Orphans],
        Queues = [new("queue-image-imports", ImageImport.Queue, 4, Sessions: false, ImportRun.Handle)],
        Jobs = [new("sweep-blobs", TimeSpan.FromMinutes(30), Locations.Sweep), new("expire-tasks", TimeSpan.FromHours(1), Tasks.Expire)],
    };

    // Who asks for the versions gets them; who asks for anything else has a choice of them.
    private static ValueTask<Reply> Versions(Call c) => new(Reply.Of(c.Path == "/versions" ? 200 : 300, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray("versions");
        foreach (var minor in (int[])[15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
        {
            w.WriteStartObject();
            w.WriteString("id", $"v2.{minor}");
            w.WriteString("status", minor == 15 ? "CURRENT" : "SUPPORTED");
            w.WriteStartArray("links");
            w.WriteStartObject();
            w.WriteString("rel", "self");
            w.WriteString("href", c.BaseUrl + "/v2/");
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }));
}
