using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>Addresses, MACs and tunnel ids whose owner never came to be, or went without freeing them.</summary>
public static class Unowned
{
    public static readonly IReadOnlyList<Leftovers> All =
    [
        new("network-claims", async (s, ct) => [.. await Claims.Unowned(s.Store, "ip.", () => Addresses(s, ct), ct), .. await Claims.Unowned(s.Store, "mac.", () => Macs(s, ct), ct), .. await Claims.Unowned(s.Store, "vni", () => Vnis(s, ct), ct)]),
        Tables.Networks.Pointers, Tables.Subnets.Pointers, Tables.Ports.Pointers, Tables.Routers.Pointers, Tables.FloatingIps.Pointers, Tables.SecurityGroups.Pointers, Tables.Memberships.Pointers,
        Memberships.Orphans,
    ];

    private static async ValueTask<HashSet<(string, string, string)>> Addresses(Services s, CancellationToken ct)
    {
        var owned = new HashSet<(string, string, string)>();
        void Add(string subnet, string address, string owner) => owned.Add(("ip." + subnet, Keys.Safe(address), owner));
        foreach (var p in await Tables.Ports.Everywhere(s.Store, ct))
            foreach (var f in p.FixedIps.Concat(p.Leaving)) Add(f.SubnetId, f.IpAddress, p.Id);
        foreach (var g in (await Tables.Routers.Everywhere(s.Store, ct)).SelectMany(r => r.Leaving))
            foreach (var f in g.Ips) Add(f.SubnetId, f.IpAddress, g.PortId);
        foreach (var f in await Tables.FloatingIps.Everywhere(s.Store, ct)) Add(f.FromSubnet, f.FloatingIpAddress!, f.Id);
        foreach (var n in await Tables.Subnets.Everywhere(s.Store, ct))
            if (n.DhcpAddress is { } dhcp) Add(n.Id, dhcp, "dhcp:" + n.Id);
        return owned;
    }

    private static async ValueTask<HashSet<(string, string, string)>> Macs(Services s, CancellationToken ct) =>
        [.. (await Tables.Ports.Everywhere(s.Store, ct)).Select(p => ("mac." + p.NetworkId, p.MacAddress, p.Id)), .. (await Tables.Routers.Everywhere(s.Store, ct)).SelectMany(r => r.Leaving).Select(g => ("mac." + g.NetworkId, g.Mac, g.PortId))];

    private static async ValueTask<HashSet<(string, string, string)>> Vnis(Services s, CancellationToken ct) =>
        [.. (await Tables.Networks.Everywhere(s.Store, ct)).Where(n => n.Vni is not null).Select(n => ("vni", $"{n.Vni}", n.Id))];
}
