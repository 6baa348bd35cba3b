using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cloud.Agents.Host.Linux;

/// <summary>An address of an interface with the length of its prefix.</summary>
public readonly record struct InterfaceAddress(IPAddress Address, int PrefixLength)
{
    public bool Is6 => Address.AddressFamily == AddressFamily.InterNetworkV6;

    public IPNetwork Network => Addresses.Network(Address, PrefixLength);
}

/// <summary>Addresses in commands are text. Only what parses strictly gets any further.</summary>
public static class Addresses
{
    /// <exception cref="HandlerFault">Neither four decimal numbers nor an IPv6 address.</exception>
    public static IPAddress Parse(string text) =>
        IPAddress.TryParse(text, out var address) && !text.Contains('%', StringComparison.Ordinal) && !text.Contains('[', StringComparison.Ordinal)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 ? !address.IsIPv4MappedToIPv6 : address.ToString() == text)
            ? address
            : throw new HandlerFault("an address is not valid", retry: false);

    /// <summary>An address with prefix length, e.g. 198.51.100.11/24.</summary>
    /// <exception cref="HandlerFault">It isn't.</exception>
    public static InterfaceAddress ParseInterface(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 1)
            throw new HandlerFault("an address has no prefix length", retry: false);
        var address = Parse(text[..slash]);
        return int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= Bits(address)
            ? new InterfaceAddress(address, length)
            : throw new HandlerFault("a prefix length is not valid", retry: false);
    }

    /// <summary>A prefix in CIDR form. Bits behind the prefix are taken as zero.</summary>
    /// <exception cref="HandlerFault">It isn't.</exception>
    public static IPNetwork ParsePrefix(string text) => ParseInterface(text).Network;

    public static bool Is6(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;

    public static bool Is6(this IPNetwork network) => network.BaseAddress.Is6();

    public static IPNetwork Single(IPAddress address) => new(address, Bits(address));

    public static IPNetwork Network(IPAddress address, int length)
    {
        var bits = Bits(address);
        var mask = length == 0 ? 0 : UInt128.MaxValue << (bits - length);
        return new IPNetwork(FromNumber(Number(address) & mask, address.Is6()), length);
    }

    /// <summary>First and last address as numbers.</summary>
    public static (UInt128 First, UInt128 Last) Range(this IPNetwork network)
    {
        var free = Bits(network.BaseAddress) - network.PrefixLength;
        var first = Number(network.BaseAddress);
        return (first, free == 128 ? UInt128.MaxValue : first | ((UInt128.One << free) - 1));
    }

    /// <summary>The same set of addresses without doubles and without prefixes that lie in others: nft takes no overlaps.</summary>
    public static IReadOnlyList<IPNetwork> Merge(IEnumerable<IPNetwork> networks)
    {
        var merged = new List<IPNetwork>();
        foreach (var network in networks.OrderBy(n => n.Range().First).ThenBy(n => n.PrefixLength))
            if (merged.Count == 0 || merged[^1].Range().Last < network.Range().First)
                merged.Add(network);
        return merged;
    }

    private static int Bits(IPAddress address) => address.Is6() ? 128 : 32;

    private static UInt128 Number(IPAddress address)
    {
        UInt128 number = 0;
        foreach (var b in address.GetAddressBytes())
            number = number << 8 | b;
        return number;
    }

    private static IPAddress FromNumber(UInt128 number, bool six)
    {
        var bytes = new byte[six ? 16 : 4];
        for (var i = bytes.Length - 1; i >= 0; i--, number >>= 8)
            bytes[i] = (byte)number;
        return new IPAddress(bytes);
    }
}
