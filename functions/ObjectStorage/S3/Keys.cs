using Cloud.ObjectStorage.Manifests;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.S3;

/// <summary>Objects as keys of buckets.</summary>
internal static class Keys
{
    private const string Meta = "x-amz-meta-";
    private static readonly string[] Kept = ["Content-Encoding", "Content-Disposition", "Content-Language", "Cache-Control", "Expires"];

    public static async ValueTask<Reply> Show(Call c)
    {
        var (place, bucket) = await Buckets.Open(c);
        if (place.Object.Length == 0) return c.Method == "HEAD" ? await Buckets.Head(c) : await Buckets.Show(c);
        if (c.First("uploadId") is { } upload) return await MultipartList.Show(c, place, upload);
        var (at, item) = await Links.Follow(c, place, await Find(c, bucket.Item, place));
        if (c.First("acl") is not null) return Buckets.Acl(c);
        var content = (await Body.Of(c, at, item)).Content;
        var status = Conditions.Of(c, item.ETag, item.Modified);
        if (status == 412) throw new Fault(412, "At least one of the preconditions you specified did not hold.");
        var reply = status == 304 ? Reply.Empty(304) : await ByteRanges.Answer(c, content, c.First("response-content-type") ?? item.ContentType);
        if (reply.Status == 416) throw new Fault(416, "The requested range is not satisfiable.");
        reply.With("ETag", S3Dialect.Quoted(item.ETag)).With("Last-Modified", SwiftDialect.HttpDate(item.Modified)).With("Accept-Ranges", "bytes");
        foreach (var (key, value) in item.Meta) reply.With(Meta + key.ToLowerInvariant(), value);
        foreach (var name in Kept)
            if ((c.First("response-" + name.ToLowerInvariant()) ?? item.Headers.GetValueOrDefault(name)) is { } value) reply.With(name, value);
        return reply;
    }

    public static async ValueTask<Reply> Put(Call c)
    {
        var (place, bucket) = await Buckets.Open(c);
        place.CheckNames();
        if (c.First("acl") is not null) return Reply.Empty(200);
        if (c.First("partNumber") is { } part) return await Multipart.Part(c, place, c.First("uploadId") ?? "", part);
        if (c.Header("x-amz-copy-source") is { } source) return await Copy(c, place, bucket, source);
        var stored = await Replace(c, place, bucket.Item, () => Uploads.Store(c, bucket, place, new(Said(c, place), c.Stream!, Length(c), Digest(c)) { Anew = Uploads.IsAnew(c) }));
        return Reply.Empty(200).With("ETag", S3Dialect.Quoted(stored.ETag));
    }

    public static async ValueTask<Reply> Delete(Call c)
    {
        var (place, _) = await Buckets.Open(c);
        if (c.First("uploadId") is { } upload) return await Multipart.Abort(c, place, upload);
        await Remove(c, place);
        return Reply.Empty(204);
    }

    /// <summary>Puts an object in the place of one whose parts, if it had any, go with it.</summary>
    public static async ValueTask<StoredObject> Replace(Call c, Place place, Container bucket, Func<ValueTask<StoredObject>> store)
    {
        var was = await Shelf.Object(c.Store, bucket, place.Object, c.Cancelled);
        var stored = await store();
        await Multipart.Forget(c, place, was?.Item);
        return stored;
    }

    /// <summary>Deletes it, and what was uploaded for it alone. What isn't there is deleted already.</summary>
    public static async ValueTask Remove(Call c, Place place)
    {
        var (_, bucket) = await Buckets.Open(c, place);
        var was = await Shelf.Object(c.Store, bucket.Item, place.Object, c.Cancelled);
        if (was is null) return;
        await Objects.Remove(c, place);
        await Multipart.Forget(c, place, was.Item);
    }

    public static async ValueTask<StoredObject> Find(Call c, Container bucket, Place place)
    {
        try { return await Objects.Find(c, bucket, place.Object); }
        catch (Fault f) when (f.Status == 404) { throw S3Dialect.NoKey(); }
    }

    /// <summary>What the request's headers say of an object.</summary>
    public static StoredObject Said(Call c, Place place) => new()
    {
        Name = place.Object, ContentType = c.Header("Content-Type") is { Length: > 0 } type ? type : "binary/octet-stream", Meta = Metadata.Read(c, Meta),
        Headers = Kept.Where(h => Value(c, h) is not null).ToDictionary(h => h, h => Value(c, h)!),
    };

    public static long? Length(Call c) => long.TryParse(c.Header("x-amz-decoded-content-length"), out var n) ? n : Uploads.LengthOf(c);

    /// <summary>Content-MD5 as an ETag.</summary>
    public static string? Digest(Call c)
    {
        var bytes = new byte[16];
        return c.Header("Content-MD5") is not { Length: > 0 } text ? null : Convert.TryFromBase64String(text, bytes, out var n) && n == 16 ? Convert.ToHexStringLower(bytes) : throw new Fault(400, "The Content-MD5 you specified is not valid.") { Kind = "InvalidDigest" };
    }

    /// <summary>The content of another object, if it may be read.</summary>
    public static async ValueTask<(StoredObject Item, Content Content)> Source(Call c, string source)
    {
        var text = Place.Decode(source.Split('?')[0]).TrimStart('/');
        if (text.Split('/', 2) is not [var name, { Length: > 0 } key]) throw new Fault(400, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey.") { Kind = "InvalidArgument" };
        var place = new Place(Place.Reseller + c.ProjectId, name, key);
        var (_, bucket) = await Buckets.Open(c, place, Access.Reads);
        var (at, item) = await Links.Follow(c, place, await Find(c, bucket.Item, place));
        return (item, (await Body.Of(c, at, item)).Content);
    }

    private static async ValueTask<Reply> Copy(Call c, Place place, Loaded<Container> bucket, string source)
    {
        var (item, content) = await Source(c, source);
        var draft = c.Header("x-amz-metadata-directive") == "REPLACE" ? Said(c, place) : new() { Name = place.Object, ContentType = item.ContentType, Meta = item.Meta, Headers = item.Headers.Where(h => h.Key != Dlo.Header).ToDictionary() };
        await using var bytes = await content.Read(0, content.Length, c.Cancelled);
        return S3Dialect.Copied("CopyObjectResult", await Replace(c, place, bucket.Item, () => Uploads.Store(c, bucket, place, new(draft, bytes, content.Length))));
    }

    // Chunks are how it came, not what it is.
    private static string? Value(Call c, string header) => c.Header(header) is { Length: > 0 } value && string.Join(',', value.Split(',', StringSplitOptions.TrimEntries).Where(v => v != "aws-chunked")) is { Length: > 0 } rest ? rest : null;
}
