using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volume-actions-volumes-action</summary>
public static class VolumeActions
{
    private const string Path = "/v3/{project_id}/volumes/{id}/action";
    private static readonly string[] Statuses =
        ["creating", "available", "deleting", "error", "error_deleting", "error_extending", "error_managing", "attaching", "detaching", "in-use", "maintenance", "managing", "reserved", "restoring-backup", "retyping"];

    public static readonly Route[] Routes =
    [
        new("POST", Path, "volume:extend", Extend) { Action = "os-extend" },
        new("POST", Path, "volume:update", async c =>
        {
            var body = c.Body("os-set_bootable");
            var flag = body.TryGetProperty("bootable", out var b) && Lenient.Boolean(b) is { } read ? read : throw Fault.BadRequest("Invalid input for field/attribute bootable.");
            await Volumes.Kind.Change(c, "volume:update", d => d.Item = d.Item with { BootFlag = flag });
            return Reply.Empty(200);
        }) { Action = "os-set_bootable" },
        new("POST", Path, "volume:update", async c =>
        {
            var only = c.Body("os-update_readonly_flag").TryGetProperty("readonly", out var r) && Lenient.Boolean(r) is { } read ? read : throw Fault.BadRequest("Invalid input for field/attribute readonly.");
            await Volumes.Kind.Change(c, "volume:update", d => d.Item = d.Item.Status == "available" ? d.Item with { ReadOnly = only } : throw Fault.BadRequest($"Invalid volume: Volume {d.Item.Id} status must be available to update readonly flag, but current status is: {d.Item.Status}."));
            return Reply.Empty(202);
        }) { Action = "os-update_readonly_flag" },
        new("POST", Path, "volume:update", Retype) { Action = "os-retype" },
        new("POST", Path, "volume:reset_status", ResetStatus) { Action = "os-reset_status" },
        new("POST", Path, "volume:force_delete", async c =>
        {
            await Volumes.Kind.Change(c, "volume:force_delete", d => d.Item = d.Item.Attachment is null ? d.Item with { Status = "deleting", Cascade = true } : throw Fault.BadRequest("Invalid volume: it is attached."), VolumeSagas.Removal);
            return Reply.Empty(202);
        }) { Action = "os-force_delete" },
        ImageMetadata("os-show_image_metadata", "volume:get", (_, now) => now),
        ImageMetadata("os-set_image_metadata", "volume:update", (body, now) =>
        {
            foreach (var (k, v) in Metadata.Read(body, "metadata")) now[k] = v;
            Metadata.Check(now);
            return now;
        }),
        ImageMetadata("os-unset_image_metadata", "volume:update", (body, now) => now.Remove(Text(body, "key") ?? throw Fault.BadRequest("The key cannot be None.")) ? now : throw new Fault(404, "Metadata item was not found.")),
        .. VolumeBooking.Routes,
        .. new[] { "os-initialize_connection", "os-terminate_connection", "os-migrate_volume", "os-migrate_volume_completion", "os-volume_upload_image", "revert", "os-unmanage", "os-reimage", "os-extend_volume_completion" }
            .Select(a => Unoffered.Action(Volumes.Kind, a)),
    ];

    /// <summary>A text in a body; null when it isn't there.</summary>
    /// <exception cref="Fault">400.</exception>
    internal static string? Text(JsonElement body, string name, int most = 255) =>
        body.ValueKind != JsonValueKind.Object || !body.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null ? null
            : v.ValueKind == JsonValueKind.String && v.GetString() is { } text && text.Length <= most ? text : throw Fault.BadRequest($"Invalid input for field/attribute {Volumes.Short(name)}: it must be a string of at most {most} characters.");

