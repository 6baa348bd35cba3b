using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#floating-ips-floatingips</summary>
public static class FloatingIps
{
    public static readonly Kind<FloatingIp> Kind = new(Tables.FloatingIps, "floatingips", "/v2.0/floatingips", NetworkDialect.Value)
    {
        Sees = "network:get_floatingip", ListsAll = "admin", AllByDefault = true,
        Charges = (Tables.Quota, Tables.Quota.Counts(Tables.FloatingIps, _ => [new("floatingip", 1)]), NetworkDialect.Over),
        Check = Check,
        CheckDelete = async (c, d) =>
        {
            var ip = d.Item;
            if (ip.PortId is not null) d.Ops.Add(new Op.Delete(Bound(ip)));
            await Routed(c.Services, ip.ProjectId, [ip.RouterId], Change.By(c), d.Ops, d.Messages);
            d.After.Add(() => Addresses.Free(c.Store, ip.FromSubnet, ip.FloatingIpAddress!, ip.Id));
        },
        Extend = (w, c, f, _) =>
        {
            w.WritePropertyName("port_details");
            w.WriteNullValue();
            w.WriteStartArray("port_forwardings");
            w.WriteEndArray();
        },
    };

    public static readonly Route[] Routes =
    [
        Kind.List("network:get_floatingips"), Kind.Create("network:create_floatingip"), Kind.Show("network:get_floatingip"), Kind.Update("network:update_floatingip"), Kind.Delete("network:delete_floatingip"),
    ];

    // One row per bound fixed address: two floating IPs can't claim the same one.
    private static string Bound(FloatingIp f) => $"floating-of|{f.PortId}|{Keys.Safe(f.FixedIpAddress!)}";

    private static async ValueTask Check(Call c, Draft<FloatingIp> d)
    {
        var f = d.Item;
        if (d.Old is null)
        {
            var network = await Tables.Networks.Find(c.Store, f.FloatingNetworkId, c.User?.ProjectId, c.Cancelled);
            if (network is null || !c.Allows("network:get_network", new(network.Item.ProjectId)) && !Tables.Networks.Shared(network.Item)) throw Fault.NotFound("network", f.FloatingNetworkId);
            if (!network.Item.External) throw Fault.BadRequest($"Bad floatingip request: Network {f.FloatingNetworkId} is not a valid external network.");
            var subnet = (await Tables.SubnetsOf(c.Store, network.Item, c.Cancelled)).FirstOrDefault(s => s.IpVersion == 4 && (f.SubnetId is null || s.Id == f.SubnetId)) ?? throw Fault.BadRequest($"Bad floatingip request: Network {f.FloatingNetworkId} does not contain any IPv4 subnet.");
            if (f.FloatingIpAddress is not null) c.Require("network:choose_floatingip", default);
            var address = await Addresses.Claim(c.Store, subnet, f.Id, f.FloatingIpAddress, c.Cancelled);
            var id = f.Id;
            d.Undo.Add(() => Addresses.Free(c.Store, subnet.Id, address, id));
            f = f with { FloatingIpAddress = address, FromSubnet = subnet.Id, SubnetId = null };
        }
        d.Item = await Associate(c, d, f);
    }

