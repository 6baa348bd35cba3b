using System.Globalization;
using System.Xml.Linq;
using Cloud.ObjectStorage.Manifests;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.S3;

/// <summary>
/// Uploads in parts: each is an object KEY/UPLOAD/NUMBER of the container BUCKET+segments, beside KEY/UPLOAD, which holds what is said of the whole.
/// Completed, they are the segments of a static manifest; else the upload expires like an object, and its parts with it.
/// </summary>
internal static class Multipart
{
    private const int MostParts = 10_000, SmallestPart = 5 << 20;

    public static async ValueTask<Reply> Post(Call c)
    {
        var (place, bucket) = await Buckets.Open(c);
        if (c.First("uploads") is not null) return await Begin(c, place);
        return c.First("uploadId") is { } upload ? await Complete(c, place, bucket, upload) : throw new Fault(405, "The specified method is not allowed against this resource.");
    }

    private static async ValueTask<Reply> Begin(Call c, Place place)
    {
        var (upload, marker) = (c.Services.Ids.New(), Of(place));
        if (await Shelf.Container(c.Store, c.ProjectId, marker.Container, c.Cancelled) is null) await Containers.Make(c, c.ProjectId, marker.Container);
        marker = marker with { Object = Name(place, upload) };
        BucketAcl.CheckKey(c);
        await Uploads.Publish(c, marker, Keys.Said(c, place) with { Name = marker.Object, ETag = ETags.Empty, DeleteAt = c.Now + c.Services.Settings.UploadLife });
        return S3Dialect.Xml("InitiateMultipartUploadResult", w =>
        {
            w.WriteElementString("Bucket", place.Container);
            w.WriteElementString("Key", place.Object);
            w.WriteElementString("UploadId", upload);
        });
    }

