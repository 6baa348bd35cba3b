using Cloud.Platform.Agents;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>The bytes: https://docs.openstack.org/api-ref/image/v2/#image-data. An upload appears whole or not at all.</summary>
public static class ImageData
{
    public static readonly Route[] Routes =
    [
        new("PUT", "/v2/images/{image_id}/file", "image:upload_image", Upload) { Streams = true },
        new("PUT", "/v2/images/{image_id}/stage", "image:modify_image", Stage) { Streams = true },
        new("GET", "/v2/images/{image_id}/file", "image:download_image", c => Download(c, false)),
        new("GET", "/v2/host-images/{image_id}", Platform.Access.Policy.Anyone, HostDownload),
    ];

    private static async ValueTask<Reply> Upload(Call c)
    {
        var image = await ForData(c, "image:upload_image");
        if (image.DiskFormat is null || image.ContainerFormat is null) throw Fault.BadRequest("disk_format and container_format must be set before the data is uploaded.");
        var place = Stores.Asked(c);
        var store = place.Open(c.Services);
        var stored = await Intake.Receive(c, image, store);
        return await Keep(c, stored, store, async () =>
        {
            var disk = await Intake.DiskIn(c.Services, stored, store, image.DiskFormat, c.Cancelled);
            return i => Intake.Active(i, stored, disk, [place.Id]);
        });
    }

    // Its data is looked at only when it is imported.
    private static async ValueTask<Reply> Stage(Call c)
    {
        var stored = await Intake.Receive(c, await ForData(c, "image:modify_image"), c.Services.Blobs);
        return await Keep(c, stored, c.Services.Blobs, () => new(i => i with { Status = "uploading", Staged = stored, Size = stored.Info.Bytes }));
    }

    /// <summary>The bytes stay if the image takes them.</summary>
    private static async ValueTask<Reply> Keep(Call c, Stored stored, IBlobStore store, Func<ValueTask<Func<Image, Image>>> how)
    {
        try
        {
            var change = await how();
            await Images.Kind.Change(c, c.Route.Policy, d => d.Item = change(Queued(d.Item)), more: async d => d.Ops.AddRange(await Intake.Charge(c.Services, d.Item)));
            return Reply.Empty(204);
        }
        catch (Exception e) when (e is not StoreUnavailableException) // then it may have been written, and needs its bytes
        {
            await store.Delete(stored.Blob, CancellationToken.None);
            throw;
        }
    }

    private static async ValueTask<Image> ForData(Call c, string policy)
    {
        if (c.Header("Content-Type") is not { } type || !type.StartsWith("application/octet-stream", StringComparison.OrdinalIgnoreCase)) throw new Fault(415, "The content type must be application/octet-stream.");
        return Queued((await Images.Kind.Load(c, policy)).Item);
    }

    private static Image Queued(Image image) => image.Status == "queued" ? image : throw Fault.Conflict($"Image {image.Id} has its data already.");

    private static async ValueTask<Reply> Download(Call c, bool host)
    {
        var image = host ? (await Images.Rows.Find(c.Store, c.Args["image_id"]))?.Item ?? throw Fault.NotFound("image", c.Args["image_id"]) : (await Images.Kind.Load(c, "image:get_image")).Item;
        if (!host && image.Status == "deactivated" && !c.Allows("admin", default)) throw new Fault(403, "The image is deactivated.");
        if (image.Blob is null) return Reply.Empty(204);
        var stream = await Locations.Read(c.Services, image, c.Cancelled) ?? throw new Fault(503, "The image data can't be read now.");
        var size = image.Size!.Value;
        var (part, status) = (new ByteRange(0, size), 200);
        if (c.Header("Range") is { } header) (part, status) = (ByteRange.Parse(header, size) is [var one] ? one : throw Bad(stream, size), 206);
        stream.Position = part.From;
        var reply = new Reply { Status = status, Stream = part.Length == size ? stream : new Slice(stream, part.Length), ContentType = "application/octet-stream" };
        reply.With("Content-Length", part.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)).With("Accept-Ranges", "bytes");
        if (status == 206) reply.With("Content-Range", part.Of(size));
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
