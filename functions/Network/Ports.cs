using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#ports</summary>
public static class Ports
{
    /// <summary>Makes the port's host true to the row.</summary>
    public static readonly Saga<Port> Sync = Saga<Port>.Named("port-sync-1", Tables.Ports)
        .Insist()
        .Agent("plug", async w => Plugged(w.Item) ? [await Specs.Ensure(w.Services, w.Item)] : [])
        .Step("leave", async w =>
        {
            foreach (var gone in w.Item.Leaving.Except(w.Item.FixedIps)) await Addresses.Free(w.Store, gone.SubnetId, gone.IpAddress, w.Item.Id);
            w.Item = w.Item.Leaving.Length > 0 ? w.Item with { Leaving = [] } : w.Item;
        })
        .Finished(w => { w.Item = w.Item with { Status = Plugged(w.Item) && w.Item.AdminStateUp ? "ACTIVE" : "DOWN" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Port> Removal = Saga<Port>.Deleting("port-delete-1", Tables.Ports)
        .Agent("unplug", w => new(Plugged(w.Item) ? [Specs.Remove(w.Item)] : []))
        .Step("floating", w => FloatingIps.Detach(w.Services, w.Item, w.Change))
        .Step("free", w => Free(w.Store, w.Item));

    public static readonly Kind<Port> Kind = new(Tables.Ports, "ports", "/v2.0/ports", NetworkDialect.Value)
    {
        Sees = "network:get_port", ListsAll = "admin", AllByDefault = true, Within = (_, x) => !x.Doomed,
        Charges = (Tables.Quota, Tables.Quota.Counts(Tables.Ports, p => p.DeviceOwner == Routers.GatewayOwner ? [] : [new("port", 1)]), NetworkDialect.Over),
        Check = Check,
        // A router's gateway belongs to the cloud, not to the router's project.
        TargetOf = p => new(p.DeviceOwner == Routers.GatewayOwner ? null : p.ProjectId),
        CheckDelete = (_, d) => d.Item.DeviceOwner is Routers.InterfaceOwner or Routers.GatewayOwner
            ? throw new Fault(409, $"Port {d.Item.Id} cannot be deleted directly via the port API: has device owner {d.Item.DeviceOwner}.") { Kind = "ServicePortInUse" } : ValueTask.CompletedTask,
        Extend = (w, _, _, _) => w.Strings("dns_assignment", []),
    };

    public static readonly Route[] Routes =
    [
        Lists.Of(Kind, "network:get_ports", Wanted), Bulk.Create(Kind, "network:create_port", Create, c => Remove(c), "fixed_ips"), Kind.Show("network:get_port"),
        new("PUT", "/v2.0/ports/{id}", "network:update_port", Update), new("DELETE", "/v2.0/ports/{id}", "network:delete_port", async c => { await Remove(c); return Reply.Empty(204); }),
    ];

    public static bool Plugged(Port p) => p.Host.Length > 0 && p.DeviceOwner != Routers.InterfaceOwner;

    private static async ValueTask<Port> Create(Call c, JsonElement given)
    {
        var body = Body.Without(given, "fixed_ips", out var wished);
        return await Kind.Create(c, "network:create_port", body, given.TryGetProperty("binding:host_id", out _) ? Sync : null, d => Address(c, d, wished));
    }

    private static async ValueTask<Reply> Update(Call c)
    {
        var body = Body.Without(c.Body("port"), "fixed_ips", out var wished);
        return Kind.One1(c, 200, await Kind.Change(c, "network:update_port", d => d.Item = Kind.Read(c, d.Item, body, In.Update), Sync, body, async d =>
        {
            if (wished is null) return;
            await Address(c, d, wished);
            await Rerouted(c, d);
        }));
    }

    /// <summary>What a router has on a network is told to its host with the router.</summary>
    private static async ValueTask Rerouted(Call c, Draft<Port> d)
    {
        if (d.Item.FixedIps.SequenceEqual(d.Old!.FixedIps)) return;
        if (d.Item.DeviceOwner == Routers.GatewayOwner) throw Fault.BadRequest("Invalid input for fixed_ips. Reason: the addresses of a gateway are those of its router's external_gateway_info.");
        if (d.Item.DeviceOwner != Routers.InterfaceOwner) return;
        if (!d.Item.FixedIps.Select(f => f.SubnetId).Order().SequenceEqual(d.Old.FixedIps.Select(f => f.SubnetId).Order())) throw Fault.BadRequest("Invalid input for fixed_ips. Reason: a router gets and leaves subnets by add_router_interface and remove_router_interface.");
        d.Add(await Routers.Reroute(c.Services, d.Item.ProjectId, d.Item.DeviceId, Change.By(c)));
    }

    private static async ValueTask Remove(Call c)
    {
        var port = (await Kind.Load(c, "network:delete_port")).Item;
        await Kind.Delete(c, "network:delete_port", Removal);
        await FloatingIps.Detach(c.Services, port, Change.By(c));
        // What no host has is free for others by the time the client hears of it; the saga would do the same a little later.
        if (!Plugged(port)) await Free(c.Store, port);
    }

    private static bool Wanted(Call c, Port p)
    {
        if (p.DeviceOwner == Routers.GatewayOwner && !c.Allows("network:see_all", default)) return false;
        foreach (var (k, v) in c.Query)
        {
            if (k != "fixed_ips") continue;
            var (what, value) = v.Split('=', 2) is [var a, var b] ? (a, b) : ("", "");
            if (!p.FixedIps.Any(f => what switch { "ip_address" => f.IpAddress == value, "subnet_id" => f.SubnetId == value, "ip_address_substr" => f.IpAddress.Contains(value, StringComparison.Ordinal), _ => true })) return false;
        }
        return true;
    }

    private static async ValueTask Check(Call c, Draft<Port> d)
    {
        var found = await Tables.Networks.Find(c.Store, d.Item.NetworkId, c.User?.ProjectId, c.Cancelled);
        var network = found?.Item;
        if (d.Old is null && found is not null) d.Ops.AddRange(Networks.Stays(found, d.Item.ProjectId));
        if (network is null || !c.Allows("network:get_network", new(network.ProjectId)) && !Tables.Networks.Shared(network)) throw Fault.NotFound("network", d.Item.NetworkId);
        CheckRights(c, d, network);
        if (d.Old is null) await Networks.OpenTo(c.Services, found!, d.Item.ProjectId, Change.By(c));
        d.Item = await Complete(c.Services, d.Item, network, d.Old is null, d.Body.ValueKind == JsonValueKind.Object && d.Body.TryGetProperty("security_groups", out _));
        if (d.Old is null) d.Item = await WithMac(c.Store, d.Item, d.Undo);
        d.Item = d.Item with { AllowedAddressPairs = [.. d.Item.AllowedAddressPairs.Select(p => Checked(p, d.Item))] };
        if (d.Item.AllowedAddressPairs.Distinct().Count() < d.Item.AllowedAddressPairs.Length) throw new Fault(400, "Request contains duplicate address pair.") { Kind = "DuplicateAddressPairInRequest" };
        if (!d.Item.PortSecurityEnabled && (d.Item.SecurityGroups.Length > 0 || d.Item.AllowedAddressPairs.Length > 0))
            throw new Fault(409, "Port security must be enabled in order to have allowed address pairs or security groups on a port.") { Kind = "PortSecurityAndIPRequiredForSecurityGroups" };
        foreach (var o in d.Item.ExtraDhcpOpts)
            if (o.OptName is not { Length: > 0 and <= 64 } || o.OptValue is { Length: > 255 } || o.IpVersion is not (4 or 6)) throw Fault.BadRequest("Invalid input for extra_dhcp_opts.");
    }

    private static readonly (string Name, string Rule)[] Chosen =
        [("mac_address", "network:create_port:mac_address"), ("port_security_enabled", "network:create_port:port_security_enabled"), ("allowed_address_pairs", "network:create_port:allowed_address_pairs")];

    /// <summary>On another's network a project can't choose who it is there: these rules are asked about the network's project.</summary>
    private static void CheckRights(Call c, Draft<Port> d, Network network)
    {
        bool Given(string name) => d.Body.ValueKind == JsonValueKind.Object && d.Body.TryGetProperty(name, out _);
        var own = c.Allows("network:update_network", new(network.ProjectId));
        if (!own && d.Old is null && !network.Shared) throw Fault.Forbidden("network:create_port");
        foreach (var (name, rule) in Chosen)
            if (Given(name)) c.Require(rule, new(network.ProjectId));
        if (d.Old?.DeviceOwner == d.Item.DeviceOwner) return;
        if (d.Item.DeviceOwner is Routers.InterfaceOwner or Routers.GatewayOwner || d.Old?.DeviceOwner is Routers.InterfaceOwner or Routers.GatewayOwner)
            throw Fault.BadRequest("Invalid input for device_owner. Reason: a port becomes a router's by adding it to the router.");
        if (d.Item.DeviceOwner.StartsWith("network:", StringComparison.Ordinal)) c.Require("network:create_port:device_owner", new(network.ProjectId));
    }

    private static AllowedPair Checked(AllowedPair pair, Port port)
    {
        if (pair.IpAddress is not { Length: > 0 } ip) throw new Fault(400, "AllowedAddressPair must contain ip_address") { Kind = "AllowedAddressPairsMissingIP" };
        if (ip.Contains('/', StringComparison.Ordinal)) Addresses.ParseCidr(ip, "allowed_address_pairs");
        else Addresses.Parse(ip, "allowed_address_pairs");
        if (pair.MacAddress is { } mac) CheckMac(mac);
        return pair with { MacAddress = (pair.MacAddress ?? port.MacAddress).ToLowerInvariant() };
    }

    /// <summary>Fills in what the client left to us: port security, groups.</summary>
    internal static async ValueTask<Port> Complete(Services s, Port p, Network network, bool fresh, bool groupsGiven)
    {
        if (fresh && !network.PortSecurityEnabled) p = p with { PortSecurityEnabled = false };
        if (fresh && p.PortSecurityEnabled && !groupsGiven) p = p with { SecurityGroups = [(await SecurityGroups.Default(s, p.ProjectId)).Id] };
        foreach (var id in p.SecurityGroups)
            if (await Tables.SecurityGroups.Get(s.Store, p.ProjectId, id) is null) throw Fault.NotFound("security_group", id);
        return p;
    }

    /// <summary>The same port with a MAC that no other of its network has: the one it wishes, or a new one.</summary>
    /// <exception cref="Fault">409 when the wished one is taken.</exception>
    internal static async ValueTask<Port> WithMac(IEntityStore store, Port p, List<Func<ValueTask>> undo)
    {
        if (p.MacAddress.Length > 0) CheckMac(p.MacAddress);
        var mac = p.MacAddress.Length > 0 ? p.MacAddress.ToLowerInvariant() : NewMac();
        while (!await Claims.Take(store, "mac." + p.NetworkId, mac, p.Id))
            mac = p.MacAddress.Length > 0 ? throw new Fault(409, $"Unable to complete operation for network {p.NetworkId}. The mac address {p.MacAddress} is in use.") { Kind = "MacAddressInUse" } : NewMac();
        undo.Add(() => Claims.Free(store, "mac." + p.NetworkId, mac, p.Id));
        return p with { MacAddress = mac };
    }

    private static string NewMac()
    {
        var b = RandomNumberGenerator.GetBytes(3);
        return $"fa:16:3e:{b[0]:x2}:{b[1]:x2}:{b[2]:x2}";
    }

    private static void CheckMac(string mac)
    {
        if (mac.Length != 17 || !mac.Split(':').All(x => x.Length == 2 && x.All(char.IsAsciiHexDigit)) || (Convert.ToByte(mac[..2], 16) & 1) == 1 || mac == "00:00:00:00:00:00")
            throw Fault.BadRequest($"Invalid input for mac_address. Reason: '{(mac.Length > 40 ? mac[..40] : mac)}' is not a valid MAC address.");
    }

    private static async ValueTask Address(Call c, Draft<Port> d, JsonElement? wished)
    {
        var network = (await Tables.Networks.Find(c.Store, d.Item.NetworkId, c.User?.ProjectId, c.Cancelled))?.Item ?? throw Fault.NotFound("network", d.Item.NetworkId);
        var asked = wished is { } list ? Asked(list, "fixed_ips") : [(null, null)];
        if (asked.Any(x => x.Address is not null)) c.Require("network:create_port:fixed_ips", new(network.ProjectId));
        var old = d.Old?.FixedIps ?? [];
        var now = await Allocate(c.Services, d.Item, network, asked, old, d.Undo);
        d.Item = d.Item with { FixedIps = now, Leaving = [.. d.Item.Leaving.Union(old).Except(now)] };
    }

    /// <summary>Reads a list of {subnet_id, ip_address}.</summary>
    internal static List<(string? Subnet, string? Address)> Asked(JsonElement list, string what)
    {
        const int most = 5;
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > most) throw Fault.BadRequest($"Invalid input for {what}. Reason: it must be a list of at most {most} addresses.");
        var asked = new List<(string? Subnet, string? Address)>();
        foreach (var e in list.EnumerateArray())
        {
            if (e.ValueKind != JsonValueKind.Object) throw Fault.BadRequest($"Invalid input for {what}. Reason: each must be an object.");
            foreach (var p in e.EnumerateObject())
                if (p.Name is not ("subnet_id" or "ip_address") || p.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Null)) throw Fault.BadRequest($"Invalid input for {what}. Reason: '{(p.Name.Length > 40 ? p.Name[..40] : p.Name)}' is not a valid member.");
            string? Text(string name) => e.TryGetProperty(name, out var v) ? v.GetString() : null;
            asked.Add((Text("subnet_id"), Text("ip_address") is { } address ? Addresses.Parse(address).ToString() : null));
        }
        if (asked.Where(a => a.Address is not null).Distinct().Count() < asked.Count(a => a.Address is not null)) throw Fault.BadRequest($"Invalid input for {what}. Reason: Duplicate IP address.");
        return asked;
    }

    /// <summary>Claims addresses. (null, null) means: one IPv4 and one IPv6 address of whatever subnets there are.</summary>
    internal static async ValueTask<PortAddress[]> Allocate(Services s, Port p, Network network, IEnumerable<(string? Subnet, string? Address)> asked, PortAddress[] keep, List<Func<ValueTask>> undo)
    {
        var subnets = await Tables.SubnetsOf(s.Store, network);
        var got = new List<PortAddress>();
        async ValueTask Take(Subnet subnet, string? address)
        {
            if (address is null && subnet.Slaac) address = Addresses.Slaac(IPNetwork.Parse(subnet.Cidr), p.MacAddress);
            if (keep.FirstOrDefault(k => k.SubnetId == subnet.Id && (address is null || k.IpAddress == address)) is { } kept && !got.Contains(kept)) { got.Add(kept); return; }
            var claimed = await Addresses.Claim(s.Store, subnet, p.Id, address, [.. got.Where(g => g.SubnetId == subnet.Id).Select(g => g.IpAddress)]);
            undo.Add(() => Addresses.Free(s.Store, subnet.Id, claimed, p.Id));
            got.Add(new(subnet.Id, claimed));
        }
        foreach (var (subnetId, address) in asked)
        {
            if (subnetId is null && address is null)
            {
                foreach (var family in (int[])[4, 6])
                {
                    Fault? full = null;
                    foreach (var subnet in subnets.Where(x => x.IpVersion == family))
                        try { await Take(subnet, null); full = null; break; }
                        catch (Fault f) when (f.Kind == "IpAddressGenerationFailure") { full = f; }
                    if (full is not null) throw full;
                }
                continue;
            }
            var wanted = subnetId is not null ? subnets.FirstOrDefault(x => x.Id == subnetId) ?? throw new Fault(400, $"Failed to create port on network {network.Id}, because fixed_ips included invalid subnet {subnetId}.") { Kind = "InvalidInput" }
                : subnets.FirstOrDefault(x => IPNetwork.Parse(x.Cidr).Contains(Addresses.Parse(address!))) ?? throw new Fault(400, $"IP address {address} is not a valid IP for any of the subnets on the specified network.") { Kind = "InvalidIpForNetwork" };
            await Take(wanted, address);
        }
        return [.. got];
    }

    internal static async ValueTask Free(IEntityStore store, Port p)
    {
        foreach (var f in p.FixedIps.Union(p.Leaving)) await Addresses.Free(store, f.SubnetId, f.IpAddress, p.Id);
        await Claims.Free(store, "mac." + p.NetworkId, p.MacAddress.ToLowerInvariant(), p.Id);
    }
}
