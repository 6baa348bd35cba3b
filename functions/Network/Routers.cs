using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#routers</summary>
public static class Routers
{
    public const string InterfaceOwner = "network:router_interface", GatewayOwner = "network:router_gateway";

    /// <summary>Makes the router's host true to the rows: interfaces, gateway, routes, floating IPs.</summary>
    public static readonly Saga<Router> Sync = Saga<Router>.Named("router-sync-1", Tables.Routers)
        .Insist()
        .Step("place", async w => w.Item = w.Item with { Host = w.Item.Host.Length > 0 ? w.Item.Host : await Place(w.Services, w.Item) })
        .Agent("route", async w => w.Item.Host.Length > 0 ? [await Specs.Ensure(w.Services, w.Item)] : [])
        .Step("leave", async w =>
        {
            foreach (var g in w.Item.Leaving) await Free(w.Store, g, gone: g.PortId != w.Item.Gateway?.PortId);
            w.Item = w.Item.Leaving.Length > 0 ? w.Item with { Leaving = [] } : w.Item;
        })
        .Step("floating", w => FloatingIps.Settle(w.Services, w.Item, w.Change))
        .Step("interfaces", async w =>
        {
            var tunnels = (await Hosts.All(w.Services)).Count(h => h.Capacity.TunnelAddress.Length > 0) > 1;
            foreach (var p in await Tables.Ports.InProject(w.Store, w.Item.ProjectId))
                if (p.DeviceId == w.Item.Id && p.DeviceOwner == InterfaceOwner && p.Status != "ACTIVE" && await Tables.Ports.Get(w.Store, p.ProjectId, p.Id) is { } was)
                {
                    // The network's other hosts have to know where the router is.
                    if (tunnels) await Networks.Refresh(w.Services, p.NetworkId, p.ProjectId, w.Change);
                    await Tables.Ports.Save(w.Services, was.Item with { Status = "ACTIVE" }, was, w.Change);
                }
        })
        .Finished(w => { w.Item = w.Item with { Status = "ACTIVE" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Router> Removal = Saga<Router>.Deleting("router-delete-1", Tables.Routers)
        .Agent("unroute", w => new(w.Item.Host.Length > 0 ? [new HostCommand(w.Item.Host, new RemoveRouter(w.Item.Id))] : []))
        .Step("free", async w =>
        {
            foreach (var left in w.Item.Leaving) await Free(w.Store, left, gone: true);
            if (w.Item.Gateway is not { } g) return;
            if (await Tables.Ports.Get(w.Store, w.Item.ProjectId, g.PortId) is { } port) w.Add(Tables.Ports.Deletion(w.Services, port, w.Change));
            await Free(w.Store, g, gone: true);
        });

    public static readonly Kind<Router> Kind = new(Tables.Routers, "routers", "/v2.0/routers", NetworkDialect.Value)
    {
        Sees = "network:get_router", ListsAll = "admin", AllByDefault = true, Within = (_, x) => !x.Doomed,
        Charges = (Tables.Quota, Tables.Quota.CountsEach(Tables.Routers, "router"), NetworkDialect.Over),
        Check = CheckRoutes,
        CheckDelete = async (c, d) =>
        {
            if ((await Interfaces(c.Store, d.Item)).Count > 0) throw new Fault(409, $"Router {d.Item.Id} still has ports") { Kind = "RouterInUse" };
        },
        Extend = (w, _, r, _) =>
        {
            w.WritePropertyName("external_gateway_info");
            if (r.Gateway is not { } g) { w.WriteNullValue(); return; }
            w.WriteStartObject();
            w.WriteString("network_id", g.NetworkId);
            w.WriteBoolean("enable_snat", g.EnableSnat);
            w.Objects("external_fixed_ips", g.Ips, ip => { w.WriteString("subnet_id", ip.SubnetId); w.WriteString("ip_address", ip.IpAddress); });
            w.WriteEndObject();
        },
    };

    public static readonly Route[] Routes =
    [
        Lists.Of(Kind, "network:get_routers"), Kind.Show("network:get_router"), Kind.Delete("network:delete_router", Removal),
        Bulk.Create(Kind, "network:create_router", (c, body) => Make(c, body), c => Kind.Delete(c, "network:delete_router", Removal), "external_gateway_info"),
        new("PUT", "/v2.0/routers/{id}", "network:update_router", async c =>
        {
            var body = Body.Without(c.Body("router"), "external_gateway_info", out var gateway);
            return Kind.One1(c, 200, await Kind.Change(c, "network:update_router", d => d.Item = Kind.Read(c, d.Item, body, In.Update), Sync, body, d => SetGateway(c, d, gateway)));
        }),
        new("PUT", "/v2.0/routers/{id}/add_router_interface", "network:update_router", c => RouterInterfaces.Add(c)),
        new("PUT", "/v2.0/routers/{id}/remove_router_interface", "network:update_router", c => RouterInterfaces.Remove(c)),
        new("PUT", "/v2.0/routers/{id}/add_extraroutes", "network:update_router", c => ExtraRoutes(c, (old, more) => [.. old.Union(more)])),
        new("PUT", "/v2.0/routers/{id}/remove_extraroutes", "network:update_router", c => ExtraRoutes(c, (old, less) => [.. old.Except(less)])),
    ];

    public static async ValueTask<IReadOnlyList<Port>> Interfaces(IEntityStore store, Router r) =>
        [.. (await Tables.Ports.InProject(store, r.ProjectId)).Where(p => p.DeviceId == r.Id && p.DeviceOwner == InterfaceOwner)];

    /// <summary>The router's row changes with what is on it: neither a kill nor another change of the router can come between. Nothing where there is none, or it goes.</summary>
    internal static async ValueTask<Along> Reroute(Services s, string project, string? id, Change change) =>
        id is not null && await Tables.Routers.Get(s.Store, project, id) is { Item.Doomed: false } router ? Sync.Along(s, router.Item, router, change) : new([], []);

    // Where its guests are, else a host that has the external network at hand. When all of these are away it waits for one of them: they come back.
    private static async ValueTask<string> Place(Services s, Router r)
    {
        var physical = r.Gateway is { } g ? (await Tables.Networks.Find(s.Store, g.NetworkId))?.Item.Physical : null;
        var able = (await Hosts.All(s)).Where(h => !h.Disabled && (physical is null || h.Capacity.Physical.Contains(physical))).ToList();
        if (able.Exists(h => Hosts.IsUp(s, h))) able.RemoveAll(h => !Hosts.IsUp(s, h));
        if (able.Count == 0) return physical is null ? "" : throw new SagaFault($"No host is connected to the physical network {physical}.");
        var near = (await Tables.Ports.InProject(s.Store, r.ProjectId)).Select(p => p.Host).ToHashSet();
        return (able.FirstOrDefault(h => near.Contains(h.Name)) ?? able[r.Id.Sum(c => c) % able.Count]).Name;
    }

    private static async ValueTask CheckRoutes(Call c, Draft<Router> d)
    {
        var routes = d.Item.Routes;
        if (routes.Length == 0 || (d.Old is not null && routes.SequenceEqual(d.Old.Routes))) return;
        if (routes.Length > 30) throw new Fault(409, "The number of routes exceeds the maximum 30.") { Kind = "RoutesExhausted" };
        if (routes.Distinct().Count() < routes.Length) throw Fault.BadRequest("Invalid input for routes. Reason: Duplicate items in the list.");
        List<PortAddress> own = [.. (await Interfaces(c.Store, d.Item)).SelectMany(p => p.FixedIps), .. d.Item.Gateway?.Ips ?? []];
        var near = new List<System.Net.IPNetwork>();
        foreach (var id in own.Select(o => o.SubnetId).Distinct())
            if (await Tables.Subnets.Find(c.Store, id, d.Item.ProjectId, c.Cancelled) is { } s) near.Add(System.Net.IPNetwork.Parse(s.Item.Cidr));
        foreach (var r in routes)
        {
            var (to, via) = (Addresses.ParseCidr(r.Destination, "routes"), Addresses.Parse(r.Nexthop, "routes"));
            if (to.BaseAddress.AddressFamily != via.AddressFamily) throw Fault.BadRequest("Invalid format for routes: destination and nexthop are of different families.");
            if (!near.Any(n => n.Contains(via))) throw Fault.BadRequest($"Invalid format for routes: {r.Destination}, the nexthop is not connected with router");
            if (own.Any(o => o.IpAddress == via.ToString())) throw Fault.BadRequest($"Invalid format for routes: {r.Destination}, the nexthop is used by router");
        }
    }

    private static ValueTask<Router> Make(Call c, JsonElement given)
    {
        var body = Body.Without(given, "external_gateway_info", out var gateway);
        return Kind.Create(c, "network:create_router", body, gateway is null ? null : Sync, d => SetGateway(c, d, gateway));
    }

    private static async ValueTask SetGateway(Call c, Draft<Router> d, JsonElement? info)
    {
        if (info is not { } g) return;
        var old = d.Old?.Gateway;
        if (g.ValueKind == JsonValueKind.Null || (g.ValueKind == JsonValueKind.Object && !g.EnumerateObject().Any()))
        {
            if (old is not null) await Drop(c, d, old);
            d.Item = d.Item with { Gateway = null };
            return;
        }
        if (g.ValueKind != JsonValueKind.Object || !g.TryGetProperty("network_id", out var id) || id.ValueKind != JsonValueKind.String) throw Fault.BadRequest("Invalid input for external_gateway_info. Reason: network_id is required.");
        var network = (await Tables.Networks.Find(c.Store, id.GetString()!, c.User?.ProjectId, c.Cancelled))?.Item;
        if (network is null || !c.Allows("network:get_network", new(network.ProjectId)) && !Tables.Networks.Shared(network)) throw Fault.NotFound("network", id.GetString()!);
        if (!network.External) throw Fault.BadRequest($"Bad router request: Network {network.Id} is not an external network.");
        var snat = !g.TryGetProperty("enable_snat", out var e) ? old?.EnableSnat ?? true : Lenient.Boolean(e) ?? throw Fault.BadRequest("Invalid input for external_gateway_info. Reason: enable_snat must be a boolean.");
        if (snat != (old?.EnableSnat ?? true)) c.Require("network:set_snat", default);
        var wished = g.TryGetProperty("external_fixed_ips", out var ips) && ips.ValueKind != JsonValueKind.Null ? Ports.Asked(ips, "external_fixed_ips") : null;
        if (wished is not null && wished.Any(w => w.Address is not null)) c.Require("network:choose_gateway_address", default);
        if (old?.NetworkId == network.Id && wished is null)
        {
            d.Item = d.Item with { Gateway = old with { EnableSnat = snat } };
            return;
        }
        var fresh = new Port
        {
            Id = c.Services.Ids.New(), ProjectId = d.Item.ProjectId, NetworkId = network.Id, DeviceId = d.Item.Id, DeviceOwner = GatewayOwner, PortSecurityEnabled = false, Status = "ACTIVE", CreatedAt = c.Now,
        };
        var was = old?.NetworkId == network.Id ? await Tables.Ports.Get(c.Store, d.Item.ProjectId, old.PortId, c.Cancelled) : null;
        if (old is not null && was is null) await Drop(c, d, old);
        var before = was?.Item ?? await Ports.WithMac(c.Store, fresh, d.Undo);
        var port = before with { FixedIps = await Ports.Allocate(c.Services, before, network, wished ?? [(null, null)], was?.Item.FixedIps ?? [], d.Undo) };
        d.Add(was is null ? await Tables.Ports.Insertion(c.Services, port, Change.By(c), c.Cancelled) : Tables.Ports.Replacement(c.Services, port, was, Change.By(c)));
        if (was?.Item.FixedIps.Except(port.FixedIps).ToArray() is { Length: > 0 } gone) d.Item = d.Item with { Leaving = [.. d.Item.Leaving, old! with { Ips = gone }] };
        d.Item = d.Item with { Gateway = new(network.Id, port.Id, port.MacAddress, port.FixedIps, snat) };
    }

    private static async ValueTask Drop(Call c, Draft<Router> d, Gateway old)
    {
        if ((await Tables.FloatingIps.InProject(c.Store, d.Item.ProjectId)).Any(f => f.RouterId == d.Item.Id))
            throw new Fault(409, $"Gateway cannot be updated for router {d.Item.Id}, since a gateway to external network {old.NetworkId} is required by one or more floating IPs.") { Kind = "RouterExternalGatewayInUseByFloatingIp" };
        if (await Tables.Ports.Get(c.Store, d.Item.ProjectId, old.PortId, c.Cancelled) is { } port) d.Add(Tables.Ports.Deletion(c.Services, port, Change.By(c)));
        d.Item = d.Item with { Leaving = [.. d.Item.Leaving, old] };
    }

    // The port of one that only changed its addresses stays.
    private static async ValueTask Free(IEntityStore store, Gateway g, bool gone)
    {
        foreach (var ip in g.Ips) await Addresses.Free(store, ip.SubnetId, ip.IpAddress, g.PortId);
        if (gone) await Claims.Free(store, "mac." + g.NetworkId, g.Mac, g.PortId);
        if (gone) await Tables.Ports.Forget(store, g.PortId);
    }

    private static async ValueTask<Reply> ExtraRoutes(Call c, Func<HostRoute[], HostRoute[], HostRoute[]> change)
    {
        var body = c.Body("router");
        var wanted = body.TryGetProperty("routes", out var r) && r.ValueKind == JsonValueKind.Array
            ? r.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.Object && x.TryGetProperty("destination", out var d) && x.TryGetProperty("nexthop", out var n) ? new HostRoute(d.ToString(), n.ToString()) : throw Fault.BadRequest("Invalid format for routes.")).ToArray()
            : throw Fault.BadRequest("Invalid input for routes. Reason: it must be a list.");
        return Kind.One1(c, 200, await Kind.Change(c, "network:update_router", d => d.Item = d.Item with { Routes = change(d.Item.Routes, wanted) }, Sync));
    }
}
