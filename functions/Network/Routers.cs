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
    public const string InterfaceOwner = "network:router_interface";

    /// <summary>Makes the router's host true to the rows: interfaces, gateway, routes, floating IPs.</summary>
    public static readonly Saga<Router> Sync = Saga<Router>.Named("router-sync-1", Tables.Routers)
        .Insist()
        .Step("place", async w => w.Item = w.Item with { Host = w.Item.Host.Length > 0 ? w.Item.Host : await Place(w.Services, w.Item) })
        .Agent("route", async w => w.Item.Host.Length > 0 ? [await Specs.Ensure(w.Services, w.Item)] : [])
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
            if (w.Item.Gateway is { } g) await Addresses.Free(w.Store, g.SubnetId, g.Address, g.PortId);
        });

    public static readonly Kind<Router> Kind = new(Tables.Routers, "routers", "/v2.0/routers", NetworkDialect.Value)
    {
        Sees = "network:get_router", ListsAll = "admin", AllByDefault = true,
        Charges = (Tables.Quota, Tables.Quota.Counts(Tables.Routers, _ => [new("router", 1)]), NetworkDialect.Over),
        Check = async (c, d) =>
        {
            foreach (var r in d.Item.Routes)
            {
                Addresses.ParseCidr(r.Destination, "routes");
                Addresses.Parse(r.Nexthop, "routes");
            }
            if (d.Item.Routes.Length > 30) throw new Fault(409, "The number of routes exceeds the maximum 30.") { Kind = "RoutesExhausted" };
            if (d.Item.Routes.Length > 0 && d.Old is not null)
            {
                var near = new List<System.Net.IPNetwork>();
                foreach (var p in await Interfaces(c.Store, d.Item))
                    foreach (var f in p.FixedIps)
                        if (await Tables.Subnets.Find(c.Store, f.SubnetId, p.ProjectId) is { } s) near.Add(System.Net.IPNetwork.Parse(s.Item.Cidr));
                foreach (var r in d.Item.Routes)
                    if (d.Item.Gateway is null && !near.Any(n => n.Contains(Addresses.Parse(r.Nexthop))))
                        throw Fault.BadRequest($"Invalid format for routes: the nexthop {r.Nexthop} is not connected with router.");
            }
        },
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
            w.WriteStartArray("external_fixed_ips");
            w.WriteStartObject();
            w.WriteString("subnet_id", g.SubnetId);
            w.WriteString("ip_address", g.Address);
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteEndObject();
        },
    };

    public static readonly Route[] Routes =
    [
        Kind.List("network:get_routers"), Kind.Show("network:get_router"), Kind.Delete("network:delete_router", Removal),
        new("POST", "/v2.0/routers", "network:create_router", async c =>
        {
            var body = Split(c, out var gateway);
            return Kind.One1(c, 201, await Kind.Create(c, "network:create_router", body, gateway is null ? null : Sync, d => SetGateway(c, d, gateway)));
        }),
        new("PUT", "/v2.0/routers/{id}", "network:update_router", async c =>
        {
            var body = Split(c, out var gateway);
            return Kind.One1(c, 200, await Kind.Change(c, "network:update_router", d => d.Item = Kind.Read(c, d.Item, body, In.Update), Sync, body, d => SetGateway(c, d, gateway)));
        }),
        new("PUT", "/v2.0/routers/{id}/add_router_interface", "network:update_router", c => RouterInterfaces.Add(c)),
        new("PUT", "/v2.0/routers/{id}/remove_router_interface", "network:update_router", c => RouterInterfaces.Remove(c)),
        new("PUT", "/v2.0/routers/{id}/add_extraroutes", "network:update_router", c => ExtraRoutes(c, (old, more) => [.. old.Union(more)])),
        new("PUT", "/v2.0/routers/{id}/remove_extraroutes", "network:update_router", c => ExtraRoutes(c, (old, less) => [.. old.Except(less)])),
    ];

    public static async ValueTask<IReadOnlyList<Port>> Interfaces(IEntityStore store, Router r) =>
        [.. (await Tables.Ports.InProject(store, r.ProjectId)).Where(p => p.DeviceId == r.Id && p.DeviceOwner == InterfaceOwner)];

    // Where its guests are, else a host that has the external network at hand.
    private static async ValueTask<string> Place(Services s, Router r)
    {
        var physical = r.Gateway is { } g ? (await Tables.Networks.Find(s.Store, g.NetworkId))?.Item.Physical : null;
        var able = (await Hosts.All(s)).Where(h => Hosts.IsUp(s, h) && !h.Disabled && (physical is null || h.Capacity.Physical.Contains(physical))).ToList();
        if (able.Count == 0) return physical is null ? "" : throw new SagaFault($"No host is connected to the physical network {physical}.");
        var near = (await Tables.Ports.InProject(s.Store, r.ProjectId)).Select(p => p.Host).ToHashSet();
        return (able.FirstOrDefault(h => near.Contains(h.Name)) ?? able[(int)((uint)string.GetHashCode(r.Id, StringComparison.Ordinal) % (uint)able.Count)]).Name;
    }

    private static JsonElement Split(Call c, out JsonElement? gateway)
    {
        var body = c.Body("router");
        gateway = body.TryGetProperty("external_gateway_info", out var g) ? g : null;
        if (gateway is null) return body;
        var rest = System.Text.Json.Nodes.JsonObject.Create(body)!;
        rest.Remove("external_gateway_info");
        using var json = JsonDocument.Parse(rest.ToJsonString());
        return json.RootElement.Clone();
    }

    private static async ValueTask SetGateway(Call c, Draft<Router> d, JsonElement? info)
    {
        if (info is not { } g) return;
        var old = d.Old?.Gateway;
        if (g.ValueKind == JsonValueKind.Null || (g.ValueKind == JsonValueKind.Object && !g.EnumerateObject().Any()))
        {
            if (old is null) return;
            if ((await Tables.FloatingIps.InProject(c.Store, d.Item.ProjectId)).Any(f => f.RouterId == d.Item.Id))
                throw new Fault(409, $"Gateway cannot be updated for router {d.Item.Id}, since a gateway to external network {old.NetworkId} is required by one or more floating IPs.") { Kind = "RouterExternalGatewayInUseByFloatingIp" };
            d.Item = d.Item with { Gateway = null };
            d.After.Add(() => Addresses.Free(c.Store, old.SubnetId, old.Address, old.PortId));
            return;
        }
        if (g.ValueKind != JsonValueKind.Object || !g.TryGetProperty("network_id", out var id) || id.ValueKind != JsonValueKind.String) throw Fault.BadRequest("Invalid input for external_gateway_info: network_id is required.");
        var network = await Tables.Networks.Find(c.Store, id.GetString()!, c.User?.ProjectId, c.Cancelled) ?? throw Fault.NotFound("network", id.GetString()!);
        if (!network.Item.External) throw Fault.BadRequest($"Bad router request: Network {network.Item.Id} is not an external network.");
        var snat = g.TryGetProperty("enable_snat", out var e) ? e.ValueKind == JsonValueKind.True : old?.EnableSnat ?? true;
        if (old?.NetworkId == network.Item.Id)
        {
            d.Item = d.Item with { Gateway = old with { EnableSnat = snat } };
            return;
        }
        string? Wish(string name) => g.TryGetProperty("external_fixed_ips", out var ips) && ips.ValueKind == JsonValueKind.Array && ips.GetArrayLength() > 0 && ips[0].ValueKind == JsonValueKind.Object
            && ips[0].TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null;
        var subnets = await Tables.SubnetsOf(c.Store, network.Item, c.Cancelled);
        var subnet = subnets.FirstOrDefault(s => s.IpVersion == 4 && (Wish("subnet_id") is not { } w || s.Id == w)) ?? throw Fault.BadRequest($"Bad router request: Network {network.Item.Id} has no usable subnet.");
        var portId = c.Services.Ids.New();
        var address = await Addresses.Claim(c.Store, subnet, portId, Wish("ip_address"), c.Cancelled);
        d.Undo.Add(() => Addresses.Free(c.Store, subnet.Id, address, portId));
        if (old is not null) d.After.Add(() => Addresses.Free(c.Store, old.SubnetId, old.Address, old.PortId));
        d.Item = d.Item with { Gateway = new(network.Item.Id, subnet.Id, address, portId, Ports.NewMac(), snat) };
    }

    private static async ValueTask<Reply> ExtraRoutes(Call c, Func<HostRoute[], HostRoute[], HostRoute[]> change)
    {
        var body = c.Body("router");
        var wanted = body.TryGetProperty("routes", out var r) && r.ValueKind == JsonValueKind.Array
            ? [.. r.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.Object && x.TryGetProperty("destination", out var d) && x.TryGetProperty("nexthop", out var n) ? new HostRoute(d.ToString(), n.ToString()) : throw Fault.BadRequest("Invalid format for routes."))]
            : Array.Empty<HostRoute>();
        return Kind.One1(c, 200, await Kind.Change(c, "network:update_router", d => d.Item = d.Item with { Routes = change(d.Item.Routes, wanted) }, Sync));
    }
}
