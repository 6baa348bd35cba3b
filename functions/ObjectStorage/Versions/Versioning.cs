using System.Globalization;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.Versions;

/// <summary>X-Versions-Enabled: whatever is overwritten or deleted stays as an older version, and a deletion leaves a marker.</summary>
internal static class Versioning
{
    public const string Header = "X-Object-Version-Id", CurrentHeader = "X-Object-Current-Version-Id";
    public const string MarkerType = "application/x-deleted;swift_versions_deleted=1";
    /// <summary>Id of what was written while the container kept no versions.</summary>
    public const string Unversioned = "null";

    public static string Text(long? version) => version is { } ticks ? (ticks / (decimal)TimeSpan.TicksPerSecond).ToString("0000000000.0000000", CultureInfo.InvariantCulture) : Unversioned;

    /// <summary>Null for what is no id, and for <see cref="Unversioned"/>.</summary>
    public static long? Parse(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 253_402_300_800 ? (long)(seconds * TimeSpan.TicksPerSecond) : null;

    /// <summary>Of a version that comes now, after all that are there; null when the container keeps none.</summary>
    public static async ValueTask<long?> NewId(Edit edit, Container container, string name) => container.Versioning == true ? await Next(edit, container, name) : null;

    private static async ValueTask<long> Next(Edit edit, Container container, string name)
    {
        var (store, range) = (edit.Services.Store, Shelf.PastRange(container.Id, name));
        var past = (await store.List(Shelf.Of(edit.Project), range, Shelf.End(range), 1)).Select(r => Json.Read<StoredObject>(r.Body).Version);
        var current = (await Shelf.Object(store, container, name))?.Item;
        return past.Append(current is null ? null : Order(current)).Max() is { } last && last >= Ticks(edit.Services.Now) ? last + 1 : Ticks(edit.Services.Now);
    }

    /// <summary>Its place among the versions; of one that is none yet, the time it came.</summary>
    private static long Order(StoredObject item) => item.Version ?? Ticks(item.Modified);

    private static long Ticks(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks;

    /// <summary>Whether an object is still there, under another name or as a version, after it was overwritten or deleted.</summary>
    public static bool Keeps(Container container, StoredObject was) => container.Archive is not null || container.Versioning == true || was.Version is not null;

    /// <summary>What is about to be overwritten is kept, if its container wants that.</summary>
    public static async ValueTask Keep(Edit edit, Loaded<Container> container, Loaded<StoredObject> was)
    {
        if (container.Item.Archive is not null) await Archive.Keep(edit, container, was.Item);
        else if (Keeps(container.Item, was.Item)) Past(edit, container, was.Item with { Version = Order(was.Item) });
    }

    /// <summary>What DELETE does to the current version.</summary>
    /// <returns>Id of the marker that says so, if there is one.</returns>
    public static async ValueTask<long?> Remove(Edit edit, Loaded<Container> container, Loaded<StoredObject>? was, string name)
    {
        if (container.Item.Archive is not null) await Archive.Remove(edit, container, was, name);
        else if (was is not null)
        {
            await Keep(edit, container, was);
            edit.Remove(container, was);
        }
        if (await NewId(edit, container.Item, name) is not { } marker) return null;
        Past(edit, container, new() { Name = name, Version = marker, IsDeleteMarker = true, ContentType = MarkerType, ETag = ETags.Empty, Modified = edit.Services.Now });
        return marker;
    }

    private static void Past(Edit edit, Loaded<Container> container, StoredObject item) => edit.Put(container, null, item with { IsPast = true });

    /// <exception cref="Fault">404.</exception>
    public static async ValueTask<StoredObject> Find(Call c, Container container, string name, string version) =>
        (await Load(c, container, name, version)).Item is { IsDeleteMarker: false } item ? item : throw new Fault(404, "The resource could not be found.") { Headers = [(Header, version)] };

    public static async ValueTask<Loaded<StoredObject>> Load(Call c, Container container, string name, string version) => await TryLoad(c, container, name, version) ?? throw Containers.Missing();

    public static async ValueTask<Loaded<StoredObject>?> TryLoad(Call c, Container container, string name, string version)
    {
        var current = await Shelf.Object(c.Store, container, name, c.Cancelled);
        if (current is not null && Text(current.Item.Version) == version) return current;
        return Parse(version) is { } past ? await Shelf.Load<StoredObject>(c.Store, container.ProjectId, Shelf.PastKey(container.Id, name, past), c.Cancelled) : null;
    }

    /// <summary>DELETE ?version-id: that version goes for good.</summary>
    public static async ValueTask<Reply> Delete(Call c, Place place, string version)
    {
        var current = await Edit.Run(c, place.Project!, async edit =>
        {
            var container = await Shelf.Container(c.Store, edit.Project, place.Container, c.Cancelled) ?? throw Containers.Missing();
            var item = await Load(c, container.Item, place.Object, version);
            edit.Remove(container, item);
            return item.Item.IsPast ? (await Shelf.Object(c.Store, container.Item, place.Object, c.Cancelled))?.Item : null;
        });
        return SwiftDialect.Page(204).With(Header, version).With(CurrentHeader, Text(current?.Version));
    }

    /// <summary>PUT ?version-id: an older version becomes the current one.</summary>
    public static async ValueTask<Reply> Restore(Call c, Place place, string version) => Uploads.Created(await Edit.Run(c, place.Project!, async edit =>
    {
        var container = await Shelf.Container(c.Store, edit.Project, place.Container, c.Cancelled) ?? throw Containers.Missing();
        var item = await Load(c, container.Item, place.Object, version);
        if (item.Item.IsDeleteMarker) throw Containers.Missing();
        if (!item.Item.IsPast) return item.Item;
        var current = await Shelf.Object(c.Store, container.Item, place.Object, c.Cancelled);
        if (current is not null) await Keep(edit, container, current);
        edit.Remove(container, item);
        return edit.Put(container, current, item.Item with { IsPast = false });
    }));
}
