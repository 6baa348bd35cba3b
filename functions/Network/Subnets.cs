using System.Net;
using System.Net.Sockets;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#subnets</summary>
public static class Subnets
{
    public static readonly Kind<Subnet> Kind = new(Tables.Subnets, "subnets", "/v2.0/subnets", NetworkDialect.Value)
    {
        Sees = "network:get_subnet", ListsAll = "admin", AllByDefault = true,
        Charges = (Tables.Quota, Tables.Quota.CountsEach(Tables.Subnets, "subnet"), NetworkDialect.Over),
        Check = Check,
        CheckDelete = async (c, d) =>
        {
            var subnet = d.Item;
            d.Ops.Add(await Tables.Quota.Uncharged(c.Store, subnet.ProjectId, c.Cancelled));
            var network = (await Tables.Networks.Get(c.Store, subnet.ProjectId, subnet.NetworkId, c.Cancelled))!;
            if ((await Tables.PortsOf(c.Store, network.Item, c.Cancelled)).Any(p => !p.Doomed && p.FixedIps.Any(f => f.SubnetId == subnet.Id))
                || (network.Item.External && (await Tables.FloatingIps.Everywhere(c.Store, c.Cancelled)).Any(f => f.FromSubnet == subnet.Id)))
                throw new Fault(409, $"Unable to complete operation on subnet {subnet.Id}: One or more ports have an IP allocation from this subnet.") { Kind = "SubnetInUse" };
            d.Add(Networks.Sync.Along(c.Services, network.Item with { Subnets = [.. network.Item.Subnets.Where(id => id != subnet.Id)] }, network, Change.By(c)));
            d.After.Add(() => Forget(c.Store, subnet));
        },
    };

    public static readonly Route[] Routes =
    [
        Lists.Of(Kind, "network:get_subnets"), Bulk.Create(Kind, "network:create_subnet", "network:delete_subnet"), Kind.Show("network:get_subnet"), Kind.Update("network:update_subnet"), Kind.Delete("network:delete_subnet"),
    ];

    private static async ValueTask Check(Call c, Draft<Subnet> d)
    {
        var network = await Tables.Networks.Find(c.Store, d.Item.NetworkId, c.User?.ProjectId, c.Cancelled);
        if (network is null || !c.Allows("network:get_network", new(network.Item.ProjectId)) && !Tables.Networks.Shared(network.Item)) throw Fault.NotFound("network", d.Item.NetworkId);
        c.Require("network:create_subnet", new(network.Item.ProjectId));
        var net = Addresses.ParseCidr(d.Item.Cidr);
        var s = Complete(d, net) with { ProjectId = network.Item.ProjectId };
        CheckModes(s, net);
        CheckPools(s, net);
        foreach (var dns in s.DnsNameservers) Addresses.Parse(dns, "dns_nameservers");
        foreach (var r in s.HostRoutes) { Addresses.ParseCidr(r.Destination, "host_routes"); Addresses.Parse(r.Nexthop, "host_routes"); }
        if (d.Old is null)
        {
            foreach (var other in await Tables.SubnetsOf(c.Store, network.Item, c.Cancelled))
                if (Addresses.Overlap(net, IPNetwork.Parse(other.Cidr))) throw Fault.BadRequest($"Invalid input for operation: Requested subnet with cidr: {s.Cidr} for network: {network.Item.Id} overlaps with another subnet.");
        }
        else if (d.Old.GatewayIp is { } gateway && gateway != s.GatewayIp && await Claims.OwnerOf(c.Store, "ip." + s.Id, gateway, c.Cancelled) is { } port)
            throw new Fault(409, $"Current gateway ip {gateway} already in use by port {port}. Unable to update.") { Kind = "GatewayIpInUse" };
        d.Item = await Dhcp(c, d, s);
        // Two overlapping subnets at once can't both write the network's row.
        if (d.Old is null || !Same(d.Old, d.Item)) d.Add(Networks.Sync.Along(c.Services, d.Old is null ? network.Item with { Subnets = [.. network.Item.Subnets, s.Id] } : network.Item, network, Change.By(c)));
    }

    // Hosts know these of it.
    private static bool Same(Subnet a, Subnet b) =>
        a.GatewayIp == b.GatewayIp && a.DhcpAddress == b.DhcpAddress && a.DnsNameservers.SequenceEqual(b.DnsNameservers) && a.HostRoutes.SequenceEqual(b.HostRoutes);

