using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>Arithmetic of addresses; both families as unsigned numbers.</summary>
public static class Addresses
{
    /// <exception cref="Fault">400.</exception>
    public static IPAddress Parse(string? text, string what = "ip_address") =>
        // What .NET reads leniently (1.2, octal, scope ids) must not get in.
        text is { Length: <= 45 } && !text.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(text, out var a) && (a.AddressFamily == AddressFamily.InterNetworkV6 || a.ToString() == text) ? a
            : throw Fault.BadRequest($"Invalid input for {what}. Reason: '{(text?.Length > 60 ? text[..60] : text)}' is not a valid IP address.");

    /// <exception cref="Fault">400.</exception>
    public static IPNetwork ParseCidr(string? text, string what = "cidr") =>
        text is { Length: <= 49 } && text.Contains('/', StringComparison.Ordinal) && text.Split('/') is [var ip, var len] && int.TryParse(len, NumberStyles.None, CultureInfo.InvariantCulture, out var bits)
            && Parse(ip, what) is var a && bits <= (a.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) ? new IPNetwork(From(ToNumber(a) & Mask(a.AddressFamily, bits), a.AddressFamily), bits)
            : throw Fault.BadRequest($"Invalid input for {what}. Reason: '{(text?.Length > 60 ? text[..60] : text)}' is not a valid IP subnet.");

    public static UInt128 ToNumber(IPAddress a)
    {
        UInt128 n = 0;
        foreach (var b in a.GetAddressBytes()) n = (n << 8) | b;
        return n;
    }

    public static IPAddress From(UInt128 n, AddressFamily family)
    {
        Span<byte> bytes = stackalloc byte[family == AddressFamily.InterNetwork ? 4 : 16];
        for (var i = bytes.Length - 1; i >= 0; i--, n >>= 8) bytes[i] = (byte)n;
        return new(bytes);
    }

    public static (UInt128 First, UInt128 Last) Bounds(IPNetwork net)
    {
        var first = ToNumber(net.BaseAddress);
        var bits = (net.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) - net.PrefixLength;
        return (first, first + (bits == 128 ? UInt128.MaxValue : ((UInt128)1 << bits) - 1));
    }

    public static bool Overlap(IPNetwork a, IPNetwork b) => a.BaseAddress.AddressFamily == b.BaseAddress.AddressFamily && (a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress));

    private static UInt128 Mask(AddressFamily family, int bits)
    {
        var width = family == AddressFamily.InterNetwork ? 32 : 128;
        var all = width == 128 ? UInt128.MaxValue : ((UInt128)1 << 32) - 1;
        return bits == 0 ? 0 : all >> (width - bits) << (width - bits);
    }

    /// <summary>The address a guest gives itself from its MAC (EUI-64).</summary>
    public static string Slaac(IPNetwork net, string mac)
    {
        var m = mac.Split(':').Select(x => (UInt128)Convert.ToByte(x, 16)).ToArray();
        var host = ((m[0] ^ 2) << 56) | (m[1] << 48) | (m[2] << 40) | ((UInt128)0xfffe << 24) | (m[3] << 16) | (m[4] << 8) | m[5];
        return From(ToNumber(net.BaseAddress) | host, AddressFamily.InterNetworkV6).ToString();
    }

    // A free address of a wide subnet is found by trying; a narrow one, or one that is nearly full, is read as a whole.
    private const int Narrow = 1024, Tries = 32;

    /// <summary>Claims an address of a subnet: the wished one, or any that is free in its pools. A repeat finds what <paramref name="owner"/> has already, but for <paramref name="except"/>.</summary>
    /// <exception cref="Fault">409 when it is taken or none is left.</exception>
    public static async ValueTask<string> Claim(IEntityStore store, Subnet subnet, string owner, string? wished, IReadOnlyCollection<string>? except = null, CancellationToken ct = default)
    {
        var scope = "ip." + subnet.Id;
        var net = IPNetwork.Parse(subnet.Cidr);
        if (wished is not null)
        {
            var address = Parse(wished);
            if (!net.Contains(address)) throw new Fault(400, $"IP address {wished} is not a valid IP for the specified subnet.") { Kind = "InvalidIpForSubnet" };
            return await Claims.Take(store, scope, address.ToString(), owner, ct) ? address.ToString()
                : throw new Fault(409, $"IP address {wished} already allocated in subnet {subnet.Id}") { Kind = "IpAddressAlreadyAllocated" };
        }
        var pools = subnet.AllocationPools.Select(p => (First: ToNumber(IPAddress.Parse(p.Start)), Last: ToNumber(IPAddress.Parse(p.End)))).ToList();
        var not = (except ?? []).Append(subnet.GatewayIp).ToHashSet();
        string Text(UInt128 n) => From(n, net.BaseAddress.AddressFamily).ToString();
        if (pools.Aggregate((UInt128)0, (sum, p) => sum + p.Last - p.First + 1) is var size && size > Narrow)
        {
            var start = (UInt128)BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(owner))); // the same owner tries the same ones
            for (var i = 0; i < Tries; i++)
                if (Text(Nth(pools, (start + (UInt128)i) % size)) is var one && !not.Contains(one) && await Claims.Take(store, scope, one, owner, ct)) return one;
        }
        for (var attempt = 0; attempt < 10; attempt++)
        {
            var claims = await Claims.All(store, scope, ct);
            if (claims.FirstOrDefault(c => c.Owner == owner && !not.Contains(c.Key)).Key is { } own && await Claims.Take(store, scope, own, owner, ct)) return own;
            var taken = claims.Select(c => c.Key).Concat(not).ToHashSet();
            foreach (var (first, last) in pools)
                for (var n = first; n <= last; n++)
                    if (Text(n) is var free && taken.Add(free) && await Claims.Take(store, scope, free, owner, ct)) return free;
        }
        throw new Fault(409, $"No more IP addresses available on network {subnet.NetworkId}.") { Kind = "IpAddressGenerationFailure" };
    }

    private static UInt128 Nth(IEnumerable<(UInt128 First, UInt128 Last)> pools, UInt128 n)
    {
        foreach (var (first, last) in pools)
        {
            if (n <= last - first) return first + n;
            n -= last - first + 1;
        }
        throw new ArgumentOutOfRangeException(nameof(n));
    }

    public static ValueTask Free(IEntityStore store, string subnetId, string address, string owner) => Claims.Free(store, "ip." + subnetId, address, owner);
}
