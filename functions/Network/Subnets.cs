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
        Charges = (Tables.Quota, Tables.Quota.Counts(Tables.Subnets, _ => [new("subnet", 1)]), NetworkDialect.Over),
        Check = Check,
        CheckDelete = async (c, d) =>
        {
            var network = (await Tables.Networks.Get(c.Store, d.Item.ProjectId, d.Item.NetworkId, c.Cancelled))!;
            if ((await Tables.PortsOf(c.Store, network.Item, c.Cancelled)).Any(p => p.FixedIps.Any(f => f.SubnetId == d.Item.Id)))
                throw new Fault(409, $"Unable to complete operation on subnet {d.Item.Id}: One or more ports have an IP allocation from this subnet.") { Kind = "SubnetInUse" };
            var subnet = d.Item;
            d.After.Add(() => Forget(c.Store, subnet));
            Networks.Sync.Join(c.Services, network, Change.By(c), d.Ops, d.Messages);
        },
    };

    public static readonly Route[] Routes =
    [
        Kind.List("network:get_subnets"), Kind.Create("network:create_subnet"), Kind.Show("network:get_subnet"), Kind.Update("network:update_subnet"), Kind.Delete("network:delete_subnet"),
    ];

    private static async ValueTask Check(Call c, Draft<Subnet> d)
    {
        var s = d.Item;
        var network = await Tables.Networks.Find(c.Store, s.NetworkId, c.User?.ProjectId, c.Cancelled);
        if (network is null || !c.Allows("network:get_network", new(network.Item.ProjectId)) && !Tables.Networks.Shared(network.Item)) throw Fault.NotFound("network", s.NetworkId);
        c.Require("network:create_subnet", new(network.Item.ProjectId));
        var net = Addresses.ParseCidr(s.Cidr);
        var six = net.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        if (s.IpVersion != (six ? 6 : 4)) throw Fault.BadRequest($"Invalid input for operation: cidr '{s.Cidr}' does not match the ip_version '{s.IpVersion}'.");
        if (net.PrefixLength > (six ? 126 : 30)) throw Fault.BadRequest($"Invalid input for operation: the subnet {s.Cidr} is too small.");
        if (!six && (s.Ipv6RaMode ?? s.Ipv6AddressMode) is not null) throw Fault.BadRequest("ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is 4.");
        if (s.SubnetpoolId is not null) throw Fault.BadRequest("Subnet pools are not offered.");
        var (first, last) = Addresses.Bounds(net);
        s = s with { Cidr = net.ToString(), ProjectId = network.Item.ProjectId };
        // A gateway not mentioned is the first address; one set to null is none.
        if (s.GatewayIp is null && d.Old is null && !(d.Body.TryGetProperty("gateway_ip", out _))) s = s with { GatewayIp = Addresses.From(first + 1, net.BaseAddress.AddressFamily).ToString() };
        if (s.GatewayIp is { } g && (!net.Contains(Addresses.Parse(g, "gateway_ip")) || Addresses.ToNumber(IPAddress.Parse(g)) == first)) throw Fault.BadRequest($"Gateway is not valid on subnet: {g}");
        if (s.AllocationPools.Length == 0) s = s with { AllocationPools = Pools(first, last, s.GatewayIp, net.BaseAddress.AddressFamily) };
        CheckPools(s, net);
        foreach (var dns in s.DnsNameservers) Addresses.Parse(dns, "dns_nameservers");
        foreach (var r in s.HostRoutes) { Addresses.ParseCidr(r.Destination, "host_routes"); Addresses.Parse(r.Nexthop, "host_routes"); }
        if (d.Old is null)
        {
            foreach (var other in await Tables.SubnetsOf(c.Store, network.Item, c.Cancelled))
                if (Addresses.Overlap(net, IPNetwork.Parse(other.Cidr))) throw Fault.BadRequest($"Invalid input for operation: Requested subnet with cidr: {s.Cidr} for network: {network.Item.Id} overlaps with another subnet.");
            var id = s.Id;
            var address = await Addresses.Claim(c.Store, s, "dhcp:" + id, null, c.Cancelled);
            d.Undo.Add(() => Addresses.Free(c.Store, id, address, "dhcp:" + id));
            s = s with { DhcpAddress = address };
        }
        d.Item = s;
        // Writing the network's row in the same transaction also makes two overlapping subnets at once impossible.
        Networks.Sync.Join(c.Services, network, Change.By(c), d.Ops, d.Messages);
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
