using Cloud.ObjectStorage.Manifests;
using Cloud.ObjectStorage.Versions;
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
        var (at, item) = await Links.Follow(c, place, await Find(c, bucket.Item, place, c.First("versionId")));
        if (c.First("acl") is not null) return BucketAcl.Show(c, bucket.Item);
        if (c.First("tagging") is not null) return S3Dialect.Xml("Tagging", w => w.WriteElementString("TagSet", ""));
        var content = (await Body.Of(c, at, item)).Content;
        var status = Conditions.Of(c, item.ETag, item.Modified);
        if (status == 412) throw new Fault(412, "At least one of the preconditions you specified did not hold.");
        var reply = status == 304 ? Reply.Empty(304) : await ByteRanges.Answer(c, content, c.First("response-content-type") ?? item.ContentType);
        if (reply.Status == 416) throw new Fault(416, "The requested range is not satisfiable.");
        reply.With(item).With("ETag", S3Dialect.Quoted(item.ETag)).With("Last-Modified", SwiftDialect.HttpDate(item.Modified)).With("Accept-Ranges", "bytes");
        foreach (var (key, value) in item.Meta) reply.With(Meta + key.ToLowerInvariant(), value);
        foreach (var name in Kept)
            if ((c.First("response-" + name.ToLowerInvariant()) ?? item.Headers.GetValueOrDefault(name)) is { } value) reply.With(name, value);
        return reply;
    }

    public static async ValueTask<Reply> Put(Call c)
    {
        var (place, bucket) = await Buckets.Open(c);
        place.CheckNames();
        BucketAcl.CheckKey(c);
        if (c.First("acl") is not null) return c.Header("x-amz-acl") is { Length: > 0 } ? Reply.Empty(200) : throw new Fault(501, "Access lists of keys are not implemented; those of buckets are.");
        if (c.First("tagging") is not null) throw new Fault(501, "tagging is not implemented.");
        if (c.First("partNumber") is { } part) return await Multipart.Part(c, place, c.First("uploadId") ?? "", part);
        if (c.Header("x-amz-copy-source") is { } source) return await Copy(c, place, bucket, source);
        var stored = await Replace(c, place, bucket.Item, () => Uploads.Store(c, bucket, place, new(Said(c, place), c.Stream!, Length(c), Digest(c)) { Anew = Uploads.IsAnew(c) }));
        return Reply.Empty(200).With(stored).With("ETag", S3Dialect.Quoted(stored.ETag));
    }

    public static async ValueTask<Reply> Delete(Call c)
    {
        var (place, _) = await Buckets.Open(c);
        if (c.First("uploadId") is { } upload) return await Multipart.Abort(c, place, upload);
        var (version, isMarker) = await Remove(c, place, c.First("versionId"));
        var reply = Reply.Empty(204);
        if (isMarker) reply.With(BucketVersions.MarkerHeader, "true");
        return version is null ? reply : reply.With(BucketVersions.Header, version);
    }

    /// <summary>Puts an object in the place of one whose parts, if it had any, go with it.</summary>
    public static async ValueTask<StoredObject> Replace(Call c, Place place, Container bucket, Func<ValueTask<StoredObject>> store)
    {
        var was = (await Shelf.Object(c.Store, bucket, place.Object, c.Cancelled))?.Item;
        var stored = await store();
        if (was is not null && !Versioning.Keeps(bucket, was)) await Multipart.Forget(c, place, was);
        return stored;
    }

    /// <summary>Deletes it or one version of it, and what was uploaded for that alone. What isn't there is deleted already.</summary>
    /// <returns>The version that is gone, or the marker that came; null where none are kept.</returns>
    public static async ValueTask<(string? Version, bool IsMarker)> Remove(Call c, Place place, string? version)
    {
        var (_, bucket) = await Buckets.Open(c, place);
        if (version is not null)
        {
            if (await Versioning.TryLoad(c, bucket.Item, place.Object, version) is not { Item: var gone }) return (version, false);
            await Versioning.Delete(c, place, version);
            await Multipart.Forget(c, place, gone);
            return (version, gone.IsDeleteMarker);
        }
        var was = (await Shelf.Object(c.Store, bucket.Item, place.Object, c.Cancelled))?.Item;
        if (was is null && bucket.Item.Versioning != true) return default;
        var marker = await Objects.RemoveCurrent(c, place);
        if (was is not null && !Versioning.Keeps(bucket.Item, was)) await Multipart.Forget(c, place, was);
        return (marker is null ? null : Versioning.Text(marker), marker is not null);
    }

    public static async ValueTask<StoredObject> Find(Call c, Container bucket, Place place, string? version = null)
    {
        try { return version is null ? await Objects.Find(c, bucket, place.Object) : await Versioning.Find(c, bucket, place.Object, version); }
        catch (Fault f) when (f.Status == 404) { throw version is null ? S3Dialect.NoKey() : new Fault(404, "The specified version does not exist.") { Kind = "NoSuchVersion" }; }
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
        var (path, version) = source.Split("?versionId=", 2) is [var before, var after] ? (before, after) : (source, null);
        var text = Place.Decode(path).TrimStart('/');
        if (text.Split('/', 2) is not [var name, { Length: > 0 } key]) throw new Fault(400, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey.") { Kind = "InvalidArgument" };
        var place = new Place(Place.Reseller + c.ProjectId, name, key);
        var (_, bucket) = await Buckets.Open(c, place, Access.Reads);
        var (at, item) = await Links.Follow(c, place, await Find(c, bucket.Item, place, version));
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
