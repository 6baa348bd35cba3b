using System.Net;
using System.Net.Sockets;

namespace Cloud.Platform.Net;

/// <summary>Which addresses are the public internet. Everything else is ours, our host's, a neighbour's or nobody's.</summary>
/// <param name="opened">What an operator opens all the same: a mirror in the cloud's own network.</param>
public sealed class AddressGuard(IReadOnlyList<IPNetwork> opened)
{
    // IANA's special-purpose registries. Of IPv6 only 2000::/3 is in use; forms that hold an IPv4 address are refused whatever the address.
    private static readonly IPNetwork[] Internal4 =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(IPNetwork.Parse),
    ];
    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] Internal6 = [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48" }.Select(IPNetwork.Parse)];

    public bool Allows(IPAddress address)
    {
        // First of all: this runtime's IPNetwork of IPv6 compares a mapped address by the wrong bits (2000::/3 would hold ::ffff:10.0.0.1).
        if (address.IsIPv4MappedToIPv6 || (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0)) return false;
        foreach (var network in opened) if (network.Contains(address)) return true;
        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !Array.Exists(Internal4, n => n.Contains(address)),
            AddressFamily.InterNetworkV6 => Global6.Contains(address) && !Array.Exists(Internal6, n => n.Contains(address)),
            _ => false,
        };
    }
}
