using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>How volumes come, grow and go.</summary>
public static class VolumeSagas
{
    /// <summary>A copy is made at once, on the host of what is copied; anything else waits for its first attachment.</summary>
    public static readonly Saga<Volume> Creation = Saga<Volume>.Named("volume-create-1", Volumes.Rows)
        .Step("origin", Origin)
        .Agent("copy", w => new(w.Item.Host.Length > 0 && Source(w.Item) is { } from ? [new HostCommand(w.Item.Host, new CopyDisk(w.Item.Id, from, w.Item.Bytes))] : []), undo: w => new(Remove(w.Item)))
        .Finished(w => { w.Item = w.Item with { Status = "available", HasBytes = w.Item.Host.Length > 0 }; return ValueTask.CompletedTask; })
        .Failed(w => { w.Item = w.Item with { Status = "error", Host = "" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Volume> Extension = Saga<Volume>.Named("volume-extend-1", Volumes.Rows)
        .Agent("grow", async w => w.Item.Host.Length > 0 ? [await Disk(w.Services, w.Item)] : [])
        .Finished(w => { w.Item = w.Item with { Status = w.Item.Attachment is null ? "available" : "in-use" }; return ValueTask.CompletedTask; })
        .Failed(w => { w.Item = w.Item with { Status = "error_extending", Size = w.Item.OldSize }; return ValueTask.CompletedTask; });

    public static readonly Saga<Volume> Removal = Saga<Volume>.Deleting("volume-delete-1", Volumes.Rows)
        .Step("snapshots", async w =>
        {
            if (!w.Item.Cascade) return;
            foreach (var s in (await Snapshots.Rows.InProject(w.Store, w.Item.ProjectId)).Where(s => s.VolumeId == w.Item.Id)) await Snapshots.Doom(w.Services, s, w.Change);
        })
        .Agent("remove", w => new(Remove(w.Item)));

    internal static string? Source(Volume v) => v.SnapshotId ?? v.SourceVolid;

    private static HostCommand[] Remove(Volume v) => v.Host.Length > 0 ? [new(v.Host, new RemoveDisk(v.Id))] : [];

    private static async ValueTask Origin(Work<Volume> w)
    {
        var v = w.Item;
        var host = "";
        if (v.SnapshotId is { } snapshot) host = (await Snapshots.Rows.Get(w.Store, v.ProjectId, snapshot) ?? throw new SagaFault("The snapshot is gone.")).Item.Host;
        else if (v.SourceVolid is { } source && (await Volumes.Rows.Get(w.Store, v.ProjectId, source) ?? throw new SagaFault("The source volume is gone.")).Item is { HasBytes: true } from) host = from.Host;
        // What had no bytes yet is made anew from the same image.
        if (host.Length > 0) w.Item = v with { Host = host };
    }

    /// <summary>The command that makes the volume's disk what the row says.</summary>
    /// <exception cref="SagaFault">Its image went before its first use.</exception>
    internal static async ValueTask<HostCommand> Disk(Services s, Volume v)
    {
        var image = v.ImageId is null || v.HasBytes ? null : (await Image.Facade.Get(s, v.ImageId) ?? throw new SagaFault($"Image {v.ImageId} of volume {v.Id} is gone.")).Command;
        return new(v.Host, new EnsureDisk(v.Id, v.Bytes, image), v.Revision);
    }
}