    /// <summary>Fills in what the client left to us: gateway and pools.</summary>
    private static Subnet Complete(Draft<Subnet> d, IPNetwork net)
    {
        var s = d.Item with { Cidr = net.ToString() };
        var family = net.BaseAddress.AddressFamily;
        var six = family == AddressFamily.InterNetworkV6;
        if (s.IpVersion != (six ? 6 : 4)) throw Fault.BadRequest($"Invalid input for operation: cidr '{s.Cidr}' does not match the ip_version '{s.IpVersion}'.");
        if (net.PrefixLength > (six ? 126 : 30) || net.PrefixLength == 0) throw Fault.BadRequest($"Invalid input for operation: a subnet can't have the prefix length of {s.Cidr}.");
        if (s.SubnetpoolId is not null) throw Fault.BadRequest("Subnet pools are not offered.");
        var (first, last) = Addresses.Bounds(net);
        // A gateway not mentioned is the first address; one set to null is none.
        if (s.GatewayIp is null && d.Old is null && !d.Body.TryGetProperty("gateway_ip", out _)) s = s with { GatewayIp = Addresses.From(first + 1, family).ToString() };
        if (s.GatewayIp is { } g && Addresses.Parse(g, "gateway_ip") is var gateway)
        {
            if (!net.Contains(gateway) || Addresses.ToNumber(gateway) == first || (!six && Addresses.ToNumber(gateway) == last)) throw Fault.BadRequest($"Invalid input for operation: Gateway is not valid on subnet.");
            s = s with { GatewayIp = gateway.ToString() };
        }
        return s.AllocationPools.Length > 0 || d.Body.TryGetProperty("allocation_pools", out var given) && d.Old is null && given.GetArrayLength() == 0 ? s : s with { AllocationPools = Pools(first, last, s.GatewayIp, family) };
    }

    private static void CheckModes(Subnet s, IPNetwork net)
    {
        if ((s.Ipv6RaMode ?? s.Ipv6AddressMode) is null) return;
        if (s.IpVersion == 4) throw Fault.BadRequest("Invalid input for operation: ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is 4.");
        if (!s.EnableDhcp) throw Fault.BadRequest("Invalid input for operation: ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False.");
        if (s.Ipv6RaMode is not null && s.Ipv6AddressMode is not null && s.Ipv6RaMode != s.Ipv6AddressMode)
            throw Fault.BadRequest($"Invalid input for operation: ipv6_ra_mode set to '{s.Ipv6RaMode}' with ipv6_address_mode set to '{s.Ipv6AddressMode}' is not valid. If both attributes are set, they must be the same value.");
        if (s.Slaac && net.PrefixLength != 64) throw Fault.BadRequest($"Invalid input for operation: Invalid CIDR {s.Cidr} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64.");
    }

    /// <summary>An address for DHCP, DNS and metadata while there is DHCP.</summary>
    private static async ValueTask<Subnet> Dhcp(Call c, Draft<Subnet> d, Subnet s)
    {
        if (s.EnableDhcp == s.DhcpAddress is not null) return s;
        var (id, owner) = (s.Id, "dhcp:" + s.Id);
        if (s.DhcpAddress is { } old)
        {
            d.After.Add(() => Addresses.Free(c.Store, id, old, owner));
            return s with { DhcpAddress = null };
        }
        var address = await Addresses.Claim(c.Store, s, owner, null, ct: c.Cancelled);
        d.Undo.Add(() => Addresses.Free(c.Store, id, address, owner));
        return s with { DhcpAddress = address };
    }

    private static Pool[] Pools(UInt128 first, UInt128 last, string? gateway, AddressFamily family)
    {
        var (from, to) = (first + 1, family == AddressFamily.InterNetwork ? last - 1 : last);
        Pool Make(UInt128 a, UInt128 b) => new(Addresses.From(a, family).ToString(), Addresses.From(b, family).ToString());
        if (gateway is null || Addresses.ToNumber(IPAddress.Parse(gateway)) is var g && (g < from || g > to)) return [Make(from, to)];
        return [.. g > from ? [Make(from, g - 1)] : Array.Empty<Pool>(), .. g < to ? [Make(g + 1, to)] : Array.Empty<Pool>()];
    }

    private static void CheckPools(Subnet s, IPNetwork net)
    {
        UInt128? before = null;
        if (s.AllocationPools.Length > 100) throw Fault.BadRequest("Invalid input for allocation_pools: there are too many.");
        foreach (var p in s.AllocationPools.OrderBy(p => Addresses.ToNumber(Addresses.Parse(p.Start, "allocation_pools"))))
        {
            var (a, b) = (Addresses.Parse(p.Start, "allocation_pools"), Addresses.Parse(p.End, "allocation_pools"));
            if (!net.Contains(a) || !net.Contains(b)) throw new Fault(400, $"The allocation pool {p.Start}-{p.End} spans beyond the subnet cidr {s.Cidr}.") { Kind = "OutOfBoundsAllocationPool" };
            if (Addresses.ToNumber(a) > Addresses.ToNumber(b)) throw new Fault(400, $"The allocation pool {p.Start}-{p.End} is not valid.") { Kind = "InvalidAllocationPool" };
            if (before >= Addresses.ToNumber(a)) throw new Fault(409, "Found overlapping allocation pools.") { Kind = "OverlappingAllocationPools" };
            if (s.GatewayIp is { } g && Addresses.ToNumber(IPAddress.Parse(g)) is var n && n >= Addresses.ToNumber(a) && n <= Addresses.ToNumber(b))
                throw new Fault(409, $"Gateway ip {g} conflicts with allocation pool {p.Start}-{p.End}.") { Kind = "GatewayConflictWithAllocationPools" };
            before = Addresses.ToNumber(b);
        }
    }

    /// <summary>Frees what a subnet that is gone had claimed.</summary>
    public static async ValueTask Forget(IEntityStore store, Subnet s)
    {
        if (s.DhcpAddress is { } address) await Addresses.Free(store, s.Id, address, "dhcp:" + s.Id);
    }
}
