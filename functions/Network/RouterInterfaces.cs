using System.Net;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#add-interface-to-router: the port changes in the router's own transaction.</summary>
public static class RouterInterfaces
{
    public static async ValueTask<Reply> Add(Call c)
    {
        var (portId, subnetId) = Named(c);
        if (portId is not null && subnetId is not null) throw Fault.BadRequest("Cannot specify both subnet-id and port-id.");
        Port port = null!;
        var router = await Routers.Kind.Change(c, "network:update_router", _ => { }, Routers.Sync, more: async d => port = portId is not null ? await Adopt(c, d, portId) : await Make(c, d, subnetId!));
        return Answer(router, port, port.FixedIps[0].SubnetId);
    }

    public static async ValueTask<Reply> Remove(Call c)
    {
        var (portId, subnetId) = Named(c);
        Port port = null!;
        var router = await Routers.Kind.Change(c, "network:update_router", _ => { }, Routers.Sync, more: async d =>
        {
            var here = await Routers.Interfaces(c.Store, d.Item);
            port = here.FirstOrDefault(p => (portId is null || p.Id == portId) && (subnetId is null || p.FixedIps.Any(f => f.SubnetId == subnetId))) ?? (portId is not null && subnetId is not null && here.Any(p => p.Id == portId)
                ? throw new Fault(409, $"Subnet ID mismatch: port {portId} is not on subnet {subnetId}.") { Kind = "SubnetMismatchForPort" }
                : throw new Fault(404, $"Router {d.Item.Id} does not have an interface with id {portId ?? subnetId}") { Kind = "RouterInterfaceNotFound" });
            await Free(c, d.Item, port);
            d.Add(Tables.Ports.Deletion(c.Services, (await Tables.Ports.Get(c.Store, port.ProjectId, port.Id, c.Cancelled))!, Change.By(c)));
            d.After.Add(() => Ports.Free(c.Store, port));
            d.After.Add(() => Tables.Ports.Forget(c.Store, port.Id));
        });
        return Answer(router, port, subnetId ?? port.FixedIps[0].SubnetId);
    }

    /// <exception cref="Fault">409 while floating IPs or routes go through it.</exception>
    private static async ValueTask Free(Call c, Router router, Port port)
    {
        var subnets = port.FixedIps.Select(f => f.SubnetId).ToHashSet();
        foreach (var f in await Tables.FloatingIps.InProject(c.Store, router.ProjectId, c.Cancelled))
            if (f.RouterId == router.Id && f.PortId is not null && await Tables.Ports.Get(c.Store, f.ProjectId, f.PortId, c.Cancelled) is { } inner && inner.Item.FixedIps.Any(i => subnets.Contains(i.SubnetId)))
                throw new Fault(409, $"Router interface for subnet {port.FixedIps[0].SubnetId} on router {router.Id} cannot be deleted, as it is required by one or more floating IPs.") { Kind = "RouterInterfaceInUseByFloatingIP" };
        foreach (var id in subnets)
            if (await Tables.Subnets.Find(c.Store, id, port.ProjectId, c.Cancelled) is { } subnet && router.Routes.Any(r => IPNetwork.Parse(subnet.Item.Cidr).Contains(IPAddress.Parse(r.Nexthop))))
                throw new Fault(409, $"Router interface for subnet {id} on router {router.Id} cannot be deleted, as it is required by one or more routes.") { Kind = "RouterInterfaceInUseByRoute" };
    }

