using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#floating-ips-floatingips</summary>
public static class FloatingIps
{
    /// <summary>Its address is free for others when no router's host carries it any more.</summary>
    public static readonly Saga<FloatingIp> Removal = Saga<FloatingIp>.Deleting("floatingip-delete-1", Tables.FloatingIps)
        .Agent("unroute", async w => w.Item.RouterId is { } id && await Tables.Routers.Get(w.Store, w.Item.ProjectId, id) is { Item: { Host.Length: > 0, Doomed: false } router } ? [await Specs.Ensure(w.Services, router)] : [])
        .Step("free", w => Free(w.Store, w.Item));

    public static readonly Kind<FloatingIp> Kind = new(Tables.FloatingIps, "floatingips", "/v2.0/floatingips", NetworkDialect.Value)
    {
        Sees = "network:get_floatingip", ListsAll = "admin", AllByDefault = true, Within = (_, x) => !x.Doomed,
        Charges = (Tables.Quota, Tables.Quota.CountsEach(Tables.FloatingIps, "floatingip"), NetworkDialect.Over),
        Check = Check,
        CheckDelete = async (c, d) =>
        {
            if (d.Item.PortId is not null) d.Ops.Add(new Op.Delete(Bound(d.Item)));
            d.Add(await Routers.Reroute(c.Services, d.Item.ProjectId, d.Item.RouterId, Change.By(c)));
        },
        Extend = (w, _, _, _) => w.Strings("port_forwardings", []),
    };

    public static readonly Route[] Routes =
    [
        Lists.Of(Kind, "network:get_floatingips"), Bulk.Create(Kind, "network:create_floatingip", "network:delete_floatingip", removal: Removal), Kind.Show("network:get_floatingip"), Kind.Update("network:update_floatingip"),
        new("DELETE", "/v2.0/floatingips/{id}", "network:delete_floatingip", async c =>
        {
            var ip = (await Kind.Load(c, "network:delete_floatingip")).Item;
            await Kind.Delete(c, "network:delete_floatingip", Removal);
            // One that nothing carries is free at once; the saga would do the same a little later.
            if (ip.RouterId is null) await Free(c.Store, ip);
            return Reply.Empty(204);
        }),
    ];

    // One row per bound fixed address: two floating IPs can't claim the same one.
    private static string Bound(FloatingIp f) => $"floating-of|{f.PortId}|{Keys.Safe(f.FixedIpAddress!)}";

    private static ValueTask Free(IEntityStore store, FloatingIp f) => Addresses.Free(store, f.FromSubnet, f.FloatingIpAddress!, f.Id);

    private static async ValueTask Check(Call c, Draft<FloatingIp> d)
    {
        var f = d.Item;
        if (d.Old is null)
        {
            var network = await Tables.Networks.Find(c.Store, f.FloatingNetworkId, c.User?.ProjectId, c.Cancelled);
            if (network is null || !c.Allows("network:get_network", new(network.Item.ProjectId)) && !Tables.Networks.Shared(network.Item)) throw Fault.NotFound("network", f.FloatingNetworkId);
            if (!network.Item.External) throw Fault.BadRequest($"Bad floatingip request: Network {f.FloatingNetworkId} is not a valid external network.");
            if (f.FloatingIpAddress is not null) c.Require("network:choose_floatingip", default);
            var (subnet, address) = await Claim(c, network.Item, f);
            var id = f.Id;
            d.Undo.Add(() => Addresses.Free(c.Store, subnet.Id, address, id));
            f = f with { FloatingIpAddress = address, FromSubnet = subnet.Id, SubnetId = null };
        }
        d.Item = await Associate(c, d, f);
    }

    private static async ValueTask<(Subnet Subnet, string Address)> Claim(Call c, Network network, FloatingIp f)
    {
        var able = (await Tables.SubnetsOf(c.Store, network, c.Cancelled)).Where(s => s.IpVersion == 4 && (f.SubnetId is null || s.Id == f.SubnetId)).ToList();
        if (able.Count == 0) throw Fault.BadRequest(f.SubnetId is null ? $"Bad floatingip request: Network {network.Id} does not contain any IPv4 subnet." : $"Failed to create port on network {network.Id}, because fixed_ips included invalid subnet {f.SubnetId}.");
        if (f.FloatingIpAddress is { } wished)
            able = [able.Find(s => System.Net.IPNetwork.Parse(s.Cidr).Contains(Addresses.Parse(wished, "floating_ip_address"))) ?? throw new Fault(400, $"IP address {wished} is not a valid IP for any of the subnets on the specified network.") { Kind = "InvalidIpForNetwork" }];
        Fault? full = null;
        foreach (var subnet in able)
            try { return (subnet, await Addresses.Claim(c.Store, subnet, f.Id, f.FloatingIpAddress, ct: c.Cancelled)); }
            catch (Fault fault) when (fault.Kind == "IpAddressGenerationFailure") { full = fault; }
        throw full!;
    }

