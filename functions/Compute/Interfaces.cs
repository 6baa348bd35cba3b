using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>https://docs.openstack.org/api-ref/compute/#port-interfaces-servers-os-interface</summary>
public static class Interfaces
{
    private const string Path = "/v2.1/servers/{id}/os-interface", One = Path + "/{port}";
    private static readonly string[] Attachable = ["ACTIVE", "SHUTOFF", "PAUSED"];

    public static readonly Route[] Routes =
    [
        new("GET", Path, "compute:get", async c =>
        {
            var s = (await Servers.Kind.Load(c, "compute:get")).Item;
            var nics = await Network.Facade.Nics(c.Services, s.ProjectId, s.Id);
            return Reply.Object(200, w => w.Objects("interfaceAttachments", nics, n => Write(w, c, s, n)));
        }),
        new("POST", Path, "compute:attach", Plug),
        new("GET", One, "compute:get", async c =>
        {
            var s = (await Servers.Kind.Load(c, "compute:get")).Item;
            var nic = (await Network.Facade.Nics(c.Services, s.ProjectId, s.Id)).FirstOrDefault(n => n.PortId == c.Args["port"]) ?? throw Missing(c, s);
            return Reply.Object(200, w => w.Object("interfaceAttachment", () => Write(w, c, s, nic)));
        }),
        new("DELETE", One, "compute:attach", async c =>
        {
            await Servers.Kind.Change(c, "compute:attach", d =>
            {
                if (!d.Item.Nics.Any(n => n.PortId == c.Args["port"])) throw Missing(c, d.Item);
                ServerActions.Ready(c, d.Item, "detach_interface", Attachable);
                d.Item = d.Item with { Nics = [.. d.Item.Nics.Select(n => n.PortId == c.Args["port"] ? n with { State = "detaching" } : n)] };
                d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "detach_interface"));
            }, ServerSagas.Sync);
            return Reply.Empty(202);
        }),
    ];

    private static async ValueTask<Reply> Plug(Call c)
    {
        var read = BodyReader.Only(c, "interfaceAttachment");
        var (port, network) = (read.Uuid("port_id"), read.Uuid("net_id"));
        var address = read.List("fixed_ips", 1).Select(f =>
        {
            var fixedIp = BodyReader.Of(f);
            var text = fixedIp.Address("ip_address") ?? throw Fault.BadRequest("Invalid input for field/attribute fixed_ips. 'ip_address' is a required property");
            fixedIp.NothingElse();
            return text;
        }).FirstOrDefault();
        if (c.From(49)) read.Text("tag", 60);
        read.NothingElse();
        if (port is not null && network is not null) throw Fault.BadRequest("Must not input both network_id and port_id");
        if (address is not null && network is null) throw Fault.BadRequest("Must input network_id when request IP address");
        var server = (await Servers.Kind.Load(c, "compute:attach")).Item;
        ServerActions.Ready(c, server, "attach_interface", Attachable);
        if (port is null && network is null) network = await Network.Facade.Usable(c) is [var only] ? only : throw Fault.Conflict("Multiple possible networks found, use a Network ID to be more specific.");
        var wish = new Network.Facade.Wish(port, network, address);
        await Network.Facade.Check(c, [wish]);
        var id = port ?? c.Services.Ids.New();
        server = await Servers.Kind.Change(c, "compute:attach", d =>
        {
            ServerActions.Ready(c, d.Item, "attach_interface", Attachable);
            d.Item = d.Item with { Nics = [.. d.Item.Nics, new(id, network, address, port is null)] };
            d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "attach_interface"));
        }, ServerSagas.Sync);
        return await Taken(c, server, id, wish);
    }

    // The saga takes the port as well; doing it here lets the answer name its addresses.
    private static async ValueTask<Reply> Taken(Call c, Server server, string id, Network.Facade.Wish wish)
    {
        while (await Servers.Rows.Get(c.Store, server.ProjectId, server.Id, c.Cancelled) is { Item.Doomed: false } was && was.Item.Nics.Any(n => n.PortId == id))
            try
            {
                await Network.Facade.Take(c.Services, id, wish, server.ProjectId, server.Id, server.Host, server.Hostname, null, Change.By(c), new(server.ProjectId, new(Servers.Rows.Key(server.Id), was.ETag)));
                break;
            }
            catch (ConflictException) { /* the server changed meanwhile */ }
        var now = (await Servers.Rows.Get(c.Store, server.ProjectId, server.Id, c.Cancelled))?.Item;
        var nic = now?.Nics.Any(n => n.PortId == id) == true ? (await Network.Facade.Nics(c.Services, server.ProjectId, server.Id)).FirstOrDefault(n => n.PortId == id) : null;
        if (nic is null)
        {
            // It was given up already: what was taken since is for nobody.
            await Network.Facade.Release(c.Services, server.ProjectId, server.Id, [], Change.By(c), only: id);
            throw Fault.Conflict($"Interface {id} could not be attached to instance {server.Id}.");
        }
        return Reply.Object(200, w => w.Object("interfaceAttachment", () => Write(w, c, server, nic)));
    }

    private static Fault Missing(Call c, Server s) => new(404, $"Instance {s.Id} does not have a port with id {(c.Args["port"].Length > 60 ? "" : c.Args["port"])}");

    private static void Write(Utf8JsonWriter w, Call c, Server s, Network.Facade.Nic n)
    {
        w.WriteString("port_id", n.PortId);
        w.WriteString("net_id", n.NetworkId);
        w.WriteString("mac_addr", n.Mac);
        w.WriteString("port_state", s.Nics.FirstOrDefault(x => x.PortId == n.PortId) is { State: "attaching" } ? "BUILD" : "ACTIVE");
        w.Objects("fixed_ips", n.Addresses, a => { w.WriteString("ip_address", a.Address); w.WriteString("subnet_id", a.SubnetId); });
        if (c.From(70)) w.WriteNull("tag");
    }
}