    private static async ValueTask<Port> Make(Call c, Draft<Router> d, string subnetId)
    {
        var subnet = (await Tables.Subnets.Find(c.Store, subnetId, c.User?.ProjectId, c.Cancelled))?.Item;
        var found = subnet is null ? null : await Tables.Networks.Find(c.Store, subnet.NetworkId, subnet.ProjectId, c.Cancelled);
        var network = found?.Item;
        if (network is null || !c.Allows("network:get_network", new(network.ProjectId)) && !Tables.Networks.Shared(network)) throw Fault.NotFound("subnet", subnetId);
        await Networks.OpenTo(c.Services, found!, d.Item.ProjectId, Change.By(c));
        await NoOverlap(c, d.Item, subnet!);
        if (subnet!.GatewayIp is not { } gateway) throw Fault.BadRequest($"Bad router request: Subnet for router interface must have a gateway IP.");
        var id = c.Services.Ids.New();
        if (!await Claims.Take(c.Store, "ip." + subnetId, gateway, id, c.Cancelled)) throw Fault.BadRequest($"Bad router request: IP address {gateway} of subnet {subnetId} is in use.");
        d.Undo.Add(() => Addresses.Free(c.Store, subnetId, gateway, id));
        var port = new Port
        {
            Id = id, ProjectId = d.Item.ProjectId, NetworkId = network.Id, FixedIps = [new(subnetId, gateway)], DeviceId = d.Item.Id, DeviceOwner = Routers.InterfaceOwner,
            PortSecurityEnabled = false, CreatedAt = c.Now,
        };
        port = await Ports.WithMac(c.Store, port, d.Undo);
        d.Add(await Tables.Ports.Insertion(c.Services, port, Change.By(c), c.Cancelled));
        d.Ops.AddRange(Networks.Stays(found!, d.Item.ProjectId));
        return port;
    }

    private static async ValueTask<Port> Adopt(Call c, Draft<Router> d, string portId)
    {
        var was = await Tables.Ports.Get(c.Store, d.Item.ProjectId, portId, c.Cancelled);
        if (was is null or { Item.Doomed: true } || !c.Allows("network:get_port", new(was.Item.ProjectId))) throw Fault.NotFound("port", portId);
        if (was.Item.DeviceId.Length > 0) throw new Fault(409, $"Unable to complete operation on port {portId} for network {was.Item.NetworkId}. Port already has an attached device {was.Item.DeviceId}.") { Kind = "PortInUse" };
        if (was.Item.FixedIps.Length == 0) throw Fault.BadRequest("Bad router request: Router port must have at least one fixed IP");
        foreach (var f in was.Item.FixedIps) await NoOverlap(c, d.Item, (await Tables.Subnets.Find(c.Store, f.SubnetId, was.Item.ProjectId, c.Cancelled))!.Item);
        var port = was.Item with { DeviceId = d.Item.Id, DeviceOwner = Routers.InterfaceOwner, PortSecurityEnabled = false, SecurityGroups = [] };
        d.Add(Tables.Ports.Replacement(c.Services, port, was, Change.By(c)));
        return port;
    }

    private static async ValueTask NoOverlap(Call c, Router router, Subnet subnet)
    {
        foreach (var p in await Routers.Interfaces(c.Store, router))
            foreach (var f in p.FixedIps)
            {
                if (f.SubnetId == subnet.Id) throw Fault.BadRequest($"Bad router request: Router already has a port on subnet {subnet.Id}.");
                if (await Tables.Subnets.Find(c.Store, f.SubnetId, p.ProjectId, c.Cancelled) is { } other && Addresses.Overlap(IPNetwork.Parse(other.Item.Cidr), IPNetwork.Parse(subnet.Cidr)))
                    throw Fault.BadRequest($"Bad router request: Cidr {subnet.Cidr} of subnet {subnet.Id} overlaps with cidr {other.Item.Cidr} of subnet {f.SubnetId}.");
            }
    }

    private static (string? Port, string? Subnet) Named(Call c)
    {
        string? Text(string name) => c.Json.ValueKind == JsonValueKind.Object && c.Json.TryGetProperty(name, out var v) && v.ValueKind != JsonValueKind.Null
            ? v.ValueKind == JsonValueKind.String && v.GetString() is { Length: > 0 and <= 64 } s ? s : throw Fault.BadRequest($"Invalid input for {name}. Reason: it must be an id.") : null;
        var named = (Text("port_id"), Text("subnet_id"));
        return named is (null, null) ? throw Fault.BadRequest("Bad router request: Either subnet_id or port_id must be specified.") : named;
    }

    private static Reply Answer(Router router, Port port, string subnetId) => Reply.Object(200, w =>
    {
        w.WriteString("id", router.Id);
        w.WriteString("tenant_id", router.ProjectId);
        w.WriteString("project_id", router.ProjectId);
        w.WriteString("port_id", port.Id);
        w.WriteString("network_id", port.NetworkId);
        w.WriteString("subnet_id", subnetId);
        w.Strings("subnet_ids", port.FixedIps.Select(f => f.SubnetId));
        w.Strings("tags", router.Tags);
    });
}
