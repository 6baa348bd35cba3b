using Cloud.ObjectStorage.Manifests;
using Cloud.ObjectStorage.Versions;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>COPY, and PUT with X-Copy-From. Within an account a copy shares the blob; between accounts the bytes are copied.</summary>
internal static class Copies
{
    public static async ValueTask<Reply> Copy(Call c)
    {
        var here = Place.Of(c);
        // Whoever may not read it learns nothing of what his request lacks.
        await Containers.Open(c, here, Access.Reads);
        if (c.Header("Destination") is not { Length: > 0 } destination) throw new Fault(412, "Destination header required");
        var account = c.Header("Destination-Account") is { Length: > 0 } other ? Place.Decode(other) : here.Account;
        var there = Place.Of(account, destination, "Destination");
        there.CheckNames();
        return await Run(c, here, there);
    }

    public static async ValueTask<Reply> From(Call c, Place here, string source)
    {
        if (c.Header("Content-Length") is not (null or "0")) throw Fault.BadRequest("Copy requests require a zero byte body");
        Uploads.CheckNoneMatch(c);
        var account = c.Header("X-Copy-From-Account") is { Length: > 0 } other ? Place.Decode(other) : here.Account;
        return await Run(c, Place.Of(account, source, "X-Copy-From"), here);
    }

    private static async ValueTask<Reply> Run(Call c, Place from, Place to)
    {
        var (_, origin) = await Containers.Open(c, from, Access.Reads);
        var (_, target) = await Containers.Open(c, to);
        var found = c.First("version-id") is { } version ? await Versioning.Find(c, origin.Item, from.Object, version) : await Objects.Find(c, origin.Item, from.Object);
        var (at, source) = Links.IsRaw(c) ? (from, found) : await Links.Follow(c, from, found);
        var draft = Draft(c, source, to.Object);
        var body = Body.IsRaw(c) ? null : await Body.Of(c, at, source);
        var stored = body is not null && body.ETag != source.ETag ? await Whole(c, target, to, draft, body.Content)
            : at.Account == to.Account ? await Shared(c, at, to, source, draft) : await Apart(c, target, to, source, draft);
        return Objects.Describe(SwiftDialect.Page(201).With("ETag", Uploads.ETagOf(stored)), stored)
            .With("X-Copied-From", $"{Place.Escape(from.Container)}/{Place.Escape(from.Object)}").With("X-Copied-From-Account", from.Account)
            .With("X-Copied-From-Last-Modified", SwiftDialect.HttpDate(source.Modified));
    }

    private static ValueTask<StoredObject> Shared(Call c, Place from, Place to, StoredObject source, StoredObject draft) => Uploads.Publish(c, to, draft, async edit =>
    {
        // Its blob is shared only while the source still needs it.
        var origin = await Shelf.Container(c.Store, edit.Project, from.Container, c.Cancelled) ?? throw Containers.Missing();
        var now = source.IsPast ? await Versioning.Load(c, origin.Item, source.Name, Versioning.Text(source.Version)) : await Shelf.Object(c.Store, origin.Item, from.Object, c.Cancelled);
        if (now?.Item.Blob?.Name != source.Blob?.Name) throw Fault.Conflict("The source was changed meanwhile.");
        if (from != to || source.IsPast) edit.While(now!);
    });

    /// <summary>Between accounts: the same bytes, a manifest's own as well.</summary>
    private static async ValueTask<StoredObject> Apart(Call c, Loaded<Container> target, Place to, StoredObject source, StoredObject draft)
    {
        var content = Content.Of(c.Services, source);
        await using var bytes = await content.Read(0, content.Length, c.Cancelled);
        return await Uploads.Store(c, target, to, new(draft, bytes, content.Length) { Finish = o => o with { Size = draft.Size, ETag = draft.ETag } });
    }

    /// <summary>What a manifest stands for becomes one ordinary object.</summary>
    private static async ValueTask<StoredObject> Whole(Call c, Loaded<Container> target, Place to, StoredObject draft, Content content)
    {
        draft.Headers.Remove(Dlo.Header);
        await using var bytes = await content.Read(0, content.Length, c.Cancelled);
        return await Uploads.Store(c, target, to, new(draft with { IsManifest = false }, bytes, content.Length));
    }

    /// <summary>The source under another name, with what the request says of it instead or besides.</summary>
    private static StoredObject Draft(Call c, StoredObject source, string name)
    {
        var said = Objects.Said(c, new());
        var fresh = ListQuery.IsTrue(c.Header("X-Fresh-Metadata"));
        var (meta, headers) = fresh ? ([], []) : (new Dictionary<string, string>(source.Meta), new Dictionary<string, string>(source.Headers));
        foreach (var (key, value) in said.Meta) meta[key] = value;
        foreach (var (key, value) in said.Headers) headers[key] = value;
        var type = c.Header("Content-Type") is { Length: > 0 } given && !(c.Method == "PUT" && given == "application/octet-stream") ? given : source.ContentType;
        return source with { Name = name, IsPast = false, Meta = meta, Headers = headers, ContentType = type, DeleteAt = said.DeleteAt ?? (fresh ? null : source.DeleteAt) };
    }
}