    private static async ValueTask<FloatingIp> Associate(Call c, Draft<FloatingIp> d, FloatingIp f)
    {
        var old = d.Old;
        if (f.PortId is null)
        {
            if (d.Body.ValueKind == JsonValueKind.Object && d.Body.TryGetProperty("fixed_ip_address", out var lonely) && lonely.ValueKind == JsonValueKind.String) throw Fault.BadRequest("Bad floatingip request: fixed_ip_address cannot be specified without a port_id.");
            f = f with { FixedIpAddress = null, RouterId = null, Status = "DOWN" };
        }
        else
        {
            var found = await Tables.Ports.Get(c.Store, f.ProjectId, f.PortId, c.Cancelled);
            if (found is null or { Item.Doomed: true }) throw Fault.NotFound("port", f.PortId);
            var port = found.Item;
            var wished = old?.PortId == f.PortId || (d.Body.ValueKind == JsonValueKind.Object && d.Body.TryGetProperty("fixed_ip_address", out _)) ? f.FixedIpAddress : null;
            var fixedIp = port.FixedIps.FirstOrDefault(x => !x.IpAddress.Contains(':', StringComparison.Ordinal) && (wished is null || x.IpAddress == wished))
                ?? throw Fault.BadRequest(wished is null ? $"Bad floatingip request: Cannot add floating IP to port {port.Id} that has no fixed IPv4 addresses." : $"Bad floatingip request: Port {port.Id} does not have fixed ip {wished}.");
            f = f with { FixedIpAddress = fixedIp.IpAddress, RouterId = await RouterFor(c, f, port, fixedIp), Status = old?.PortId == f.PortId && old?.FixedIpAddress == fixedIp.IpAddress ? old!.Status : "DOWN" };
            // A port that is being deleted meanwhile must not get it.
            if (old?.PortId != f.PortId) d.Ops.Add(new Op.Check(Tables.Ports.Key(port.Id), found.ETag));
        }
        var (was, now) = (old?.PortId is null ? null : Bound(old), f.PortId is null ? null : Bound(f));
        if (was == now) return f;
        if (was is not null) d.Ops.Add(new Op.Delete(was));
        if (now is not null)
        {
            if (await c.Store.Get(f.ProjectId, now, c.Cancelled) is not null)
                throw new Fault(409, $"Cannot associate floating IP {f.FloatingIpAddress} with port {f.PortId} using fixed IP {f.FixedIpAddress}, as that fixed IP already has a floating IP on external network {f.FloatingNetworkId}.") { Kind = "FloatingIPPortAlreadyAssociated" };
            d.Ops.Add(new Op.Insert(now, System.Text.Encoding.UTF8.GetBytes(f.Id)));
        }
        foreach (var router in new[] { old?.RouterId, f.RouterId }.Distinct()) d.Add(await Routers.Reroute(c.Services, d.Item.ProjectId, router, Change.By(c)));
        return f;
    }

    private static async ValueTask<string> RouterFor(Call c, FloatingIp f, Port port, PortAddress fixedIp)
    {
        foreach (var r in await Tables.Routers.InProject(c.Store, f.ProjectId, c.Cancelled))
            if (!r.Doomed && r.Gateway?.NetworkId == f.FloatingNetworkId && (await Routers.Interfaces(c.Store, r)).Any(p => p.FixedIps.Any(x => x.SubnetId == fixedIp.SubnetId))) return r.Id;
        throw new Fault(404, $"External network {f.FloatingNetworkId} is not reachable from subnet {fixedIp.SubnetId}. Therefore, cannot associate Port {port.Id} with a Floating IP.") { Kind = "ExternalGatewayForFloatingIPNotFound" };
    }

    /// <summary>Frees the floating IPs of a port that goes away.</summary>
    public static async ValueTask Detach(Services s, Port port, Change change)
    {
        foreach (var f in (await Tables.FloatingIps.InProject(s.Store, port.ProjectId)).Where(f => f.PortId == port.Id))
            while (await Tables.FloatingIps.Get(s.Store, f.ProjectId, f.Id) is { Item.Doomed: false } was && was.Item.PortId == port.Id)
                try
                {
                    var along = await Routers.Reroute(s, f.ProjectId, was.Item.RouterId, change);
                    await Tables.FloatingIps.Save(s, was.Item with { PortId = null, FixedIpAddress = null, RouterId = null, Status = "DOWN" }, was, change, [new Op.Delete(Bound(was.Item)), .. along.Ops], along.Messages);
                }
                catch (ConflictException) { /* it changed meanwhile: look again */ }
    }

    /// <summary>The router's host has what the rows said: what it carries is active.</summary>
    public static async ValueTask Settle(Services s, Router r, Change change)
    {
        foreach (var f in (await Tables.FloatingIps.InProject(s.Store, r.ProjectId)).Where(f => f.RouterId == r.Id && f.Status != "ACTIVE"))
            if (await Tables.FloatingIps.Get(s.Store, f.ProjectId, f.Id) is { Item.Doomed: false } was && was.Item.RouterId == r.Id)
                await Tables.FloatingIps.Save(s, was.Item with { Status = "ACTIVE" }, was, change);
    }
}
