using Cloud.Platform;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>glance-download: the data and some of the properties of an image that is there already, in a region of this cloud.</summary>
internal static class OtherImage
{
    private static readonly string[] Carried = ["hw_", "trait:", "os_distro", "os_secure_boot", "os_type"];

    /// <exception cref="Fault">400, 404 or 503: it isn't there for the owner of the task, or can't be had.</exception>
    public static async ValueTask<(Stream Bytes, long? Length, Func<Image, Image> More)> Open(Services s, ImageTask task, CancellationToken ct)
    {
        // Another region would have to be sent a token: no request that a tenant causes carries one.
        if (task.From.Region != s.Settings.Region || task.From.Interface is not ("public" or "internal" or "admin")) throw Fault.BadRequest("There is no image service for that region and interface from which images can be had.");
        var image = (await Images.Rows.Find(s.Store, task.From.ImageId!, task.ProjectId, ct))?.Item;
        if (image is not { Status: "active" } || image.ProjectId != task.ProjectId && !image.IsFor(task.ProjectId)) throw Fault.NotFound("image", task.From.ImageId!);
        var bytes = await Locations.Read(s, image, ct) ?? throw new Fault(503, "The image data can't be read now.");
        return (bytes, image.Size, to => to with
        {
            DiskFormat = image.DiskFormat,
            ContainerFormat = image.ContainerFormat,
            Properties = new(to.Properties.Concat(image.Properties.Where(p => Array.Exists(Carried, c => p.Key.StartsWith(c, StringComparison.Ordinal)))).GroupBy(p => p.Key).Select(g => g.Last())),
        });
    }
}
