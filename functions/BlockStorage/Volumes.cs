using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volumes-volumes</summary>
public static class Volumes
{
    public const int MaxSize = 1 << 20;

    public static readonly Rows<Volume> Rows = new("volume", "block-storage") { NewestFirst = true };

    public static readonly Quota Quota = new("volume", new Dictionary<string, long> { ["volumes"] = 10, ["snapshots"] = 10, ["gigabytes"] = 1000, ["backups"] = 10, ["backup_gigabytes"] = 1000, ["groups"] = 10, ["per_volume_gigabytes"] = -1 });

    public static readonly Kind<Volume> Kind = new(Rows, "volumes", "/v3/{project_id}/volumes", BlockDialect.Value)
    {
        Sees = "volume:get", ListsAll = "admin",
        Charges = (Quota, Quota.Counts(Rows, v => [new("volumes", 1), new("gigabytes", v.Size ?? 0)]), BlockDialect.Over),
        Check = Check, CheckDelete = CheckDelete, Extend = VolumeView.Write,
    };

    public static readonly Route[] Routes =
    [
        Kind.List("volume:get_all", detail: false, where: Wanted), Kind.List("volume:get_all", "/detail", where: Wanted),
        Kind.Create("volume:create", VolumeSagas.Creation, 202), Kind.Show("volume:get"), Kind.Update("volume:update"), Kind.Delete("volume:delete", VolumeSagas.Removal, 202),
        new("GET", "/v3/{project_id}/volumes/summary", "volume:get_all", async c =>
        {
            var (all, _) = await Kind.Select(c, "volume:get_all", Wanted);
            return Reply.Object(200, w => w.Object("volume-summary", () =>
            {
                w.WriteNumber("total_count", all.Count);
                w.WriteNumber("total_size", all.Sum(v => v.Size ?? 0));
                if (c.Version >= new ApiVersion(3, 36))
                    w.Object("metadata", () => { foreach (var g in all.SelectMany(v => v.Metadata).GroupBy(m => m.Key, m => m.Value)) w.Strings(g.Key, g.Distinct()); });
            }));
        }) { Since = "3.12" },
        .. VolumeActions.Routes, .. Metadata.Routes(Kind, v => v.Metadata, (v, m) => v with { Metadata = m }),
    ];

    private static bool Wanted(Call c, Volume v)
    {
        foreach (var (key, value) in c.Query)
            if (key == "metadata" && !Metadata.Matches(v.Metadata, value)) return false;
        return true;
    }

    private static async ValueTask Check(Call c, Draft<Volume> d)
    {
        var v = d.Item;
        Metadata.Check(v.Metadata);
        if (d.Old is not null)
        {
            d.Item = v with { Name = v.Name?.Trim(), Description = v.Description?.Trim() };
            return;
        }
        if (v.Multiattach == true) throw Fault.BadRequest("Invalid volume: multiattach volumes are not offered.");
        if ((v.BackupId ?? v.SourceReplica ?? v.ConsistencygroupId ?? v.GroupId) is { Length: > 0 }) throw Fault.BadRequest("Invalid input received: backups, replicas and groups are not offered.");
        if (v.AvailabilityZone is { Length: > 0 } zone && !await Infrastructure.HasZone(c, zone)) throw Fault.BadRequest($"Availability zone '{Short(zone)}' is invalid.");
        var type = await VolumeTypes.Usable(c, v.VolumeType is { Length: > 0 } named ? named : VolumeTypes.Default) ?? throw new Fault(404, $"Volume type with name {Short(v.VolumeType!)} could not be found.");
        if (new[] { v.SnapshotId, v.SourceVolid, v.ImageRef }.Count(x => x is { Length: > 0 }) > 1) throw Fault.BadRequest("May specify only one of snapshot, imageRef or source volume");
        v = await FromSource(c, v);
        if (v.Size is not { } gib) throw Fault.BadRequest("Invalid input received: Invalid volume size provided for create request: None (size argument must be an integer (or string representation of an integer) and greater than zero).");
        if (gib is < 1 or > MaxSize) throw Fault.BadRequest($"Invalid input received: Invalid volume size provided for create request: {gib} (size argument must be an integer (or string representation of an integer) and greater than zero).");
        await CheckSize(c, gib);
        d.Item = v with
        {
            Name = v.Name?.Trim(),
            ImageRef = null,
            UserId = c.Caller.UserId,
            VolumeType = type.Name,
            VolumeTypeId = type.Id,
            AvailabilityZone = v.AvailabilityZone is { Length: > 0 } az ? az : "nova",
            Multiattach = false,
        };
    }

