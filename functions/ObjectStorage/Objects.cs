using Cloud.ObjectStorage.Manifests;
using Cloud.ObjectStorage.Versions;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>https://docs.openstack.org/api-ref/object-store/#objects, but for what brings bytes (<see cref="Uploads"/>).</summary>
internal static class Objects
{
    /// <summary>Headers besides metadata that are kept and given back.</summary>
    private static readonly string[] Kept = ["Content-Encoding", "Content-Disposition", "Content-Language", "Cache-Control", "Expires", "X-Robots-Tag", Dlo.Header];

    public static ValueTask<Reply> Show(Call c) => Show(c, Place.Of(c));

    public static async ValueTask<Reply> Show(Call c, Place place)
    {
        var (_, container) = await Containers.Open(c, place);
        if (c.Method == "HEAD" && Sync.Door.StampOf(c, container.Item) is not null) return Sync.Door.Show(await Find(c, container.Item, place.Object));
        var item = c.First("version-id") is { } version ? await Versioning.Find(c, container.Item, place.Object, version) : await Find(c, container.Item, place.Object);
        return Signed.TempUrl.Name(c, place, await Answer(c, place, item));
    }

    /// <summary>An object with the content that stands for it.</summary>
    public static async ValueTask<Reply> Answer(Call c, Place place, StoredObject item)
    {
        var (there, target) = Links.IsRaw(c) ? (place, item) : await Links.Follow(c, place, item);
        var body = Body.IsRaw(c) ? await Body.Raw(c, target) : await Body.Of(c, there, target);
        var reply = Conditions.Of(c, body.ETag.Trim('"'), target.Modified) is { } status ? SwiftDialect.Page(status) : await ByteRanges.Answer(c, body.Content, body.ContentType);
        Describe(reply.With("ETag", body.ETag).With("Accept-Ranges", "bytes"), target);
        if (target.Link is { } link) return Links.Describe(reply, link);
        return item.Link is null ? reply : reply.With("Content-Location", Place.Escape(there.ToString()));
    }

    public static async ValueTask<Reply> Update(Call c)
    {
        if (Signed.FormPost.Is(c)) return await Signed.FormPost.Run(c);
        var (place, opened) = await Containers.Open(c);
        if (!Links.IsRaw(c) && (await Find(c, opened.Item, place.Object)).Link is { } link) return Links.Elsewhere(c, place, link);
        await Edit.Run(c, opened.Item.ProjectId, async edit =>
        {
            var (_, container) = await Containers.Open(c, place);
            var was = await Shelf.Object(c.Store, container.Item, place.Object, c.Cancelled) is { } there && !Gone(c, there.Item) ? there : throw Containers.Missing();
            var at = await Sync.Stamps.Of(c, edit, container.Item, place.Object, was.Item);
            return edit.Put(container, was, Said(c, was.Item) with { Modified = at, ContentType = c.Header("Content-Type") is { Length: > 0 } type ? type : was.Item.ContentType });
        });
        return SwiftDialect.Page(202);
    }

    public static async ValueTask<Reply> Delete(Call c)
    {
        var (place, opened) = await Containers.Open(c);
        if (c.First("version-id") is { } version) return await Versioning.Delete(c, place, version);
        if (c.First("multipart-manifest") == "delete") return await Bulk.BulkDelete.Manifest(c, place, await Find(c, opened.Item, place.Object));
        return await Remove(c, place);
    }

    /// <summary>Deletes it as its owner would: what is to be kept of it is kept.</summary>
    /// <exception cref="Fault">404.</exception>
    public static async ValueTask<Reply> Remove(Call c, Place place)
    {
        var marker = await RemoveCurrent(c, place);
        var reply = SwiftDialect.Page(204);
        return marker is null ? reply : reply.With(Versioning.Header, Versioning.Text(marker));
    }

    /// <returns>Id of the marker that says so, where versions are kept.</returns>
    /// <exception cref="Fault">404.</exception>
    public static async ValueTask<long?> RemoveCurrent(Call c, Place place)
    {
        var (was, marker) = await Edit.Run(c, place.Project!, async edit =>
        {
            var container = await Shelf.Container(c.Store, edit.Project, place.Container, c.Cancelled) ?? throw Containers.Missing();
            var there = await Shelf.Object(c.Store, container.Item, place.Object, c.Cancelled);
            edit.At = await Sync.Stamps.Of(c, edit, container.Item, place.Object, there?.Item);
            if (there is null) Sync.Log.Bury(edit, container.Item, place.Object);
            return (there, await Versioning.Remove(edit, container, there, place.Object));
        });
        return marker is not null || was is not null && !Gone(c, was.Item) ? marker : throw Containers.Missing();
    }

    public static async ValueTask<StoredObject> Find(Call c, Container container, string name) =>
        (await Shelf.Object(c.Store, container, name, c.Cancelled))?.Item is { } item && !Gone(c, item) ? item : throw Containers.Missing();

    /// <summary>Its time has come, whether or not it was collected yet.</summary>
    public static bool Gone(Call c, StoredObject o) => o.DeleteAt <= c.Now;

    /// <summary>What the request's headers say of an object; what they don't say is no more.</summary>
    public static StoredObject Said(Call c, StoredObject item)
    {
        if (c.Header(Dlo.Header) is { Length: > 0 } manifest) Dlo.Check(manifest);
        return item with
        {
            Meta = Metadata.Read(c, "X-Object-Meta-"),
            DeleteAt = Expiry.Read(c),
            Headers = Kept.Where(h => c.Header(h) is { Length: > 0 }).ToDictionary(h => h, h => c.Header(h)!),
        };
    }

    public static Reply Describe(Reply reply, StoredObject o)
    {
        reply.With("Last-Modified", SwiftDialect.HttpDate(o.Modified)).With("X-Timestamp", SwiftDialect.Stamp(o.Modified)).With("X-Object-Meta-", o.Meta).With("", o.Headers);
        if (o.DeleteAt is { } at) reply.With("X-Delete-At", SwiftDialect.Number(at.ToUnixTimeSeconds()));
        if (o.IsManifest) reply.With("X-Static-Large-Object", "True").With("X-Manifest-Etag", o.Blob!.Md5);
        if (o.Version is not null) reply.With(Versioning.Header, Versioning.Text(o.Version));
        return reply;
    }
}
