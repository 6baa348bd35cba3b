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
    /// <exception cref="Fault">400, 413 or 415; nothing is left.</exception>
    public static ValueTask<Stored> Receive(Call c, Image image) =>
        Take(c.Services, image, c.Stream!, long.TryParse(c.Header("Content-Length"), out var announced) ? announced : null, c.Cancelled);

    /// <exception cref="Fault">400 or 413; nothing is left.</exception>
    public static async ValueTask<Stored> Take(Services s, Image image, Stream bytes, long? announced, CancellationToken ct)
    {
        var room = await Room(s, image.ProjectId);
        if (announced > room) throw TooLarge();
        var blob = $"{image.Id}-{s.Ids.New()[^12..]}";
        BlobInfo info;
        try { info = await s.Blobs.Write(blob, bytes, room, ct); }
        catch (BlobTooLargeException) { throw TooLarge(); }
        if (announced is null or 0 || announced == info.Bytes) return new(blob, info);
        await s.Blobs.Delete(blob, CancellationToken.None);
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
    public static async ValueTask<long?> DiskIn(Services s, Stored stored, Image image, CancellationToken ct)
    {
        await using var bytes = (await s.Blobs.Read(stored.Blob, ct))!;
        return ImageFormat.Inspect(bytes, image.DiskFormat!);
    }

    public static Image Active(Image image, Stored stored, long? disk) => image with
    {
        Status = "active",
        Blob = stored.Blob,
        Staged = null,
        Size = stored.Info.Bytes,
        VirtualSize = disk,
        Checksum = stored.Info.Md5,
        OsHashAlgo = "sha512",
        OsHashValue = stored.Info.Sha512,
    };

    /// <summary>What makes the write of an image that has just got its size fail when there is no room any more.</summary>
    public static ValueTask<IReadOnlyList<Op>> Charge(Services s, Image image) => Images.Quota.Reserve(s.Store, image.ProjectId, Images.Bytes(image), (_, _, _, _) => TooLarge());

    private static Fault TooLarge() => new(413, "The image is larger than what is left of the project's storage for images.");
}
