using System.Net;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#add-interface-to-router</summary>
public static class RouterInterfaces
{
    public static async ValueTask<Reply> Add(Call c)
    {
        var (portId, subnetId, id) = (Text(c, "port_id"), Text(c, "subnet_id"), c.Services.Ids.New());
        for (var attempt = 0; ; attempt++)
            try
            {
                var (router, ops, messages) = await Joined(c);
                var port = portId is not null ? await Adopt(c, router, portId, ops, messages) : await Make(c, router, id, subnetId ?? throw Fault.BadRequest("Either subnet_id or port_id must be specified"), ops, messages);
                return Answer(router, port, port.FixedIps[0].SubnetId);
            }
            catch (ConflictException) when (attempt < 20) { /* the router or the port changed meanwhile */ }
    }

    public static async ValueTask<Reply> Remove(Call c)
    {
        var (portId, subnetId) = (Text(c, "port_id"), Text(c, "subnet_id"));
        if (portId is null && subnetId is null) throw Fault.BadRequest("Either subnet_id or port_id must be specified");
        for (var attempt = 0; ; attempt++)
            try
            {
                var (router, ops, messages) = await Joined(c);
                var port = (await Routers.Interfaces(c.Store, router)).FirstOrDefault(p => (portId is null || p.Id == portId) && (subnetId is null || p.FixedIps.Any(f => f.SubnetId == subnetId)))
                    ?? throw new Fault(404, $"Router {router.Id} does not have an interface with id {portId ?? subnetId}") { Kind = "RouterInterfaceNotFound" };
                foreach (var f in await Tables.FloatingIps.InProject(c.Store, router.ProjectId))
                    if (f.RouterId == router.Id && f.PortId is not null && await Tables.Ports.Get(c.Store, f.ProjectId, f.PortId) is { } inner && inner.Item.NetworkId == port.NetworkId)
                        throw new Fault(409, $"Router interface for subnet {port.FixedIps[0].SubnetId} on router {router.Id} cannot be deleted, as it is required by one or more floating IPs.") { Kind = "RouterInterfaceInUseByFloatingIP" };
                await Tables.Ports.Remove(c.Services, (await Tables.Ports.Get(c.Store, port.ProjectId, port.Id))!, Change.By(c), ops, messages, c.Cancelled);
                await Ports.Free(c.Store, port);
                return Answer(router, port, subnetId ?? port.FixedIps[0].SubnetId);
            }
            catch (ConflictException) when (attempt < 20) { /* the router or the port changed meanwhile */ }
    }

    /// <summary>The router, and what makes a write of one of its ports start its sync too: both or neither.</summary>
    private static async ValueTask<(Router Router, List<Op> Ops, List<Platform.Bus.Message> Messages)> Joined(Call c)
    {
        var router = await Routers.Kind.Load(c, "network:update_router");
        List<Op> ops = [];
        List<Platform.Bus.Message> messages = [];
        Routers.Sync.Join(c.Services, router, Change.By(c), ops, messages);
        return (router.Item, ops, messages);
    }

    private static async ValueTask<Port> Make(Call c, Router router, string id, string subnetId, List<Op> ops, List<Platform.Bus.Message> messages)
    {
        var subnet = (await Tables.Subnets.Find(c.Store, subnetId, c.User?.ProjectId, c.Cancelled))?.Item;
        var network = subnet is null ? null : (await Tables.Networks.Find(c.Store, subnet.NetworkId, subnet.ProjectId, c.Cancelled))?.Item;
        if (network is null || !c.Allows("network:get_network", new(network.ProjectId)) && !Tables.Networks.Shared(network)) throw Fault.NotFound("subnet", subnetId);
        await NoOverlap(c, router, subnet!);
        if (subnet!.GatewayIp is null) throw Fault.BadRequest($"Bad router request: Subnet for router interface must have a gateway IP.");
        var port = new Port
        {
            Id = id, ProjectId = router.ProjectId, NetworkId = network.Id, FixedIps = [new(subnetId, subnet.GatewayIp)], DeviceId = router.Id, DeviceOwner = Routers.InterfaceOwner,
            PortSecurityEnabled = false, CreatedAt = c.Now,
        };
        if (!await Claims.Take(c.Store, "ip." + subnetId, subnet.GatewayIp, id, c.Cancelled)) throw Fault.BadRequest($"Bad router request: IP address {subnet.GatewayIp} of subnet {subnetId} is in use.");
        do port = port with { MacAddress = Ports.NewMac() }; while (!await Claims.Take(c.Store, "mac." + network.Id, port.MacAddress, id, c.Cancelled));
        try { return await Tables.Ports.Save(c.Services, port, null, Change.By(c), ops, messages, c.Cancelled); }
        catch
        {
            await Ports.Free(c.Store, port);
            throw;
        }
    }

    private static async ValueTask<Port> Adopt(Call c, Router router, string portId, List<Op> ops, List<Platform.Bus.Message> messages)
    {
        var was = await Tables.Ports.Find(c.Store, portId, c.User?.ProjectId, c.Cancelled);
        if (was is null || !c.Allows("network:get_port", new(was.Item.ProjectId))) throw Fault.NotFound("port", portId);
        if (was.Item.ProjectId != router.ProjectId) throw Fault.BadRequest($"Bad router request: Port {portId} is of another project than the router.");
        if (was.Item.DeviceId.Length > 0) throw new Fault(409, $"Unable to complete operation on port {portId} for network {was.Item.NetworkId}. Port already has an attached device {was.Item.DeviceId}.") { Kind = "PortInUse" };
        if (was.Item.FixedIps.Length == 0) throw Fault.BadRequest("Bad router request: Router port must have at least one fixed IP");
        foreach (var f in was.Item.FixedIps) await NoOverlap(c, router, (await Tables.Subnets.Find(c.Store, f.SubnetId, was.Item.ProjectId, c.Cancelled))!.Item);
        return await Tables.Ports.Save(c.Services, was.Item with { DeviceId = router.Id, DeviceOwner = Routers.InterfaceOwner, PortSecurityEnabled = false, SecurityGroups = [] }, was, Change.By(c), ops, messages, c.Cancelled);
    }

    private static async ValueTask NoOverlap(Call c, Router router, Subnet subnet)
    {
        foreach (var p in await Routers.Interfaces(c.Store, router))
            foreach (var f in p.FixedIps)
            {
                if (f.SubnetId == subnet.Id) throw Fault.BadRequest($"Bad router request: Router already has a port on subnet {subnet.Id}.");
                if (await Tables.Subnets.Find(c.Store, f.SubnetId, p.ProjectId) is { } other && Addresses.Overlap(IPNetwork.Parse(other.Item.Cidr), IPNetwork.Parse(subnet.Cidr)))
                    throw Fault.BadRequest($"Bad router request: Cidr {subnet.Cidr} of subnet {subnet.Id} overlaps with cidr {other.Item.Cidr} of subnet {f.SubnetId}.");
            }
    }

    private static string? Text(Call c, string name) => c.Json.ValueKind == JsonValueKind.Object && c.Json.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null;

    private static Reply Answer(Router router, Port port, string subnetId) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteString("id", router.Id);
        w.WriteString("tenant_id", router.ProjectId);
        w.WriteString("project_id", router.ProjectId);
        w.WriteString("port_id", port.Id);
        w.WriteString("network_id", port.NetworkId);
        w.WriteString("subnet_id", subnetId);
        w.WriteStartArray("subnet_ids");
        w.WriteStringValue(subnetId);
        w.WriteEndArray();
        w.WriteStartArray("tags");
        w.WriteEndArray();
        w.WriteEndObject();
    });
}
