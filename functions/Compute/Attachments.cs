using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Volumes and interfaces of a server: https://docs.openstack.org/api-ref/compute/#servers-with-volume-attachments-servers-os-volume-attachments</summary>
public static class Attachments
{
    private const string Volumes = "/v2.1/servers/{id}/os-volume_attachments", Interfaces = "/v2.1/servers/{id}/os-interface";
    private static readonly string[] Attachable = ["ACTIVE", "SHUTOFF", "PAUSED"];

    public static readonly Route[] Routes =
    [
        new("GET", Volumes, "compute:get", async c =>
        {
            var s = (await Servers.Kind.Load(c, "compute:get")).Item;
            return Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray("volumeAttachments"); foreach (var v in s.Volumes) Write(w, c, s, v); w.WriteEndArray(); w.WriteEndObject(); });
        }),
        new("POST", Volumes, "compute:attach", Attach),
        new("GET", Volumes + "/{volume}", "compute:get", async c => { var s = (await Servers.Kind.Load(c, "compute:get")).Item; return One(c, s, Find(c, s)); }),
        new("DELETE", Volumes + "/{volume}", "compute:attach", async c =>
        {
            await Servers.Kind.Change(c, "compute:attach", d =>
            {
                var volume = Find(c, d.Item);
                ServerActions.Ready(c, d.Item, "detach_volume", Attachable);
                if (volume.Device == "vda") throw new Fault(403, "Cannot detach a root device volume");
                d.Item = d.Item with { Volumes = [.. d.Item.Volumes.Select(v => v.VolumeId == volume.VolumeId ? v with { State = "detaching" } : v)] };
            }, ServerSagas.Sync);
            return Reply.Empty(202);
        }),
        Route.Missing("PUT", Volumes + "/{volume}", "compute:attach", "Swapping volumes is not offered."),
        new("GET", Interfaces, "compute:get", async c =>
        {
            var s = (await Servers.Kind.Load(c, "compute:get")).Item;
            var nics = await Network.Facade.Nics(c.Services, s.ProjectId, s.Id);
            return Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray("interfaceAttachments"); foreach (var n in nics) Write(w, n); w.WriteEndArray(); w.WriteEndObject(); });
        }),
        new("POST", Interfaces, "compute:attach", Plug),
        new("GET", Interfaces + "/{port}", "compute:get", async c =>
        {
            var s = (await Servers.Kind.Load(c, "compute:get")).Item;
            var nic = (await Network.Facade.Nics(c.Services, s.ProjectId, s.Id)).FirstOrDefault(n => n.PortId == c.Args["port"]) ?? throw new Fault(404, $"Instance {s.Id} does not have a port with id {c.Args["port"]}");
            return Reply.Of(200, w => { w.WriteStartObject(); w.WritePropertyName("interfaceAttachment"); Write(w, nic); w.WriteEndObject(); });
        }),
        new("DELETE", Interfaces + "/{port}", "compute:attach", async c =>
        {
            await Servers.Kind.Change(c, "compute:attach", d =>
            {
                if (!d.Item.Nics.Any(n => n.PortId == c.Args["port"])) throw new Fault(404, $"Instance {d.Item.Id} does not have a port with id {c.Args["port"]}");
                ServerActions.Ready(c, d.Item, "detach_interface", Attachable);
                d.Item = d.Item with { Nics = [.. d.Item.Nics.Select(n => n.PortId == c.Args["port"] ? n with { State = "detaching" } : n)] };
            }, ServerSagas.Sync);
            return Reply.Empty(202);
        }),
    ];

    private static async ValueTask<Reply> Attach(Call c)
    {
        var read = new BodyReader(c.Body("volumeAttachment"));
        var (id, device, delete) = (read.Required("volumeId", 255), read.Text("device", 64), read.Flag("delete_on_termination") ?? false);
        read.Text("tag", 60);
        read.NothingElse();
        var server = await Servers.Kind.Load(c, "compute:attach");
        ServerActions.Ready(c, server.Item, "attach_volume", Attachable);
        await BlockStorage.Facade.Check(c, id, server.Item.Host);
        var changed = await Servers.Kind.Change(c, "compute:attach", d =>
        {
            ServerActions.Ready(c, d.Item, "attach_volume", Attachable);
            if (d.Item.Volumes.Any(v => v.VolumeId == id)) throw Fault.BadRequest($"Invalid volume: volume {id} already attached at {d.Item.Volumes.First(v => v.VolumeId == id).Device}");
            if (d.Item.Volumes.Length >= 20) throw new Fault(403, "Maximum number of attached volumes reached.");
            var used = d.Item.Volumes.Select(v => v.Device).ToHashSet();
            var name = device?.Replace("/dev/", "", StringComparison.Ordinal);
            if (name is null || name.Length != 3 || !name.StartsWith("vd", StringComparison.Ordinal) || name[2] is < 'b' or > 'z' || used.Contains(name)) name = Enumerable.Range('b', 25).Select(x => "vd" + (char)x).First(x => !used.Contains(x));
            d.Item = d.Item with { Volumes = [.. d.Item.Volumes, new(id, name, delete)] };
        }, ServerSagas.Sync);
        return One(c, changed, changed.Volumes.First(v => v.VolumeId == id));
    }

    private static async ValueTask<Reply> Plug(Call c)
    {
        var read = new BodyReader(c.Json.ValueKind == JsonValueKind.Object && c.Json.TryGetProperty("interfaceAttachment", out var b) && b.ValueKind == JsonValueKind.Object ? b : throw Fault.BadRequest("Invalid input: 'interfaceAttachment' is required."));
        var (port, network) = (read.Text("port_id", 255), read.Text("net_id", 255));
        var address = read.List("fixed_ips", 1).Select(f => new BodyReader(f).Required("ip_address", 45)).FirstOrDefault();
        read.Text("tag", 60);
        read.NothingElse();
        if (port is not null && network is not null) throw Fault.BadRequest("Must not input both network_id and port_id");
        if (port is null && network is null) network = await Network.Facade.Usable(c) is [var only] ? only : throw Fault.BadRequest("Name a network or a port.");
        await Network.Facade.Check(c, [new(port, network, address)]);
        var id = port ?? c.Services.Ids.New();
        await Servers.Kind.Change(c, "compute:attach", d =>
        {
            ServerActions.Ready(c, d.Item, "attach_interface", Attachable);
            d.Item = d.Item with { Nics = [.. d.Item.Nics, new(id, network, address, port is null)] };
        }, ServerSagas.Sync);
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("interfaceAttachment");
            w.WriteString("port_id", id);
            w.WriteString("net_id", network);
            w.WriteString("port_state", "BUILD");
            w.WriteString("mac_addr", "");
            w.WriteStartArray("fixed_ips");
            w.WriteEndArray();
            w.WriteEndObject();
            w.WriteEndObject();
        });
    }

    private static VolumeOf Find(Call c, Server s) => s.Volumes.FirstOrDefault(v => v.VolumeId == c.Args["volume"]) ?? throw new Fault(404, $"Instance {s.Id} is not attached to volume {c.Args["volume"]}.");

    private static Reply One(Call c, Server s, VolumeOf v) => Reply.Of(200, w => { w.WriteStartObject(); w.WritePropertyName("volumeAttachment"); Write(w, c, s, v); w.WriteEndObject(); });

    private static void Write(Utf8JsonWriter w, Call c, Server s, VolumeOf v)
    {
        w.WriteStartObject();
        if (!c.From(89)) w.WriteString("id", v.VolumeId);
        w.WriteString("volumeId", v.VolumeId);
        w.WriteString("serverId", s.Id);
        w.WriteString("device", "/dev/" + v.Device);
        if (c.From(70)) w.WriteNull("tag");
        if (c.From(79)) w.WriteBoolean("delete_on_termination", v.DeleteOnTermination);
        if (c.From(89)) { w.WriteString("attachment_id", v.VolumeId); w.WriteString("bdm_uuid", v.VolumeId); }
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, Network.Facade.Nic n)
    {
        w.WriteStartObject();
        w.WriteString("port_id", n.PortId);
        w.WriteString("net_id", n.NetworkId);
        w.WriteString("mac_addr", n.Mac);
        w.WriteString("port_state", "ACTIVE");
        w.WriteStartArray("fixed_ips");
        foreach (var (address, subnet) in n.Addresses)
        {
            w.WriteStartObject();
            w.WriteString("ip_address", address);
            w.WriteString("subnet_id", subnet);
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }
}