    /// <exception cref="Fault">413 when a single volume may not be as large.</exception>
    internal static async ValueTask CheckSize(Call c, int gib)
    {
        if ((await Quota.LimitsOf(c.Store, c.ProjectId))["per_volume_gigabytes"] is >= 0 and var most && gib > most)
            throw new Fault(413, $"VolumeSizeExceedsLimit: Requested volume size {gib}G is larger than maximum allowed limit {most}G.");
    }

    private static async ValueTask<Volume> FromSource(Call c, Volume v)
    {
        if (v.SnapshotId is { Length: > 0 } snapshot)
        {
            var s = (await Snapshots.Rows.Find(c.Store, snapshot, c.User?.ProjectId, c.Cancelled))?.Item;
            if (s is null || s.ProjectId != c.ProjectId) throw new Fault(404, $"Snapshot {Short(snapshot)} could not be found.");
            if (s.Status != "available") throw Fault.BadRequest($"Invalid snapshot: Originating snapshot status must be one of 'available' values");
            return v with { Size = AtLeast(v.Size, s.Size, "snapshot"), ImageId = s.ImageId, ImageMetadata = s.ImageMetadata };
        }
        if (v.SourceVolid is { Length: > 0 } source)
        {
            var s = (await Rows.Find(c.Store, source, c.User?.ProjectId, c.Cancelled))?.Item;
            if (s is null || s.ProjectId != c.ProjectId) throw new Fault(404, $"Volume {Short(source)} could not be found.");
            if (s.Status is not ("available" or "in-use")) throw Fault.BadRequest("Invalid volume: the source volume must be available or in-use.");
            return v with { Size = AtLeast(v.Size, s.Size ?? 1, "source volume"), ImageId = s.ImageId, ImageMetadata = s.ImageMetadata };
        }
        if (v.ImageRef is not { Length: > 0 } image) return v;
        var i = await Image.Facade.ForBoot(c, image);
        var least = Math.Max(i.MinDisk, (int)((i.VirtualBytes + (1L << 30) - 1) >> 30));
        return v with
        {
            Size = v.Size is null ? null : AtLeast(v.Size, least, "image"),
            ImageId = i.Id,
            ImageMetadata = new()
            {
                ["image_id"] = i.Id, ["image_name"] = i.Name, ["container_format"] = "bare", ["disk_format"] = i.Format, ["min_disk"] = $"{i.MinDisk}", ["min_ram"] = $"{i.MinRam}", ["size"] = $"{i.Bytes}",
            },
        };
    }

    private static int AtLeast(int? size, int least, string what) =>
        (size ?? least) >= least ? size ?? least : throw Fault.BadRequest($"Invalid input received: Volume size '{size}'GB cannot be smaller than the {what} size {least}GB. They must be >= original size.");

    private static async ValueTask CheckDelete(Call c, Draft<Volume> d)
    {
        if (d.Item.Attachment is not null || d.Item.Status is not ("available" or "error" or "error_restoring" or "error_extending" or "error_managing"))
            throw Fault.BadRequest("Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.");
        var snapshots = (await Snapshots.Rows.InProject(c.Store, d.Item.ProjectId, c.Cancelled)).Where(s => s.VolumeId == d.Item.Id).ToList();
        var cascade = Lenient.Boolean(c.First("cascade") ?? "false") ?? throw Fault.BadRequest("Invalid value for 'cascade'.");
        if (snapshots.Count > 0 && !cascade) throw Fault.BadRequest($"Invalid volume: Volume still has {snapshots.Count} dependent snapshots.");
        if (snapshots.Any(s => s.Status is not ("available" or "error" or "deleting"))) throw Fault.BadRequest("Invalid volume: a snapshot of it is busy.");
        d.Item = d.Item with { Status = "deleting", Cascade = cascade };
    }

    internal static string Short(string text) => text.Length > 60 ? text[..60] : text;
}
