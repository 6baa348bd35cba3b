using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.Manifests;

/// <summary>PUT ?multipart-manifest=put: a list of segments is compared with what is there and becomes a static large object.</summary>
internal static class SloUpload
{
    /// <summary>What a client says of one segment.</summary>
    private sealed record Wish(string? Path = null, string? Etag = null, long? SizeBytes = null, string? Range = null, string? Data = null);

    private static readonly JsonSerializerOptions Strict = new(Slo.Json) { UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow };

    public static async ValueTask<Reply> Put(Call c, Place place, Loaded<Container> container)
    {
        if (c.Header(Dlo.Header) is not null) throw Fault.BadRequest("X-Object-Manifest and a static manifest exclude each other");
        var wishes = await Read(c);
        return ListQuery.IsTrue(c.First("heartbeat")) ? Heartbeat.Reply(c, report => Make(c, place, container, wishes, report)) : Uploads.Created(await Make(c, place, container, wishes, null));
    }

    /// <param name="report">Gets what is wrong with segments, line by line.</param>
    private static async ValueTask<StoredObject> Make(Call c, Place place, Loaded<Container> container, Wish[] wishes, Bulk.BulkReport? report)
    {
        var segments = await Check(c, place, wishes, report);
        var etag = Slo.ETag(segments);
        if (Uploads.ETagOf(c) is { } wanted && wanted != etag) throw new Fault(422, "Unable to process the contained instructions");
        var draft = Objects.Said(c, new() { Name = place.Object, ContentType = Uploads.TypeOf(c, place.Object) });
        return await Store(c, container, place, draft, segments, etag, Uploads.IsAnew(c));
    }

    /// <summary>Makes a list of segments the object of that place.</summary>
    public static async ValueTask<StoredObject> Store(Call c, Loaded<Container> container, Place place, StoredObject draft, IReadOnlyList<Segment> segments, string etag, bool anew = false)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(segments, Slo.Json);
        using var content = new MemoryStream(body);
        return await Uploads.Store(c, container, place, new(draft, content, body.Length)
        {
            Anew = anew, Finish = o => o with { IsManifest = true, ETag = etag, Size = segments.Sum(s => s.Length) },
        });
    }

    /// <summary>What would make the manifest anew.</summary>
    public static async ValueTask<Body> Again(Call c, StoredObject manifest)
    {
        var segments = await Slo.Read(c.Services, manifest, c.Cancelled);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(segments.Select(s => s.Data is { } data ? new Wish(Data: Convert.ToBase64String(data)) : new(s.Name, s.Hash, s.Bytes, s.Range)), Slo.Json);
        return new(Content.Of(bytes), manifest.Blob!.Md5, Slo.Type);
    }

    private static async ValueTask<Wish[]> Read(Call c)
    {
        var announced = Uploads.LengthOf(c);
        if (announced > Slo.MaxBytes || await WholeBody.Read(c.Stream!, Slo.MaxBytes, c.Cancelled, announced) is not { } bytes) throw new Fault(413, "Manifest too large.");
        try
        {
            CheckCount(bytes);
            var wishes = JsonSerializer.Deserialize<Wish[]>(bytes.AsSpan(), Strict);
            if (wishes is not { Length: > 0 } || Array.Exists(wishes, w => w is null)) throw Fault.BadRequest("Manifest must have at least one segment, and all must be objects.");
            return wishes;
        }
        catch (JsonException) { throw Fault.BadRequest("Manifest must be valid JSON: a list of objects with path, etag, size_bytes and range, or data."); }
    }

    // Before anything is made of them: a body of 8 MiB holds half a million.
    private static void CheckCount(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        for (var n = 0; reader.Read();)
            if (reader is { TokenType: JsonTokenType.StartObject, CurrentDepth: 1 } && ++n > Slo.MaxSegments) throw new Fault(413, $"Number of segments must be <= {Slo.MaxSegments}");
    }

    private static async ValueTask<Segment[]> Check(Call c, Place manifest, Wish[] wishes, Bulk.BulkReport? report)
    {
        var (segments, errors) = (new List<Segment>(), new List<string>());
        foreach (var wish in wishes)
            try { segments.Add(wish.Data is null ? await Named(c, manifest, wish) : Inline(wish)); }
            catch (Fault f)
            {
                errors.Add($"{wish.Path ?? "data"}, {f.Message}");
                report?.Failed(wish.Path ?? "data", f.Message);
            }
        return errors.Count == 0 ? [.. segments] : throw new Fault(400, report is null ? "Errors:\n" + string.Join('\n', errors) : "");
    }

    private static Segment Inline(Wish wish)
    {
        if (wish is not { Path: null, Etag: null, SizeBytes: null, Range: null }) throw Fault.BadRequest("data excludes all else");
        var data = new byte[wish.Data!.Length];
        if (!Convert.TryFromBase64String(wish.Data, data, out var n) || n == 0) throw Fault.BadRequest("data must be valid base64 and not empty");
        return new("", ETags.Of(data.AsSpan(0, n)), n, Data: data[..n]);
    }

    private static async ValueTask<Segment> Named(Call c, Place manifest, Wish wish)
    {
        if (wish.Path?.TrimStart('/').Split('/', 2) is not [{ Length: > 0 }, { Length: > 0 }]) throw Fault.BadRequest("path must be /container/object");
        var place = Slo.PlaceOf(manifest.Account, wish.Path);
        if (place == manifest) throw Fault.BadRequest("a manifest must not hold itself");
        var item = await Find(c, place);
        if (item.Headers.ContainsKey(Dlo.Header)) throw Fault.BadRequest("segments must not be dynamic manifests");
        if (wish.Etag is { Length: > 0 } etag && etag.Trim('"') != item.ETag) throw Fault.BadRequest("Etag Mismatch");
        if (wish.SizeBytes is { } size && size != item.Size) throw Fault.BadRequest("Size Mismatch");
        if (item.Size < 1) throw Fault.BadRequest("Too Small; each segment must be at least 1 byte.");
        return new($"/{place.Container}/{place.Object}", item.ETag, item.Size, item.ContentType, SwiftDialect.ListDate(item.Modified), RangeOf(wish.Range, item.Size), item.IsManifest ? true : null);
    }

    private static async ValueTask<StoredObject> Find(Call c, Place place)
    {
        try { return (await Links.Open(c, place)).Item; }
        catch (Fault f) { throw new Fault(f.Status, $"{f.Status} {SwiftDialect.Title(f.Status)}"); }
    }

    private static string? RangeOf(string? text, long size)
    {
        if (text is not { Length: > 0 }) return null;
        if (ByteRange.Parse("bytes=" + text, size) is not [var (from, length)]) throw Fault.BadRequest("Unsatisfiable Range");
        return length == size ? null : string.Create(CultureInfo.InvariantCulture, $"{from}-{from + length - 1}");
    }
}
