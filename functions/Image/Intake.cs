using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>How bytes become an image's: received whole, looked at, charged to the project, and only then named by its row.</summary>
internal static class Intake
{
    private const long MaxBytes = 1L << 40;

    /// <summary>A request's body, for <paramref name="image"/>.</summary>
    /// <exception cref="Fault">400, 413, 415 or 503; nothing is left.</exception>
    public static async ValueTask<Stored> Receive(Call c, Image image, IBlobStore into) =>
        await Take(c.Services, image, c.Stream!, long.TryParse(c.Header("Content-Length"), out var announced) ? announced : null, await Room(c.Services, image.ProjectId), into, c.Cancelled);

    /// <param name="room">How much may come.</param>
    /// <exception cref="Fault">400, 413 or 503; nothing is left.</exception>
    public static async ValueTask<Stored> Take(Services s, Image image, Stream bytes, long? announced, long room, IBlobStore into, CancellationToken ct)
    {
        if (announced > room) throw TooLarge();
        var blob = Locations.NewName(s, image);
        BlobInfo info;
        try { info = await into.Write(blob, bytes, room, ct); }
        catch (BlobTooLargeException) { throw TooLarge(); }
        catch (IOException e) when (e is not BadHttpRequestException and not Platform.Net.OutboundException) { throw new Fault(503, "The data can't be stored now.", e.Message) { Headers = [("Retry-After", "5")] }; }
        if (announced is null or 0 || announced == info.Bytes) return new(blob, info);
        await into.Delete(blob, CancellationToken.None);
        throw Fault.BadRequest("The data ended early.");
    }

    /// <summary>How large a project's next image may be.</summary>
    public static async ValueTask<long> Room(Services s, string project)
    {
        var limit = (await Images.Quota.LimitsOf(s.Store, project))["image_bytes"];
        return limit < 0 ? MaxBytes : Math.Clamp(limit - (await Images.Quota.UsageOf(s.Store, project, ["image_bytes"]))["image_bytes"], 0, MaxBytes);
    }

    /// <summary>The size of the disk in these bytes; null where it isn't known.</summary>
    /// <exception cref="Fault">400: they are not what the image says.</exception>
    public static async ValueTask<long?> DiskIn(Services s, Stored stored, IBlobStore store, string format, CancellationToken ct)
    {
        await using var bytes = await store.Read(stored.Blob, ct) ?? throw new IOException("the data has gone");
        return await Inspection.Of(s, bytes, format, ct);
    }

    /// <param name="stores">That have the bytes.</param>
    public static Image Active(Image image, Stored stored, long? disk, IReadOnlyList<string> stores) => image with
    {
        Status = image.Status == "deactivated" ? image.Status : "active",
        Blob = stored.Blob,
        Stores = [.. image.Stores.Union(stores)],
        Staged = null,
        Size = stored.Info.Bytes,
        VirtualSize = disk,
        Checksum = stored.Info.Md5,
        OsHashAlgo = "sha512",
        OsHashValue = stored.Info.Sha512,
    };

    /// <summary>What makes the write of an image that has grown from <paramref name="was"/> fail when there is no room any more.</summary>
    public static async ValueTask<IReadOnlyList<Op>> Charge(Services s, Image image, Image? was = null)
    {
        var more = Images.Bytes(image)[0].Amount - (was is null ? 0 : Images.Bytes(was)[0].Amount);
        return more > 0 ? await Images.Quota.Reserve(s.Store, image.ProjectId, [new("image_bytes", more)], (_, _, _, _) => TooLarge()) : [];
    }

    private static Fault TooLarge() => new(413, "The image is larger than what is left of the project's storage for images.");
}
