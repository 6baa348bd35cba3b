using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>What other services may know of images.</summary>
public static class Facade
{
    /// <param name="Bytes">As stored. <paramref name="VirtualBytes"/> is the size of the disk inside.</param>
    public sealed record BootImage(string Id, string Name, string Format, long Bytes, long VirtualBytes, string Sha512, int MinDisk, int MinRam)
    {
        public EnsureImage Command => new(Id, $"/image/v2/host-images/{Id}", Sha512, Format, Bytes);
    }

    /// <summary>An image this caller may boot from.</summary>
    /// <exception cref="Fault">400 when it isn't there for him or not ready.</exception>
    public static async ValueTask<BootImage> ForBoot(Call c, string id)
    {
        var found = await Images.Rows.Find(c.Store, id, c.User?.ProjectId);
        var visible = found is not null && (found.Item.ProjectId == c.User?.ProjectId || found.Item.IsFor(c.User?.ProjectId) || c.Allows("admin", default));
        if (!visible) throw Fault.BadRequest($"Image {id} could not be found.");
        return found!.Item is { Status: "active", DiskFormat: "qcow2" or "raw", VirtualSize: not null } i
            ? new(i.Id, i.Name ?? "", i.DiskFormat, i.Size!.Value, i.VirtualSize ?? i.Size.Value, i.OsHashValue!, i.MinDisk, i.MinRam)
            : throw Fault.BadRequest($"Image {id} is unacceptable: it is not active, or its format can't be booted.");
    }

    /// <summary>The same for a saga, which acts for a caller already checked. Null when it is gone.</summary>
    public static async ValueTask<BootImage?> Get(Services s, string id) =>
        (await Images.Rows.Find(s.Store, id))?.Item is { Status: "active" } i ? new(i.Id, i.Name ?? "", i.DiskFormat!, i.Size!.Value, i.VirtualSize ?? i.Size.Value, i.OsHashValue!, i.MinDisk, i.MinRam) : null;
}