    private static async ValueTask<Reply> Extend(Call c)
    {
        var body = c.Body("os-extend");
        var size = body.TryGetProperty("new_size", out var n) && (n.ValueKind == JsonValueKind.Number && n.TryGetInt32(out var i) || n.ValueKind == JsonValueKind.String && int.TryParse(n.GetString(), System.Globalization.NumberStyles.None, null, out i)) && i is > 0 and <= Volumes.MaxSize
            ? i : throw Fault.BadRequest("Invalid input for field/attribute new_size: it must be an integer greater than zero.");
        await Volumes.CheckSize(c, size);
        await Volumes.Kind.Change(c, "volume:extend", d =>
        {
            var v = d.Item;
            if (v.Status != "available" && !(v.Status == "in-use" && c.Version >= new ApiVersion(3, 42)))
                throw Fault.BadRequest($"Invalid volume: Volume {v.Id} status must be '{{'available'}}' to extend, currently {v.Status}.");
            if (size <= v.Size) throw Fault.BadRequest($"Invalid input received: New size for extend must be greater than current size. (current: {v.Size}, extended: {size}).");
            d.Item = v with { Size = size, OldSize = v.Size ?? 0, Status = "extending" };
        }, VolumeSagas.Extension, more: async d => d.Ops.AddRange(await Volumes.Quota.Reserve(c.Store, d.Item.ProjectId, [new("gigabytes", size - d.Old!.Size!.Value)], BlockDialect.Over)));
        return Reply.Empty(202);
    }

    // Types differ in nothing that is on a host, so no bytes have to move.
    private static async ValueTask<Reply> Retype(Call c)
    {
        var body = c.Body("os-retype");
        var name = Text(body, "new_type") is { Length: > 0 } given ? given : throw Fault.BadRequest("Invalid input for field/attribute new_type.");
        if (Text(body, "migration_policy") is not (null or "never" or "on-demand")) throw Fault.BadRequest("Invalid input for field/attribute migration_policy: it must be never or on-demand.");
        await Volumes.Kind.Load(c, "volume:update");
        var type = await VolumeTypes.Usable(c, name) ?? throw new Fault(404, $"Volume type with name {Volumes.Short(name)} could not be found.");
        await Volumes.Kind.Change(c, "volume:update", d =>
        {
            if (d.Item.Status is not ("available" or "in-use")) throw Fault.BadRequest($"Invalid volume: Volume {d.Item.Id} status must be available or in-use to retype, but current status is: {d.Item.Status}.");
            if (d.Item.VolumeTypeId == type.Id) throw Fault.BadRequest($"Invalid input received: New volume_type same as original: {type.Name}.");
            d.Item = d.Item with { VolumeType = type.Name, VolumeTypeId = type.Id };
        });
        return Reply.Empty(202);
    }

    private static async ValueTask<Reply> ResetStatus(Call c)
    {
        var body = c.Body("os-reset_status");
        var (status, attach, migration) = (Text(body, "status"), Text(body, "attach_status"), Text(body, "migration_status"));
        if ((status ?? attach ?? migration) is null) throw Fault.BadRequest("Must specify 'status', 'attach_status' or 'migration_status' for update.");
        if (status is not null && !Statuses.Contains(status)) throw Fault.BadRequest($"Invalid input for field/attribute status. Value: {Volumes.Short(status)}.");
        if (attach is not (null or "detached" or "attached")) throw Fault.BadRequest($"Invalid input for field/attribute attach_status. Value: {Volumes.Short(attach)}.");
        await Volumes.Kind.Change(c, "volume:reset_status", d =>
        {
            // What a guest holds stays on the books, whatever the status says.
            var a = attach == "detached" && d.Item.Attachment is { ByCompute: false } ? null : d.Item.Attachment;
            d.Item = d.Item with { Status = status ?? d.Item.Status, MigrationStatus = migration is null or "none" ? null : migration, Attachment = a };
        });
        return Reply.Empty(202);
    }

    private static Route ImageMetadata(string action, string policy, Func<JsonElement, Dictionary<string, string>, Dictionary<string, string>> change) => new("POST", Path, policy, async c =>
    {
        // Cinder's own clients send null for os-show_image_metadata.
        var body = c.Json.GetProperty(action);
        if (action == "os-show_image_metadata") return Metadata.All((await Volumes.Kind.Load(c, policy)).Item.ImageMetadata ?? []);
        var v = await Volumes.Kind.Change(c, policy, d => d.Item = d.Item with { ImageMetadata = change(body, new(d.Item.ImageMetadata ?? [])) });
        return action == "os-set_image_metadata" ? Metadata.All(v.ImageMetadata!) : Reply.Empty(200);
    })
    { Action = action };
}