    private static async ValueTask<FloatingIp> Associate(Call c, Draft<FloatingIp> d, FloatingIp f)
    {
        var old = d.Old;
        if (f.PortId is null) f = f with { FixedIpAddress = null, RouterId = null, Status = "DOWN" };
        else
        {
            var port = (await Tables.Ports.Find(c.Store, f.PortId, f.ProjectId, c.Cancelled))?.Item;
            if (port is null || port.ProjectId != f.ProjectId) throw Fault.NotFound("port", f.PortId);
            var wished = old?.PortId == f.PortId || d.Body.TryGetProperty("fixed_ip_address", out _) ? f.FixedIpAddress : null;
            var fixedIp = port.FixedIps.FirstOrDefault(x => !x.IpAddress.Contains(':', StringComparison.Ordinal) && (wished is null || x.IpAddress == wished))
                ?? throw Fault.BadRequest(wished is null ? $"Bad floatingip request: Cannot add floating IP to port {port.Id} that has no fixed IPv4 addresses." : $"Bad floatingip request: Port {port.Id} does not have fixed ip {wished}.");
            f = f with { FixedIpAddress = fixedIp.IpAddress, RouterId = await RouterFor(c, f, port, fixedIp), Status = old?.PortId == f.PortId && old?.FixedIpAddress == fixedIp.IpAddress ? old!.Status : "DOWN" };
        }
        var (was, now) = (old?.PortId is null ? null : Bound(old), f.PortId is null ? null : Bound(f));
        if (was != now)
        {
            if (was is not null) d.Ops.Add(new Op.Delete(was));
            if (now is not null)
            {
                if (await c.Store.Get(f.ProjectId, now, c.Cancelled) is not null)
                    throw new Fault(409, $"Cannot associate floating IP {f.FloatingIpAddress} with port {f.PortId} using fixed IP {f.FixedIpAddress}, as that fixed IP already has a floating IP on external network {f.FloatingNetworkId}.") { Kind = "FloatingIPPortAlreadyAssociated" };
                d.Ops.Add(new Op.Insert(now, System.Text.Encoding.UTF8.GetBytes(f.Id)));
            }
        }
        if (was != now || old?.RouterId != f.RouterId) await Routed(c.Services, f.ProjectId, [old?.RouterId, f.RouterId], Change.By(c), d.Ops, d.Messages);
        return f;
    }

    /// <summary>What is written sets these routers going as well, or isn't written.</summary>
    private static async ValueTask Routed(Services s, string project, string?[] routers, Change change, List<Op> ops, List<Platform.Bus.Message> messages)
    {
        foreach (var id in routers.OfType<string>().Distinct())
            if (await Tables.Routers.Get(s.Store, project, id) is { Item.Doomed: false } router) Routers.Sync.Join(s, router, change, ops, messages);
    }

    private static async ValueTask<string> RouterFor(Call c, FloatingIp f, Port port, PortAddress fixedIp)
    {
        foreach (var r in await Tables.Routers.InProject(c.Store, f.ProjectId, c.Cancelled))
            if (r.Gateway?.NetworkId == f.FloatingNetworkId && (await Routers.Interfaces(c.Store, r)).Any(p => p.FixedIps.Any(x => x.SubnetId == fixedIp.SubnetId))) return r.Id;
        throw new Fault(404, $"External network {f.FloatingNetworkId} is not reachable from subnet {fixedIp.SubnetId}. Therefore, cannot associate Port {port.Id} with a Floating IP.") { Kind = "ExternalGatewayForFloatingIPNotFound" };
    }

    /// <summary>Frees the floating IPs of a port that goes away.</summary>
    public static async ValueTask Detach(Services s, Port port, Change change)
    {
        foreach (var f in (await Tables.FloatingIps.InProject(s.Store, port.ProjectId)).Where(f => f.PortId == port.Id))
            while (await Tables.FloatingIps.Get(s.Store, f.ProjectId, f.Id) is { } was && was.Item.PortId == port.Id)
                try
                {
                    List<Op> ops = [new Op.Delete(Bound(was.Item))];
                    List<Platform.Bus.Message> messages = [];
                    await Routed(s, f.ProjectId, [was.Item.RouterId], change, ops, messages);
                    await Tables.FloatingIps.Save(s, was.Item with { PortId = null, FixedIpAddress = null, RouterId = null, Status = "DOWN" }, was, change, ops, messages);
                }
                catch (ConflictException) { /* it changed meanwhile: look again */ }
    }

    /// <summary>The router's host has what the rows said: what it carries is active.</summary>
    public static async ValueTask Settle(Services s, Router r, Change change)
    {
        foreach (var f in (await Tables.FloatingIps.InProject(s.Store, r.ProjectId)).Where(f => f.RouterId == r.Id && f.Status != "ACTIVE"))
            if (await Tables.FloatingIps.Get(s.Store, f.ProjectId, f.Id) is { } was && was.Item.RouterId == r.Id)
                await Tables.FloatingIps.Save(s, was.Item with { Status = "ACTIVE" }, was, change);
    }
}
