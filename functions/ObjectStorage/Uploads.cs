using System.Globalization;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;
using Cloud.Platform.State;
using Microsoft.AspNetCore.StaticFiles;

namespace Cloud.ObjectStorage;

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
        var (place, container) = await Containers.Open(c);
        place.CheckNames();
        if (c.Header("X-Copy-From") is { Length: > 0 } source) return await Copies.From(c, place, source);
        if (c.Header("Content-Length") is null && c.Header("Transfer-Encoding") is null) throw new Fault(411, "Missing Content-Length header.");
        CheckNoneMatch(c);
        var draft = Objects.Said(c, new() { Name = place.Object, ContentType = TypeOf(c, place.Object) });
        var stored = await Store(c, container, place, draft, c.Stream!);
        return Created(stored);
    }

    public static Reply Created(StoredObject o) => SwiftDialect.Page(201).With("ETag", o.IsManifest ? $"\"{o.ETag}\"" : o.ETag).With("Last-Modified", SwiftDialect.HttpDate(o.Modified));

    /// <summary>Takes the bytes and makes them the object of that place.</summary>
    /// <param name="finish">Completes the draft once the bytes are known.</param>
    public static async ValueTask<StoredObject> Store(Call c, Loaded<Container> container, Place place, StoredObject draft, Stream content, Func<StoredObject, StoredObject>? finish = null)
    {
        var project = container.Item.ProjectId;
        var announced = long.TryParse(c.Header("Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0;
        if (announced > MaxBytes) throw new Fault(413, "Your request is too large.");
        var room = Math.Min(MaxBytes, await Quotas.RoomOf(c, container.Item, place.Object, announced));
        var name = BlobAt.NewName(c.Services, project);
        var blob = await Write(c, name, content, room);
        try
        {
            if (c.Header("ETag") is { Length: > 0 } etag && etag.Trim('"') is var wanted && finish is null && !wanted.Equals(blob.Md5, StringComparison.OrdinalIgnoreCase))
                throw new Fault(422, "Unable to process the contained instructions");
            draft = draft with { ETag = blob.Md5, Size = blob.Bytes, Bytes = blob.Bytes, Blob = blob.Bytes == 0 ? null : new(name, blob.Bytes, blob.Md5, blob.Sha256) };
            if (finish is not null) draft = finish(draft);
            var stored = await Publish(c, place, draft);
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
    public static ValueTask<StoredObject> Publish(Call c, Place place, StoredObject draft, Func<Edit, ValueTask>? also = null) => Edit.Run(c, place.Project!, async edit =>
    {
        var (_, container) = await Containers.Open(c, place);
        var was = await Shelf.Object(c.Store, container.Item, place.Object, c.Cancelled);
        if (c.Header("If-None-Match") == "*" && was is not null && !Objects.Gone(c, was.Item)) throw new Fault(412, "A precondition for this request was not met.");
        await Quotas.Check(c, container.Item, was?.Item, draft);
        if (also is not null) await also(edit);
        return edit.Put(container, was, draft with { Modified = c.Now });
    });

    public static void CheckNoneMatch(Call c)
    {
        if (c.Header("If-None-Match") is { } none && none != "*") throw Fault.BadRequest("If-None-Match only supports *");
    }

    /// <summary>What the request says it is, or what its name looks like.</summary>
    public static string TypeOf(Call c, string name) =>
        c.Header("Content-Type") is { Length: > 0 } type && !ListQuery.IsTrue(c.Header("X-Detect-Content-Type")) ? type : Types.TryGetContentType(name, out var guess) ? guess : "application/octet-stream";

    private static async ValueTask<SealedBlob> Write(Call c, string name, Stream content, long room)
    {
        try { return await c.Services.Objects.Write(name, content, room, c.Cancelled); }
        catch (BlobTooLargeException) { throw room == MaxBytes ? new(413, "Your request is too large.") : Quotas.Exceeded(); }
        catch (ReplicasUnavailableException e) { throw new Fault(503, "The object can't be stored now.", e.Message) { Headers = [("Retry-After", "5")] }; }
        catch (BadHttpRequestException) { throw new Fault(499, "Client was disconnected during request."); }
    }
}
