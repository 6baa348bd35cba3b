using System.Text;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.Versions;

/// <summary>
/// The older ways of keeping versions: another container gets what is overwritten, under LENGTH NAME/TIME. With X-Versions-Location a DELETE brings the newest of those back;
/// with X-History-Location it adds what was deleted, and a marker.
/// </summary>
internal static class Archive
{
    public static async ValueTask Keep(Edit edit, Loaded<Container> container, StoredObject was)
    {
        var archive = await Of(edit, container);
        await Put(edit, archive, was.Name, was.Modified, was with { Version = null });
    }

    public static async ValueTask Remove(Edit edit, Loaded<Container> container, Loaded<StoredObject>? was, string name)
    {
        var archive = await Of(edit, container);
        if (container.Item.History)
        {
            if (was is null) return;
            await Put(edit, archive, name, was.Item.Modified, was.Item);
            await Put(edit, archive, name, edit.Services.Now, new() { ContentType = Versioning.MarkerType, ETag = ETags.Empty });
            edit.Remove(container, was);
            return;
        }
        var newest = await Listing.Walk<StoredObject>(edit.Services.Store, Shelf.Of(edit.Project), Shelf.ObjectRange(archive.Item.Id), new() { Prefix = Prefix(name), Reverse = true, Limit = 1 }, default);
        var last = newest is [{ Item: { } found }] ? await Shelf.Object(edit.Services.Store, archive.Item, found.Name) : null;
        if (last is not null) edit.Remove(archive, last);
        if (last is { Item.ContentType: not Versioning.MarkerType }) edit.Put(container, was, last.Item with { Name = name, Modified = edit.Services.Now });
        else if (was is not null) edit.Remove(container, was);
    }

    private static async ValueTask Put(Edit edit, Loaded<Container> archive, string name, DateTimeOffset at, StoredObject item)
    {
        var key = Prefix(name) + SwiftDialect.Stamp(at);
        edit.Put(archive, await Shelf.Object(edit.Services.Store, archive.Item, key), item with { Name = key, Modified = at });
    }

    private static async ValueTask<Loaded<Container>> Of(Edit edit, Loaded<Container> container) =>
        await Shelf.Container(edit.Services.Store, edit.Project, container.Item.Archive!) ?? throw new Fault(412, "The container that keeps older versions does not exist.");

    private static string Prefix(string name) => $"{Encoding.UTF8.GetByteCount(name):x3}{name}/";
}
