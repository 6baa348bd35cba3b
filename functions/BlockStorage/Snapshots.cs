using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volume-snapshots-snapshots</summary>
public static class Snapshots
{
    private const string Action = "/v3/{project_id}/snapshots/{id}/action";
    private static readonly string[] Statuses = ["creating", "available", "deleting", "error", "error_deleting"];

    public static readonly Rows<Snapshot> Rows = new("snapshot", "block-storage") { NewestFirst = true };

    public static readonly Saga<Snapshot> Creation = Saga<Snapshot>.Named("snapshot-create-1", Rows)
        .Agent("copy", w => new(w.Item.Host.Length > 0 ? [new HostCommand(w.Item.Host, new CopyDisk(w.Item.Id, w.Item.VolumeId, (long)w.Item.Size << 30))] : []), undo: w => new(Remove(w.Item)))
        .Finished(w => { w.Item = w.Item with { Status = "available" }; return ValueTask.CompletedTask; })
        .Failed(w => { w.Item = w.Item with { Status = "error", Host = "" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Snapshot> Removal = Saga<Snapshot>.Deleting("snapshot-delete-1", Rows).Agent("remove", w => new(Remove(w.Item)));

    public static readonly Kind<Snapshot> Kind = new(Rows, "snapshots", "/v3/{project_id}/snapshots", BlockDialect.Value)
    {
        Sees = "volume:get", ListsAll = "admin",
        Charges = (Volumes.Quota, Volumes.Quota.Counts(Rows, s => [new("snapshots", 1), new("gigabytes", s.Size)]), BlockDialect.Over),
        Check = Check,
        CheckDelete = (_, d) =>
        {
            if (d.Item.Status is not ("available" or "error")) throw Fault.BadRequest("Invalid snapshot: Volume Snapshot status must be available or error, and must not be part of a group.");
            d.Item = d.Item with { Status = "deleting" };
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, s, detail) =>
        {
            // In lists with details and alone, not in the answers of create and update.
            if (!detail || c.Method is not ("GET" or "HEAD")) return;
            w.WriteString("os-extended-snapshot-attributes:progress", s.Progress ?? (s.Status == "available" ? "100%" : "0%"));
            w.WriteString("os-extended-snapshot-attributes:project_id", s.ProjectId);
        },
    };

    public static readonly Route[] Routes =
    [
        Kind.List("volume:get_all", detail: false, where: Wanted), Kind.List("volume:get_all", "/detail", where: Wanted),
        Kind.Create("volume:create", Creation, 202), Kind.Show("volume:get"), Kind.Update("volume:update"), Kind.Delete("volume:delete", Removal, 202),
        .. Metadata.Routes(Kind, s => s.Metadata ?? [], (s, m) => s with { Metadata = m }),
        new("POST", Action, "volume:reset_status", async c =>
        {
            var status = VolumeActions.Text(c.Body("os-reset_status"), "status");
            if (!Statuses.Contains(status)) throw Fault.BadRequest($"Invalid input for field/attribute status. Value: {Volumes.Short(status ?? "None")}.");
            await Kind.Change(c, "volume:reset_status", d => d.Item = d.Item with { Status = status! });
            return Reply.Empty(202);
        }) { Action = "os-reset_status" },
        new("POST", Action, "volume:force_delete", async c =>
        {
            await Kind.Change(c, "volume:force_delete", d => d.Item = d.Item with { Status = "deleting" }, Removal);
            return Reply.Empty(202);
        }) { Action = "os-force_delete" },
        new("POST", Action, "volume:update", UpdateStatus) { Action = "os-update_snapshot_status" },
        Unoffered.Action(Kind, "os-unmanage"),
    ];

    // For whoever takes snapshots by himself: only from a state that waits for it.
    private static async ValueTask<Reply> UpdateStatus(Call c)
    {
        var body = c.Body("os-update_snapshot_status");
        var status = VolumeActions.Text(body, "status") ?? throw Fault.BadRequest("Invalid input for field/attribute status.");
        var progress = VolumeActions.Text(body, "progress", 5);
        if (progress is not null && !(progress.EndsWith('%') && int.TryParse(progress[..^1], System.Globalization.NumberStyles.None, null, out var n) && n <= 100)) throw Fault.BadRequest("Invalid input for field/attribute progress: it must be a percentage from 0% to 100%.");
        await Kind.Change(c, "volume:update", d =>
        {
            string[] next = d.Item.Saga is not null ? [] : d.Item.Status switch { "creating" => ["creating", "available", "error"], "deleting" => ["deleting", "error_deleting"], _ => [] };
            if (!next.Contains(status)) throw Fault.BadRequest($"Provided snapshot status {Volumes.Short(status)} not allowed for snapshot with status {d.Item.Status}.");
            d.Item = d.Item with { Status = status, Progress = progress };
        });
        return Reply.Empty(202);
    }

    private static HostCommand[] Remove(Snapshot s) => s.Host.Length > 0 ? [new(s.Host, new RemoveDisk(s.Id))] : [];

    private static bool Wanted(Call c, Snapshot s)
    {
        foreach (var (key, value) in c.Query)
            if (key == "metadata" && !Metadata.Matches(s.Metadata ?? [], value)) return false;
        return true;
    }

    private static async ValueTask Check(Call c, Draft<Snapshot> d)
    {
        Metadata.Check(d.Item.Metadata ?? []);
        if (d.Old is not null) return;
        if (c.Version >= new ApiVersion(3, 66) && d.Body.TryGetProperty("force", out var force) && Lenient.Boolean(force) != true) throw Fault.BadRequest("Invalid value for 'force': since 3.66 it can only be true, or be left out.");
        var v = (await Volumes.Rows.Find(c.Store, d.Item.VolumeId, c.User?.ProjectId, c.Cancelled))?.Item;
        if (v is null || v.ProjectId != c.ProjectId) throw new Fault(404, $"Volume {Volumes.Short(d.Item.VolumeId)} could not be found.");
        if (v.Status != "available" && !(v.Status == "in-use" && (d.Item.Force || c.Version >= new ApiVersion(3, 66)))) throw Fault.BadRequest($"Invalid volume: Volume {v.Id} status must be available, but current status is: {v.Status}.");
        d.Item = d.Item with { Size = v.Size ?? 1, Host = v.HasBytes ? v.Host : "", ImageId = v.ImageId, ImageMetadata = v.ImageMetadata, UserId = c.Caller.UserId, Metadata = d.Item.Metadata ?? [] };
    }

    /// <summary>Starts the removal of one that goes with its volume.</summary>
    internal static async ValueTask Doom(Services s, Snapshot snapshot, Change change)
    {
        while (await Rows.Get(s.Store, snapshot.ProjectId, snapshot.Id) is { Item.Doomed: false } was)
            try { await Removal.Begin(s, was.Item with { Status = "deleting" }, was, change); }
            catch (ConflictException) { /* it changed meanwhile */ }
    }
}
