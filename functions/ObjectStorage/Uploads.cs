using System.Globalization;
using Cloud.ObjectStorage.Manifests;
using Cloud.ObjectStorage.Versions;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;
using Cloud.Platform.State;
using Microsoft.AspNetCore.StaticFiles;

namespace Cloud.ObjectStorage;

/// <summary>Bytes on their way in, and what is said of them.</summary>
/// <param name="Length">As announced, or null.</param>
/// <param name="ETag">That they must have, or null.</param>
internal sealed record Upload(StoredObject Draft, Stream Content, long? Length = null, string? ETag = null)
{
    /// <summary>Only where there is nothing yet.</summary>
    public bool Anew { get; init; }
    /// <summary>So many bytes and no more.</summary>
    public long Most { get; init; } = Uploads.MaxBytes;
    /// <summary>Completes the draft once the bytes are known.</summary>
    public Func<StoredObject, StoredObject> Finish { get; init; } = o => o;
}

/// <summary>
/// Bytes come in: first into a blob with a fresh name, then the row that names it, in one transaction. Whatever dies on the way leaves at most a blob that nobody names,
/// and those are swept (<see cref="Auditor"/>).
/// </summary>
internal static class Uploads
{
    public const long MaxBytes = 5L << 30;
    private static readonly FileExtensionContentTypeProvider Types = new();

    public static async ValueTask<Reply> Put(Call c)
    {
        if (c.First("extract-archive") is { } format) return await Bulk.Extract.Run(c, format);
        var (place, container) = await Containers.Open(c);
        place.CheckNames();
        if (c.First("version-id") is { } version) return await Versioning.Restore(c, place, version);
        if (c.Header("X-Copy-From") is { Length: > 0 } source) return await Copies.From(c, place, source);
        if (c.Header("Content-Length") is null && c.Header("Transfer-Encoding") is null) throw new Fault(411, "Missing Content-Length header.");
        CheckNoneMatch(c);
        var synced = Sync.Door.StampOf(c, container.Item) is not null;
        try
        {
            // What is older than what is here isn't read.
            if (synced && await Sync.Stamps.IsOld(c, container.Item, place.Object)) return SwiftDialect.Page(202);
            if (synced && ListQuery.IsTrue(c.Header(SyncedManifest.Header))) return Created(await SyncedManifest.Put(c, place, container));
            return await Put(c, place, container, synced);
        }
        catch (Fault f) when (synced && f.Status == 409) { return SwiftDialect.Page(202); }
    }

    private static async ValueTask<Reply> Put(Call c, Place place, Loaded<Container> container, bool synced)
    {
        if (c.First("multipart-manifest") == "put") return await SloUpload.Put(c, place, container);
        var draft = await Links.Said(c, place, Objects.Said(c, new() { Name = place.Object, ContentType = TypeOf(c, place.Object) }), synced);
        return Created(await Store(c, container, place, new(draft, c.Stream!, LengthOf(c), ETagOf(c)) { Anew = IsAnew(c) }));
    }

    public static Reply Created(StoredObject o)
    {
        var reply = SwiftDialect.Page(201).With("ETag", ETagOf(o)).With("Last-Modified", SwiftDialect.HttpDate(o.Modified));
        return o.Version is null ? reply : reply.With(Versioning.Header, Versioning.Text(o.Version));
    }

    /// <summary>As it is sent: a manifest's is no digest of the bytes, and quoted.</summary>
    public static string ETagOf(StoredObject o) => o.IsManifest ? $"\"{o.ETag}\"" : o.ETag;

    /// <summary>Takes the bytes and makes them the object of that place.</summary>
    public static async ValueTask<StoredObject> Store(Call c, Loaded<Container> container, Place place, Upload upload)
    {
        if (upload.Length > upload.Most) throw new Fault(413, "Your request is too large.");
        var room = Math.Min(upload.Most, await Quotas.RoomOf(c, container.Item, place.Object, upload.Length ?? 0));
        var name = BlobAt.NewName(c.Services, container.Item.ProjectId);
        var blob = await Write(c, name, upload, room);
        try
        {
            if (upload.ETag is { } wanted && !wanted.Equals(blob.Md5, StringComparison.OrdinalIgnoreCase)) throw new Fault(422, "Unable to process the contained instructions");
            if (upload.Draft.Link is not null && blob.Bytes > 0) throw Fault.BadRequest("Symlink requests require a zero byte body");
            var draft = upload.Draft with { ETag = blob.Md5, Size = blob.Bytes, Bytes = blob.Bytes, Blob = blob.Bytes == 0 ? null : new(name, blob.Bytes, blob.Md5, blob.Sha256) };
            var stored = await Publish(c, place, upload.Finish(draft), anew: upload.Anew);
            if (blob.Bytes == 0) await c.Services.Objects.Delete(name, CancellationToken.None);
            return stored;
        }
        catch (Exception e) when (e is Fault or ConflictException)
        {
            // Any other failure may have come after the commit: then the sweeper knows better.
            await c.Services.Objects.Delete(name, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Makes the draft the object of that place.</summary>
    public static ValueTask<StoredObject> Publish(Call c, Place place, StoredObject draft, Func<Edit, ValueTask>? also = null, bool anew = false) => Edit.Run(c, place.Project!, async edit =>
    {
        var container = await Shelf.Container(c.Store, place.Project!, place.Container, c.Cancelled) ?? throw Containers.Missing();
        var was = await Shelf.Object(c.Store, container.Item, place.Object, c.Cancelled);
        if (anew && was is not null && !Objects.Gone(c, was.Item)) throw new Fault(412, "A precondition for this request was not met.");
        await Quotas.Check(c, container.Item, was?.Item, draft);
        if (also is not null) await also(edit);
        var at = await Sync.Stamps.Of(c, edit, container.Item, place.Object, was?.Item);
        if (was is not null) await Versioning.Keep(edit, container, was);
        return edit.Put(container, was, draft with { Modified = at, Version = await Versioning.NewId(edit, container.Item, place.Object) });
    });

    public static void CheckNoneMatch(Call c)
    {
        if (c.Header("If-None-Match") is { } none && none != "*") throw Fault.BadRequest("If-None-Match only supports *");
    }

    public static bool IsAnew(Call c) => c.Header("If-None-Match") == "*";
    public static long? LengthOf(Call c) => long.TryParse(c.Header("Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;
    public static string? ETagOf(Call c) => c.Header("ETag") is { Length: > 0 } etag ? etag.Trim('"') : null;

    /// <summary>What the request says it is, or what its name looks like.</summary>
    public static string TypeOf(Call c, string name) => c.Header("Content-Type") is { Length: > 0 } type && !ListQuery.IsTrue(c.Header("X-Detect-Content-Type")) ? type : Guess(name);

    public static string Guess(string name) => Types.TryGetContentType(name, out var guess) ? guess : "application/octet-stream";

    private static async ValueTask<SealedBlob> Write(Call c, string name, Upload upload, long room)
    {
        try { return await c.Services.Objects.Write(name, upload.Content, room, c.Cancelled); }
        catch (BlobTooLargeException) { throw room == upload.Most ? new(413, "Your request is too large.") : Quotas.Exceeded(); }
        catch (ReplicasUnavailableException e) { throw new Fault(503, "The object can't be stored now.", e.Message) { Headers = [("Retry-After", "5")] }; }
        catch (BadHttpRequestException) { throw new Fault(499, "Client was disconnected during request."); }
    }
}