    public static async ValueTask<Reply> Part(Call c, Place place, string upload, string number)
    {
        var (parts, _) = await Find(c, place, upload);
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n is < 1 or > MostParts) throw new Fault(400, $"Part number must be an integer between 1 and {MostParts}, inclusive") { Kind = "InvalidArgument" };
        var at = Of(place) with { Object = Name(place, upload, n) };
        if (c.Header("x-amz-copy-source") is not { } source)
            return Reply.Empty(200).With("ETag", S3Dialect.Quoted((await Take(c, place, upload, parts, at, new(new() { Name = at.Object }, c.Stream!, Keys.Length(c), Keys.Digest(c)))).ETag));
        var (_, content) = await Keys.Source(c, source);
        var range = ByteRange.Parse(c.Header("x-amz-copy-source-range"), content.Length) is [var one] ? one : new(0, content.Length);
        await using var bytes = await content.Read(range.From, range.Length, c.Cancelled);
        return S3Dialect.Copied("CopyPartResult", await Take(c, place, upload, parts, at, new(new() { Name = at.Object }, bytes, range.Length)));
    }

    private static async ValueTask<StoredObject> Take(Call c, Place place, string upload, Loaded<Container> parts, Place at, Upload part)
    {
        var stored = await Uploads.Store(c, parts, at, part);
        try { await Find(c, place, upload); }
        catch (Fault)
        {
            // The upload ended meanwhile, and whoever ended it has not seen this part.
            await Objects.Remove(c, at);
            throw;
        }
        return stored;
    }

    /// <summary>Parts of an upload whose time is over, before the row that says so goes.</summary>
    public static async ValueTask Collect(Services s, string project, Expiring what, CancellationToken ct)
    {
        if (!what.Container.EndsWith(Buckets.Parts, StringComparison.Ordinal) || await Shelf.Container(s.Store, project, what.Container, ct) is not { } container
            || (await Shelf.Load<StoredObject>(s.Store, project, what.Key, ct))?.Item is not { Blob: null } marker || marker.DeleteAt > s.Now || !Guid.TryParse(marker.Name[(marker.Name.LastIndexOf('/') + 1)..], out _)) return;
        foreach (var part in await Listing.Walk<StoredObject>(s.Store, Shelf.Of(project), Shelf.ObjectRange(container.Item.Id), new() { Prefix = marker.Name + "/" }, ct))
            await Edit.Run(s, project, new Change("", ""), async edit =>
            {
                if (await Shelf.Object(s.Store, container.Item, part.Name, ct) is { } there) edit.Remove(container, there);
                return true;
            });
    }

    private static async ValueTask<Reply> Complete(Call c, Place place, Loaded<Container> bucket, string upload)
    {
        var (parts, marker) = await Find(c, place, upload);
        var document = await S3Body.Read(c);
        var wanted = document.Elements(document.Name.Namespace + "Part").Select(p => (Number: Text(p, "PartNumber"), ETag: Text(p, "ETag").Trim('"'))).ToList();
        var there = (await Parts(c, parts.Item, place, upload)).ToDictionary(p => p.Name);
        var segments = new List<Segment>();
        foreach (var (number, etag) in wanted)
        {
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || there.GetValueOrDefault(Name(place, upload, n)) is not { } part || part.ETag != etag) throw new Fault(400, "One or more of the specified parts could not be found.") { Kind = "InvalidPart" };
            if (segments.Count > 0 && segments[^1].Bytes < SmallestPart) throw new Fault(400, "Your proposed upload is smaller than the minimum allowed size") { Kind = "EntityTooSmall" };
            var name = $"/{parts.Item.Name}/{part.Name}";
            if (segments.Count > 0 && string.CompareOrdinal(segments[^1].Name, name) >= 0) throw new Fault(400, "The list of parts was not in ascending order.") { Kind = "InvalidPartOrder" };
            segments.Add(new(name, part.ETag, part.Size));
        }
        if (segments.Count == 0) throw S3Dialect.Malformed();
        var whole = await Manifest(c, place, bucket, marker, segments);
        await Objects.Remove(c, Of(place) with { Object = marker.Name });
        foreach (var part in there.Values.Where(p => !segments.Exists(s => s.Name == $"/{parts.Item.Name}/{p.Name}"))) await Objects.Remove(c, Of(place) with { Object = part.Name });
        return S3Dialect.Xml("CompleteMultipartUploadResult", w =>
        {
            w.WriteElementString("Location", $"{c.BaseUrl}/{Place.Escape($"{place.Container}/{place.Object}")}");
            w.WriteElementString("Bucket", place.Container);
            w.WriteElementString("Key", place.Object);
            w.WriteElementString("ETag", S3Dialect.Quoted(whole.ETag));
        });
    }

    private static ValueTask<StoredObject> Manifest(Call c, Place place, Loaded<Container> bucket, StoredObject marker, List<Segment> segments)
    {
        // S3's: the MD5 of the parts' MD5s, and how many there are.
        var etag = $"{ETags.Of(segments.SelectMany(s => Convert.FromHexString(s.Hash)).ToArray())}-{segments.Count}";
        var draft = new StoredObject { Name = place.Object, ContentType = marker.ContentType, Meta = marker.Meta, Headers = marker.Headers };
        return Keys.Replace(c, place, bucket.Item, () => SloUpload.Store(c, bucket, place, draft, segments, etag));
    }

    public static async ValueTask<Reply> Abort(Call c, Place place, string upload)
    {
        var (parts, marker) = await Find(c, place, upload);
        foreach (var part in await Parts(c, parts.Item, place, upload)) await Objects.Remove(c, Of(place) with { Object = part.Name });
        await Objects.Remove(c, Of(place) with { Object = marker.Name });
        return Reply.Empty(204);
    }

    /// <summary>Parts of an object that was overwritten or deleted go with it.</summary>
    public static async ValueTask Forget(Call c, Place place, StoredObject? was)
    {
        if (was is not { IsManifest: true } || !was.ETag.Contains('-', StringComparison.Ordinal)) return;
        foreach (var segment in await Slo.Read(c.Services, was, c.Cancelled))
            if (Slo.PlaceOf(place.Account, segment.Name) is var at && at.Container == Of(place).Container)
                try { await Objects.Remove(c, at); }
                catch (Fault f) when (f.Status == 404) { /* gone already */ }
    }

    public static async ValueTask<(Loaded<Container> Parts, StoredObject Marker)> Find(Call c, Place place, string upload)
    {
        if (!Guid.TryParse(upload, out _) || await Shelf.Container(c.Store, c.ProjectId, Of(place).Container, c.Cancelled) is not { } parts) throw S3Dialect.NoUpload();
        return (parts, (await Shelf.Object(c.Store, parts.Item, Name(place, upload), c.Cancelled))?.Item is { } marker && !Objects.Gone(c, marker) ? marker : throw S3Dialect.NoUpload());
    }

    public static async ValueTask<IReadOnlyList<StoredObject>> Parts(Call c, Container parts, Place place, string upload) =>
        [.. (await Listing.Walk<StoredObject>(c.Store, Shelf.Of(c.ProjectId), Shelf.ObjectRange(parts.Id), new() { Prefix = Name(place, upload) + "/" }, c.Cancelled)).Select(e => e.Item!)];

    public static Place Of(Place place) => new(place.Account, place.Container + Buckets.Parts);
    private static string Name(Place place, string upload) => $"{place.Object}/{upload}";
    private static string Name(Place place, string upload, int part) => string.Create(CultureInfo.InvariantCulture, $"{place.Object}/{upload}/{part:D5}");
    private static string Text(XElement e, string name) => (string?)e.Element(e.Name.Namespace + name) ?? throw S3Dialect.Malformed();
}
