using Cloud.Platform.Agents;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>The bytes: https://docs.openstack.org/api-ref/image/v2/#image-data. An upload appears whole or not at all.</summary>
public static class ImageData
{
    private const long MaxBytes = 1L << 40;
    private static readonly Func<Image, Charge[]> Bytes = Images.Quota.CountsEach(Images.Rows, "image_bytes", i => i.Size ?? 0);

    public static readonly Route[] Routes =
    [
        new("PUT", "/v2/images/{image_id}/file", "image:upload_image", Upload) { Streams = true },
        new("GET", "/v2/images/{image_id}/file", "image:download_image", c => Download(c, false)),
        new("GET", "/v2/host-images/{image_id}", Platform.Access.Policy.Anyone, HostDownload),
    ];

    private static async ValueTask<Reply> Upload(Call c)
    {
        if (c.Header("Content-Type") is not { } type || !type.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase)) throw new Fault(415, "The content type must be application/octet-stream.");
        var was = await Images.Kind.Load(c, "image:upload_image");
        if (was.Item.Status != "queued") throw Fault.Conflict($"Image {was.Item.Id} has its data already.");
        if (was.Item.DiskFormat is not { } format || was.Item.ContainerFormat is null) throw Fault.BadRequest("disk_format and container_format must be set before the data is uploaded.");
        var blob = $"{was.Item.Id}-{c.Services.Ids.New()[^12..]}";
        var room = Math.Min(MaxBytes, await RoomOf(c, was.Item.ProjectId));
        if (long.TryParse(c.Header("Content-Length"), out var announced) && announced > room) throw TooLarge();
        BlobInfo info;
        try { info = await c.Services.Blobs.Write(blob, c.Stream!, room, c.Cancelled); }
        catch (BlobTooLargeException) { throw TooLarge(); }
        try
        {
            if (announced > 0 && announced != info.Bytes) throw Fault.BadRequest("The data ended early.");
            long? virtualSize;
            await using (var bytes = (await c.Services.Blobs.Read(blob, c.Cancelled))!) virtualSize = ImageFormat.Inspect(bytes, format);
            await Images.Kind.Change(c, "image:upload_image", d =>
            {
                if (d.Item.Status != "queued") throw Fault.Conflict($"Image {d.Item.Id} has its data already.");
                d.Item = d.Item with { Status = "active", Blob = blob, Size = info.Bytes, VirtualSize = virtualSize, Checksum = info.Md5, OsHashAlgo = "sha512", OsHashValue = info.Sha512 };
            }, more: async d => d.Ops.AddRange(await Images.Quota.Reserve(c.Store, d.Item.ProjectId, Bytes(d.Item), (_, _, _, _) => TooLarge())));
        }
        catch
        {
            await c.Services.Blobs.Delete(blob, CancellationToken.None);
            throw;
        }
        return Reply.Empty(204);
    }

    private static async ValueTask<long> RoomOf(Call c, string project)
    {
        var limit = (await Images.Quota.LimitsOf(c.Store, project))["image_bytes"];
        return limit < 0 ? long.MaxValue : Math.Max(0, limit - (await Images.Quota.UsageOf(c.Store, project, ["image_bytes"]))["image_bytes"]);
    }

    private static Fault TooLarge() => new(413, "The image is larger than what is left of the project's storage for images.");

    private static async ValueTask<Reply> Download(Call c, bool host)
    {
        var image = host ? (await Images.Rows.Find(c.Store, c.Args["image_id"]))?.Item ?? throw Fault.NotFound("image", c.Args["image_id"]) : (await Images.Kind.Load(c, "image:get_image")).Item;
        if (!host && image.Status == "deactivated" && !c.Allows("admin", default)) throw new Fault(403, "The image is deactivated.");
        if (image.Blob is null) return Reply.Empty(204);
        var stream = await c.Services.Blobs.Read(image.Blob, c.Cancelled) ?? throw new Fault(503, "The image data can't be read now.");
        var size = image.Size!.Value;
        var (from, length, status) = (0L, size, 200);
        if (c.Header("Range") is { } range)
        {
            (from, length) = Ranges.Parse(range, size) ?? throw Bad(stream, size);
            status = 206;
        }
        stream.Position = from;
        var reply = new Reply { Status = status, Stream = length == size ? stream : new Slice(stream, length), ContentType = "application/octet-stream" };
        reply.With("Content-Length", length.ToString(System.Globalization.CultureInfo.InvariantCulture)).With("Accept-Ranges", "bytes");
        if (status == 206) reply.With("Content-Range", $"bytes {from}-{from + length - 1}/{size}");
        else reply.With("Content-MD5", image.Checksum!);
        return reply;
    }

    private static Fault Bad(Stream stream, long size)
    {
        stream.Dispose();
        return new(416, "The range can't be satisfied.") { Headers = [("Content-Range", $"bytes */{size}")] };
    }

    private static async ValueTask<Reply> HostDownload(Call c)
    {
        await HostKeys.Require(c);
        return await Download(c, host: true);
    }

    /// <summary>Bytes that no image names: left by a kill between the write of the bytes and of the row, or after the row went.</summary>
    public static async Task Sweep(Platform.Services s, CancellationToken ct)
    {
        var young = s.Now - TimeSpan.FromHours(1);
        await foreach (var blob in s.Blobs.List(ct))
            if (blob.Length > 37 && (await Images.Rows.Find(s.Store, blob[..36], ct: ct))?.Item.Blob != blob && await Age(s, blob, ct) < young)
                await s.Blobs.Delete(blob, ct);
    }

    private static async Task<DateTimeOffset> Age(Platform.Services s, string blob, CancellationToken ct)
    {
        await using var stream = await s.Blobs.Read(blob, ct);
        return stream is FileStream f ? File.GetLastWriteTimeUtc(f.Name) : DateTimeOffset.MaxValue;
    }

    private sealed class Slice(Stream inner, long left) : ForwardStream
    {
        private long _left = left;
        public override int Read(byte[] buffer, int offset, int count)
        {
            var n = inner.Read(buffer, offset, (int)Math.Min(count, _left));
            _left -= n;
            return n;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var n = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
            _left -= n;
            return n;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
