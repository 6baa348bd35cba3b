using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volumes-volumes</summary>
public static class Volumes
{
    public static readonly Rows<Volume> Rows = new("volume", "block-storage") { NewestFirst = true };

    public static readonly Quota Quota = new("volume", new Dictionary<string, long> { ["volumes"] = 10, ["gigabytes"] = 1000, ["snapshots"] = 10, ["backups"] = 10, ["backup_gigabytes"] = 1000, ["groups"] = 10, ["per_volume_gigabytes"] = -1 });

    /// <summary>A copy is made at once, on the host of what is copied; anything else waits for its first attachment.</summary>
    public static readonly Saga<Volume> Creation = Saga<Volume>.Named("volume-create-1", Rows)
        .Step("origin", Origin)
        .Agent("copy", w => new(w.Item.Host.Length > 0 && Source(w.Item) is { } from ? [new HostCommand(w.Item.Host, new CopyDisk(w.Item.Id, from, w.Item.Bytes))] : []),
            undo: w => new(w.Item.Host.Length > 0 ? [new HostCommand(w.Item.Host, new RemoveDisk(w.Item.Id))] : []))
        .Finished(w => { w.Item = w.Item with { Status = "available", HasBytes = w.Item.Host.Length > 0 }; return ValueTask.CompletedTask; })
        .Failed(w => { w.Item = w.Item with { Status = "error", Host = "" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Volume> Extension = Saga<Volume>.Named("volume-extend-1", Rows)
        .Agent("grow", async w => w.Item.Host.Length > 0 ? [await Disk(w.Services, w.Item)] : [])
        .Finished(w => { w.Item = w.Item with { Status = w.Item.Attachment is null ? "available" : "in-use" }; return ValueTask.CompletedTask; })
        .Failed(w => { w.Item = w.Item with { Status = "error_extending" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Volume> Removal = Saga<Volume>.Deleting("volume-delete-1", Rows)
        .Agent("remove", w => new(w.Item.Host.Length > 0 ? [new HostCommand(w.Item.Host, new RemoveDisk(w.Item.Id))] : []));

    public static readonly Kind<Volume> Kind = new(Rows, "volumes", "/v3/{project_id}/volumes", BlockDialect.Value)
    {
        Sees = "volume:get", ListsAll = "admin",
        Charges = (Quota, Quota.Counts(Rows, v => [new("volumes", 1), new("gigabytes", v.Size ?? 0)]), BlockDialect.Over),
        Check = Check,
        CheckDelete = async (c, d) =>
        {
            if (d.Item.Attachment is not null || d.Item.Status is not ("available" or "error" or "error_extending" or "error_deleting"))
                throw Fault.BadRequest("Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing and must not be migrating, attached, belong to a group, have snapshots or be disassociated from snapshots after volume transfer.");
            if ((await Snapshots.Rows.InProject(c.Store, d.Item.ProjectId, c.Cancelled)).Any(s => s.VolumeId == d.Item.Id)) throw Fault.BadRequest("Invalid volume: Volume still has dependent snapshots.");
            d.Item = d.Item with { Status = "deleting" };
        },
        Extend = Extras,
    };

    public static readonly Route[] Routes =
    [
        Kind.List("volume:get_all", detail: false), Kind.List("volume:get_all", "/detail"),
        Kind.Create("volume:create", Creation, 202), Kind.Show("volume:get"), Kind.Update("volume:update"), Kind.Delete("volume:delete", Removal, 202),
        new("GET", "/v3/{project_id}/volumes/summary", "volume:get_all", async c =>
        {
            var all = await Rows.InProject(c.Store, c.ProjectId, c.Cancelled);
            return Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartObject("volume-summary"); w.WriteNumber("total_count", all.Count); w.WriteNumber("total_size", all.Sum(v => v.Size ?? 0)); w.WriteEndObject(); w.WriteEndObject(); });
        }),
        .. VolumeActions.Routes, .. Metadata.Routes,
    ];

    internal static string? Source(Volume v) => v.SnapshotId ?? v.SourceVolid;

    private static async ValueTask Check(Call c, Draft<Volume> d)
    {
        var v = d.Item;
        if (v.Metadata.Any(m => m.Key.Length is 0 or > 255 || m.Value.Length > 255)) throw Fault.BadRequest("Invalid volume metadata: keys have 1 to 255 characters, values at most 255.");
        if (d.Old is not null) { d.Item = v; return; }
        if (v.VolumeType is { } type && !(await VolumeTypes.Rows.InProject(c.Store, "", c.Cancelled)).Any(t => t.Name == type || t.Id == type)) throw new Fault(404, $"Volume type with name {type} could not be found.");
        if (v.BackupId is not null) throw Fault.BadRequest("Invalid input received: backups are not offered.");
        if (new[] { v.SnapshotId, v.SourceVolid, v.ImageRef }.Count(x => x is not null) > 1) throw Fault.BadRequest("May specify only one of snapshot, imageRef or source volume");
        var size = v.Size;
        if (v.SnapshotId is { } snapshot)
        {
            var s = (await Snapshots.Rows.Find(c.Store, snapshot, c.User?.ProjectId, c.Cancelled))?.Item;
            if (s is null || s.ProjectId != c.ProjectId) throw new Fault(404, $"Snapshot {snapshot} could not be found.");
            if (s.Status != "available") throw Fault.BadRequest("Invalid snapshot: it must be available.");
            size = AtLeast(size, s.Size, "snapshot");
            v = v with { ImageId = s.ImageId };
        }
        else if (v.SourceVolid is { } source)
        {
            var s = (await Rows.Find(c.Store, source, c.User?.ProjectId, c.Cancelled))?.Item;
            if (s is null || s.ProjectId != c.ProjectId) throw new Fault(404, $"Volume {source} could not be found.");
            if (s.Status is not ("available" or "in-use")) throw Fault.BadRequest("Invalid volume: the source must be available or in-use.");
            size = AtLeast(size, s.Size ?? 1, "source volume");
            v = v with { ImageId = s.ImageId };
        }
        else if (v.ImageRef is { Length: > 0 } image)
        {
            var i = await Image.Facade.ForBoot(c, image);
            size = AtLeast(size, Math.Max(i.MinDisk, (int)((i.VirtualBytes + (1L << 30) - 1) >> 30)), "image");
            v = v with { ImageId = i.Id, ImageName = i.Name };
        }
        if (size is not { } gib) throw Fault.BadRequest("Invalid input received: size must be given.");
        if (gib is < 1 or > 1 << 20) throw Fault.BadRequest($"Invalid input received: Volume size '{gib}' must be an integer and greater than 0");
        d.Item = v with { Size = gib, ImageRef = null, UserId = c.Caller.UserId, VolumeType = v.VolumeType ?? "local", AvailabilityZone = v.AvailabilityZone ?? "nova" };
    }

    private static int AtLeast(int? size, int least, string what) =>
        (size ?? least) >= least ? size ?? least : throw Fault.BadRequest($"Invalid input received: Volume size '{size}'GB cannot be smaller than the {what} size {least}GB. They must be >= original size.");

    private static async ValueTask Origin(Work<Volume> w)
    {
        var v = w.Item;
        if (v.SnapshotId is { } s) w.Item = v with { Host = (await Snapshots.Rows.Get(w.Store, v.ProjectId, s) ?? throw new SagaFault("The snapshot is gone.")).Item.Host };
        else if (v.SourceVolid is { } o) w.Item = v with { Host = (await Rows.Get(w.Store, v.ProjectId, o) ?? throw new SagaFault("The source volume is gone.")).Item.Host };
    }

    /// <summary>The command that makes the volume's disk what the row says.</summary>
    internal static async ValueTask<HostCommand> Disk(Services s, Volume v)
    {
        // A copy has its bytes already; only a first disk from an image is laid over it.
        var image = v.ImageId is not null && Source(v) is null ? (await Image.Facade.Get(s, v.ImageId))?.Command : null;
        return new(v.Host, new EnsureDisk(v.Id, v.Bytes, image), v.Revision);
    }

    private static void Extras(Utf8JsonWriter w, Call c, Volume v, bool detail)
    {
        w.WriteStartArray("links");
        foreach (var (rel, url) in new[] { ("self", $"{c.BaseUrl}/v3/{v.ProjectId}/volumes/{v.Id}"), ("bookmark", $"{c.BaseUrl}/{v.ProjectId}/volumes/{v.Id}") })
        {
            w.WriteStartObject();
            w.WriteString("rel", rel);
            w.WriteString("href", url);
            w.WriteEndObject();
        }
        w.WriteEndArray();
        if (!detail) return;
        w.WriteStartArray("attachments");
        if (v.Attachment is { } a)
        {
            w.WriteStartObject();
            w.WriteString("id", v.Id);
            w.WriteString("attachment_id", a.Id);
            w.WriteString("volume_id", v.Id);
            w.WriteString("server_id", a.ServerId);
            w.WriteString("device", a.Device);
            w.WriteString("host_name", c.Allows("volume:host_attribute", default) ? v.Host : null);
            w.WriteString("attached_at", BlockDialect.Value.Time(a.At));
            w.WriteEndObject();
        }
        w.WriteEndArray();
        if (v.ImageId is not null)
        {
            w.WriteStartObject("volume_image_metadata");
            w.WriteString("image_id", v.ImageId);
            w.WriteString("image_name", v.ImageName ?? "");
            w.WriteEndObject();
        }
    }
}
