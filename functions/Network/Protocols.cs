using Cloud.Platform.Rest;

namespace Cloud.Network;

/// <summary>IP protocols by name and number, as Neutron knows them.</summary>
public static class Protocols
{
    private static readonly Dictionary<string, int> Names = new()
    {
        ["icmp"] = 1, ["igmp"] = 2, ["ipip"] = 4, ["tcp"] = 6, ["egp"] = 8, ["udp"] = 17, ["dccp"] = 33, ["rsvp"] = 46, ["gre"] = 47, ["esp"] = 50, ["ah"] = 51, ["icmpv6"] = 58,
        ["ipv6-icmp"] = 58, ["ospf"] = 89, ["pgm"] = 113, ["vrrp"] = 112, ["sctp"] = 132, ["udplite"] = 136, ["ipv6-encap"] = 41, ["ipv6-route"] = 43, ["ipv6-frag"] = 44, ["ipv6-nonxt"] = 59, ["ipv6-opts"] = 60,
    };

    /// <summary>Protocols that only IPv6 has.</summary>
    public static bool IsIpv6(string name) => name == "icmpv6" || name.StartsWith("ipv6-", StringComparison.Ordinal);

    public static int? Number(string? name) => name is null or "any" ? null : Names.TryGetValue(name, out var n) ? n : int.Parse(name, null);

    /// <exception cref="Fault">400 for what is neither a known name nor 0..255.</exception>
    public static void Check(string? name)
    {
        if (name is null || name == "any" || Names.ContainsKey(name) || (int.TryParse(name, System.Globalization.NumberStyles.None, null, out var n) && n <= 255)) return;
        throw new Fault(400, $"Security group rule protocol {(name.Length > 40 ? name[..40] : name)} not supported.") { Kind = "SecurityGroupRuleInvalidProtocol" };
    }
}
