using Cloud.Agents.Contract;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volume-snapshots-snapshots</summary>
public static class Snapshots
{
    public static readonly Rows<Snapshot> Rows = new("snapshot", "block-storage") { NewestFirst = true };

    public static readonly Saga<Snapshot> Creation = Saga<Snapshot>.Named("snapshot-create-1", Rows)
        .Agent("copy", w => new(w.Item.Host.Length > 0 ? [new HostCommand(w.Item.Host, new CopyDisk(w.Item.Id, w.Item.VolumeId, (long)w.Item.Size << 30))] : []),
            undo: w => new(w.Item.Host.Length > 0 ? [new HostCommand(w.Item.Host, new RemoveDisk(w.Item.Id))] : []))
        .Finished(w => { w.Item = w.Item with { Status = "available" }; return ValueTask.CompletedTask; })
        .Failed(w => { w.Item = w.Item with { Status = "error", Host = "" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Snapshot> Removal = Saga<Snapshot>.Deleting("snapshot-delete-1", Rows)
        .Agent("remove", w => new(w.Item.Host.Length > 0 ? [new HostCommand(w.Item.Host, new RemoveDisk(w.Item.Id))] : []));

    public static readonly Kind<Snapshot> Kind = new(Rows, "snapshots", "/v3/{project_id}/snapshots", BlockDialect.Value)
    {
        Sees = "volume:get", ListsAll = "admin",
        Charges = (Volumes.Quota, Volumes.Quota.Counts(Rows, s => [new("snapshots", 1), new("gigabytes", s.Size)]), BlockDialect.Over),
        Check = async (c, d) =>
        {
            if (d.Old is not null) return;
            var v = (await Volumes.Rows.Find(c.Store, d.Item.VolumeId, c.User?.ProjectId, c.Cancelled))?.Item;
            if (v is null || v.ProjectId != c.ProjectId) throw new Fault(404, $"Volume {d.Item.VolumeId} could not be found.");
            if (v.Status != "available" && !(v.Status == "in-use" && (d.Item.Force || c.Version >= new ApiVersion(3, 66)))) throw Fault.BadRequest("Invalid volume: Volume status must be available to create a snapshot.");
            d.Item = d.Item with { Size = v.Size ?? 1, Host = v.HasBytes ? v.Host : "", ImageId = v.ImageId, UserId = c.Caller.UserId };
        },
        CheckDelete = (_, d) =>
        {
            if (d.Item.Status is not ("available" or "error")) throw Fault.BadRequest("Invalid snapshot: Volume Snapshot status must be available or error.");
            d.Item = d.Item with { Status = "deleting" };
            return ValueTask.CompletedTask;
        },
    };

    public static readonly Route[] Routes =
        [Kind.List("volume:get_all"), Kind.List("volume:get_all", "/detail"), Kind.Create("volume:create", Creation, 202), Kind.Show("volume:get"), Kind.Update("volume:update"), Kind.Delete("volume:delete", Removal, 202)];
}

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volume-types-types</summary>
public static class VolumeTypes
{
    public static readonly Rows<VolumeType> Rows = new("volume_type", "block-storage") { Global = true };

    private static readonly Kind<VolumeType> Kind = new(Rows, "volume_types", "/v3/{project_id}/types", BlockDialect.Value) { Sees = "authenticated" };

    public static readonly Route[] Routes =
    [
        Kind.List("authenticated"), Kind.Create("volume:manage_types", status: 200), Kind.Show("authenticated"), Kind.Update("volume:manage_types"), Kind.Delete("volume:manage_types", status: 202),
        new("GET", "/v3/{project_id}/types/default", "authenticated", async c => Kind.One1(c, 200, (await Rows.InProject(c.Store, "")).First())),
    ];

    public static async ValueTask Bootstrap(Platform.Services s)
    {
        if ((await Rows.InProject(s.Store, "")).Count == 0) await Rows.Save(s, new VolumeType { Id = s.Ids.New(), Name = "local", Description = "A file on the host of its server", CreatedAt = s.Now }, null, new("bootstrap", ""));
    }
}
