using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>https://docs.openstack.org/api-ref/compute/#servers-with-volume-attachments-servers-os-volume-attachments</summary>
public static class VolumeAttachments
{
    private const string Path = "/v2.1/servers/{id}/os-volume_attachments", One = Path + "/{volume}";
    private const int Most = 24; // vdb to vdy
    private static readonly string[] Attachable = ["ACTIVE", "SHUTOFF", "PAUSED"];

    public static readonly Route[] Routes =
    [
        new("GET", Path, "compute:get", async c =>
        {
            var s = (await Servers.Kind.Load(c, "compute:get")).Item;
            int Number(string name, int otherwise) => c.First(name) is not { } text ? otherwise : int.TryParse(text, System.Globalization.NumberStyles.None, null, out var n) ? n : throw Fault.BadRequest($"Invalid input for query parameters {name}.");
            var shown = s.Volumes.Skip(Number("offset", 0)).Take(Number("limit", ComputeDialect.Value.MaxLimit));
            return Reply.Object(200, w => w.Objects("volumeAttachments", shown, v => Write(w, c, s, v)));
        }),
        new("POST", Path, "compute:attach", Attach),
        new("GET", One, "compute:get", async c => { var s = (await Servers.Kind.Load(c, "compute:get")).Item; return Answer(c, s, Find(c, s)); }),
        new("PUT", One, "compute:attach", Update),
        new("DELETE", One, "compute:attach", async c =>
        {
            await Servers.Kind.Change(c, "compute:attach", d =>
            {
                var volume = Find(c, d.Item);
                ServerActions.Ready(c, d.Item, "detach_volume", Attachable);
                if (volume.Device == "vda") throw new Fault(403, "Cannot detach a root device volume");
                if (volume.State != "attached") throw Fault.Conflict($"Cannot 'detach_volume' {volume.VolumeId} of instance {d.Item.Id} while it is {volume.State}");
                d.Item = d.Item with { Volumes = [.. d.Item.Volumes.Select(v => v.VolumeId == volume.VolumeId ? v with { State = "detaching" } : v)] };
                d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "detach_volume"));
            }, ServerSagas.Sync);
            return Reply.Empty(202);
        }),
    ];

    private static async ValueTask<Reply> Attach(Call c)
    {
        var read = BodyReader.Only(c, "volumeAttachment");
        var id = read.Uuid("volumeId") ?? throw Fault.BadRequest("Invalid input for field/attribute volumeAttachment. 'volumeId' is a required property");
        var device = read.Text("device", 64);
        if (device is not null && !IsDevice(device)) throw Fault.BadRequest($"Invalid input for field/attribute device. Value: {device}. It must be like /dev/vdb.");
        var tag = c.From(49) ? read.Text("tag", 60) : null;
        var delete = (c.From(79) ? read.Flag("delete_on_termination") : null) ?? false;
        read.NothingElse();
        var server = await Servers.Kind.Load(c, "compute:attach");
        await BlockStorage.Facade.Check(c, id, server.Item.ProjectId, server.Item.Host);
        var changed = await Servers.Kind.Change(c, "compute:attach", d =>
        {
            ServerActions.Ready(c, d.Item, "attach_volume", Attachable);
            if (d.Item.Volumes.FirstOrDefault(v => v.VolumeId == id) is { } there) throw Fault.BadRequest($"Invalid volume: volume {id} already attached at /dev/{there.Device}");
            if (d.Item.Volumes.Length >= Most) throw new Fault(403, "Maximum number of volumes reached for the instance.");
            var used = d.Item.Volumes.Select(v => v.Device).Append("vda").ToHashSet();
            var name = device?.Replace("/dev/", "", StringComparison.Ordinal);
            if (name is not null && used.Contains(name)) throw Fault.Conflict($"The supplied device path (/dev/{name}) is in use.");
            // Only vd* exists in guests, so another wish is as good as none.
            if (name?.StartsWith("vd", StringComparison.Ordinal) != true) name = Enumerable.Range('b', Most + 1).Select(x => "vd" + (char)x).First(x => !used.Contains(x));
            d.Item = d.Item with { Volumes = [.. d.Item.Volumes, new(id, name, delete, Tag: tag)] };
            d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "attach_volume"));
        }, ServerSagas.Sync);
        return Answer(c, changed, changed.Volumes.First(v => v.VolumeId == id));
    }

    // Changes delete_on_termination since 2.85; another volume in its place is not offered.
    private static async ValueTask<Reply> Update(Call c)
    {
        var read = BodyReader.Only(c, "volumeAttachment");
        var id = read.Uuid("volumeId") ?? throw Fault.BadRequest("Invalid input for field/attribute volumeAttachment. 'volumeId' is a required property");
        var (device, serverId, tag, delete, attachment) = !c.From(85) ? default : (read.Text("device", 64), read.Uuid("serverId"), read.Text("tag", 60), read.Flag("delete_on_termination"), read.Uuid("id"));
        read.NothingElse();
        await Servers.Kind.Load(c, "compute:attach");
        if (id != c.Args["volume"]) throw new Fault(501, "Swapping volumes is not offered by this cloud.");
        if (!c.From(85)) throw Fault.BadRequest("Invalid volume: the new volume is the old one.");
        await Servers.Kind.Change(c, "compute:attach", d =>
        {
            ServerActions.Unlocked(c, d.Item);
            var v = Find(c, d.Item);
            if ((device is not null && device != "/dev/" + v.Device) || (serverId ?? d.Item.Id) != d.Item.Id || (tag ?? v.Tag) != v.Tag || (attachment ?? id) != id) throw Fault.BadRequest("Only delete_on_termination can be updated.");
            d.Item = d.Item with { Volumes = [.. d.Item.Volumes.Select(x => x.VolumeId == id ? x with { DeleteOnTermination = delete ?? x.DeleteOnTermination } : x)] };
        });
        return Reply.Empty(202);
    }

    private static bool IsDevice(string device)
    {
        var name = device.StartsWith("/dev/", StringComparison.Ordinal) ? device[5..] : device;
        return name.Length is > 0 and <= 16 && name.All(ch => char.IsAsciiLetterOrDigit(ch)) && (!name.StartsWith("vd", StringComparison.Ordinal) || (name.Length == 3 && name[2] is >= 'a' and <= 'z'));
    }

    private static VolumeOf Find(Call c, Server s) => s.Volumes.FirstOrDefault(v => v.VolumeId == c.Args["volume"]) ?? throw new Fault(404, $"Instance {s.Id} is not attached to volume {(c.Args["volume"].Length > 60 ? "" : c.Args["volume"])}");

    private static Reply Answer(Call c, Server s, VolumeOf v) => Reply.Object(200, w => w.Object("volumeAttachment", () => Write(w, c, s, v)));

    private static void Write(Utf8JsonWriter w, Call c, Server s, VolumeOf v)
    {
        if (!c.From(89)) w.WriteString("id", v.VolumeId);
        w.WriteString("volumeId", v.VolumeId);
        w.WriteString("serverId", s.Id);
        w.WriteString("device", "/dev/" + v.Device);
        if (c.From(70)) w.WriteString("tag", v.Tag);
        if (c.From(79)) w.WriteBoolean("delete_on_termination", v.DeleteOnTermination);
        if (!c.From(89)) return;
        w.WriteString("attachment_id", v.VolumeId);
        w.WriteString("bdm_uuid", v.VolumeId);
    }
}
