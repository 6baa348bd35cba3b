using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>A new server's volumes: block_device_mapping_v2, with volumes that exist.</summary>
public static class BootDevices
{
    private const int Most = 25;

    /// <exception cref="Fault">400 for a mapping that this cloud doesn't offer or that makes no sense.</exception>
    public static async ValueTask<VolumeOf[]> Read(Call c, BodyReader read, string? image)
    {
        if (read.List("block_device_mapping", Most).Count > 0) throw Bad("the old form is not offered; use block_device_mapping_v2");
        var volumes = new List<VolumeOf>();
        var boots = image is null ? 0 : 1;
        foreach (var e in read.List("block_device_mapping_v2", Most))
        {
            var (volume, boot) = One(c, BodyReader.Of(e), image);
            if (volume is null) continue;
            if (boot && ++boots > 1) throw Bad("Boot sequence for the instance and image/block device mapping combination is not valid");
            volumes.Add(volume);
        }
        if (boots == 0) throw Bad("neither an image nor a volume to boot from was given");
        if (volumes.GroupBy(v => v.VolumeId).Any(g => g.Count() > 1)) throw Bad("a volume is named twice");
        if (volumes.Where(v => v.Device.Length > 0).GroupBy(v => v.Device).Any(g => g.Count() > 1)) throw Bad("a device is named twice");
        foreach (var v in volumes)
            try { await BlockStorage.Facade.Check(c, v.VolumeId, c.User?.ProjectId, null, bootable: v.Device == "vda"); }
            catch (Fault f) when (f.Status == 404) { throw Bad($"failed to get volume {v.VolumeId}"); }
        return Named(volumes);
    }

    private static (VolumeOf? Volume, bool Boots) One(Call c, BodyReader r, string? image)
    {
        var (source, target, id) = (r.Text("source_type", 20), r.Text("destination_type", 20), r.Text("uuid", 64));
        var (boot, delete, device) = (r.Number("boot_index", -1, 100), r.Flag("delete_on_termination") ?? false, r.Text("device_name", 64)?.Replace("/dev/", "", StringComparison.Ordinal));
        foreach (var ignored in (string[])["disk_bus", "device_type", "guest_format", "volume_size", "no_device"]) r.Get(ignored);
        var tag = c.From(32) ? r.Text("tag", 60) : null;
        if (c.From(67)) r.Text("volume_type", 255);
        r.NothingElse();
        // The image itself as first disk says nothing that imageRef doesn't.
        if (source == "image" && target is null or "local") return boot == 0 && id == image ? (null, false) : throw Bad("an image can be the boot disk only, and imageRef must name it too");
        if (source != "volume" || target is not (null or "volume")) throw Bad($"source_type {Short(source)} to destination_type {Short(target)} is not offered; make the volume first");
        if (!Guid.TryParse(id, out _)) throw Bad("the volume's uuid is missing");
        if (device is not null && !(device.Length == 3 && device.StartsWith("vd", StringComparison.Ordinal) && device[2] is >= 'a' and <= 'z')) device = null;
        if (boot != 0 && device == "vda") device = null;
        return (new(id, boot == 0 ? "vda" : device ?? "", delete, Tag: tag), boot == 0);
    }

    private static VolumeOf[] Named(List<VolumeOf> volumes)
    {
        var used = volumes.Select(v => v.Device).ToHashSet();
        var next = 'b';
        return [.. volumes.Select(v =>
        {
            if (v.Device.Length > 0) return v;
            while (!used.Add("vd" + next)) next++;
            return v with { Device = "vd" + next };
        })];
    }

    private static string Short(string? text) => text is null ? "none" : text.Length > 20 ? text[..20] : text;

    private static Fault Bad(string why) => Fault.BadRequest($"Block Device Mapping is Invalid: {why}.");
}
