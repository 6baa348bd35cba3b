using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>https://docs.openstack.org/api-ref/object-store/#objects, but for what brings bytes (<see cref="Uploads"/>).</summary>
internal static class Objects
{
    /// <summary>Headers besides metadata that are kept and given back.</summary>
    private static readonly string[] Kept = ["Content-Encoding", "Content-Disposition", "Content-Language", "Cache-Control", "Expires", "X-Robots-Tag", "X-Object-Manifest"];

    public static async ValueTask<Reply> Show(Call c)
    {
        var (place, container) = await Containers.Open(c);
        var item = await Find(c, container.Item, place.Object);
        return await Answer(c, item, Content.Of(c.Services, item), item.ETag);
    }

    /// <summary>An object with the content that stands for it.</summary>
    public static async ValueTask<Reply> Answer(Call c, StoredObject item, Content content, string etag)
    {
        var reply = Conditions.Of(c, etag.Trim('"'), item.Modified) is { } status ? SwiftDialect.Page(status) : await ByteRanges.Answer(c, content, item.ContentType);
        return Describe(reply.With("ETag", etag).With("Accept-Ranges", "bytes"), item);
    }

    public static async ValueTask<Reply> Update(Call c)
    {
        var (place, opened) = await Containers.Open(c);
        await Edit.Run(c, opened.Item.ProjectId, async edit =>
        {
            var (_, container) = await Containers.Open(c, place);
            var was = await Shelf.Object(c.Store, container.Item, place.Object, c.Cancelled) is { } there && !Gone(c, there.Item) ? there : throw Containers.Missing();
            return edit.Put(container, was, Said(c, was.Item) with { Modified = c.Now, ContentType = c.Header("Content-Type") is { Length: > 0 } type ? type : was.Item.ContentType });
        });
        return SwiftDialect.Page(202);
    }

    public static async ValueTask<Reply> Delete(Call c)
    {
        var (place, opened) = await Containers.Open(c);
        await Edit.Run(c, opened.Item.ProjectId, async edit =>
        {
            var (_, container) = await Containers.Open(c, place);
            return await Remove(edit, container, place.Object);
        });
        return SwiftDialect.Page(204);
    }

    public static async ValueTask<bool> Remove(Edit edit, Loaded<Container> container, string name)
    {
        var was = await Shelf.Object(edit.Services.Store, container.Item, name) ?? throw Containers.Missing();
        edit.Remove(container, was);
        return was.Item.DeleteAt is not { } at || at > edit.Services.Now ? true : throw Containers.Missing();
    }

    public static async ValueTask<StoredObject> Find(Call c, Container container, string name) =>
        (await Shelf.Object(c.Store, container, name, c.Cancelled))?.Item is { } item && !Gone(c, item) ? item : throw Containers.Missing();

    /// <summary>Its time has come, whether or not it was collected yet.</summary>
    public static bool Gone(Call c, StoredObject o) => o.DeleteAt <= c.Now;

    /// <summary>What the request's headers say of an object; what they don't say is no more.</summary>
    public static StoredObject Said(Call c, StoredObject item) => item with
    {
        Meta = Metadata.Read(c, "X-Object-Meta-"),
        DeleteAt = Expiry.Read(c),
        Headers = Kept.Where(h => c.Header(h) is { Length: > 0 }).ToDictionary(h => h, h => c.Header(h)!),
    };

    public static Reply Describe(Reply reply, StoredObject o)
    {
        reply.With("Last-Modified", SwiftDialect.HttpDate(o.Modified)).With("X-Timestamp", SwiftDialect.Stamp(o.Modified)).With("X-Object-Meta-", o.Meta).With("", o.Headers);
        if (o.DeleteAt is { } at) reply.With("X-Delete-At", SwiftDialect.Number(at.ToUnixTimeSeconds()));
        return reply;
    }
}
