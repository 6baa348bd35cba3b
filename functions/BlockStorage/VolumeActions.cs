using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volume-actions-volumes-action</summary>
public static class VolumeActions
{
    private const string Path = "/v3/{project_id}/volumes/{id}/action";

    public static readonly Route[] Routes =
    [
        new("POST", Path, "volume:extend", Extend) { Action = "os-extend" },
        new("POST", Path, "volume:update", async c =>
        {
            var flag = c.Body("os-set_bootable").TryGetProperty("bootable", out var b) && b.ValueKind is JsonValueKind.True or JsonValueKind.False ? b.ValueKind == JsonValueKind.True : throw Fault.BadRequest("Invalid input for 'bootable'.");
            await Volumes.Kind.Change(c, "volume:update", d => d.Item = d.Item with { BootFlag = flag });
            return Reply.Empty(200);
        }) { Action = "os-set_bootable" },
        new("POST", Path, "volume:reset_status", async c =>
        {
            var status = c.Body("os-reset_status").TryGetProperty("status", out var s) && s.ValueKind == JsonValueKind.String ? s.GetString()! : throw Fault.BadRequest("Invalid input for 'status'.");
            if (status is not ("available" or "error" or "in-use")) throw Fault.BadRequest($"Invalid input for 'status': {(status.Length > 40 ? status[..40] : status)}.");
            await Volumes.Kind.Change(c, "volume:reset_status", d => d.Item = d.Item with { Status = status });
            return Reply.Empty(202);
        }) { Action = "os-reset_status" },
        .. new[] { "os-attach", "os-detach", "os-reserve", "os-unreserve", "os-begin_detaching", "os-roll_detaching", "os-initialize_connection", "os-terminate_connection", "os-force_detach", "os-retype", "os-migrate_volume", "os-volume_upload_image", "os-update_readonly_flag", "revert", "os-unmanage" }
            .Select(a => Route.Missing("POST", Path, "volume:update", $"{a} is not offered; attach through the compute service.", a)),
    ];

    private static async ValueTask<Reply> Extend(Call c)
    {
        var size = c.Body("os-extend").TryGetProperty("new_size", out var n) && n.ValueKind == JsonValueKind.Number && n.TryGetInt32(out var i) && i is > 0 and <= 1 << 20 ? i : throw Fault.BadRequest("Invalid input for field/attribute new_size.");
        await Volumes.Kind.Change(c, "volume:extend", d =>
        {
            if (d.Item.Status is not ("available" or "in-use")) throw Fault.BadRequest("Invalid volume: Volume status must be available or in-use to extend.");
            if (size <= d.Item.Size) throw Fault.BadRequest($"Invalid input received: New size for extend must be greater than current size. (current: {d.Item.Size}, extended: {size}).");
            d.Item = d.Item with { Size = size, Status = "extending" };
        }, Volumes.Extension, more: async d => d.Ops.AddRange(await Volumes.Quota.Reserve(c.Store, d.Item.ProjectId, [new("gigabytes", size - d.Old!.Size!.Value)], BlockDialect.Over)));
        return Reply.Empty(202);
    }
}

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volume-metadata</summary>
public static class Metadata
{
    private const string Path = "/v3/{project_id}/volumes/{id}/metadata";

    public static readonly Route[] Routes =
    [
        new("GET", Path, "volume:get", async c => All((await Volumes.Kind.Load(c, "volume:get")).Item)),
        new("POST", Path, "volume:update", c => Set(c, replace: false)),
        new("PUT", Path, "volume:update", c => Set(c, replace: true)),
        new("GET", Path + "/{key}", "volume:get", async c =>
        {
            var v = (await Volumes.Kind.Load(c, "volume:get")).Item;
            var value = v.Metadata.TryGetValue(c.Args["key"], out var x) ? x : throw Missing(c);
            return Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartObject("meta"); w.WriteString(c.Args["key"], value); w.WriteEndObject(); w.WriteEndObject(); });
        }),
        new("DELETE", Path + "/{key}", "volume:update", async c =>
        {
            await Volumes.Kind.Change(c, "volume:update", d =>
            {
                var rest = new Dictionary<string, string>(d.Item.Metadata);
                if (!rest.Remove(c.Args["key"])) throw Missing(c);
                d.Item = d.Item with { Metadata = rest };
            });
            return Reply.Empty(200);
        }),
    ];

    private static async ValueTask<Reply> Set(Call c, bool replace)
    {
        var given = c.Body("metadata").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : throw Fault.BadRequest("Invalid input for metadata: values are strings."));
        return All(await Volumes.Kind.Change(c, "volume:update", d =>
        {
            var now = replace ? [] : new Dictionary<string, string>(d.Item.Metadata);
            foreach (var (k, v) in given) now[k] = v;
            if (now.Count > 128) throw new Fault(413, "Too many metadata items.");
            d.Item = d.Item with { Metadata = now };
        }));
    }

    private static Fault Missing(Call c) => new(404, $"Volume {c.Args["id"]} has no metadata with key {c.Args["key"]}.");

    private static Reply All(Volume v) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartObject("metadata");
        foreach (var (k, x) in v.Metadata) w.WriteString(k, x);
        w.WriteEndObject();
        w.WriteEndObject();
    });
}
