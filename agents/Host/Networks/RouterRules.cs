using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>Address translation and protection of a router, as one nft transaction.</summary>
public static class RouterRules
{
    public const string Table = "cs", FloatingMap = "floating";
    private const int Hairpin = 1;

    public static Script Of(RouterSpec router)
    {
        var script = new Script();
        foreach (var family in new Word[] { "inet", "ip" })
            script.Add($"add table {family} {Table}").Add($"delete table {family} {Table}");
        // Nothing listens here but what IPv6 routers must.
        script.Add($$"""
            table inet {{Table}} {
              chain input {
                type filter hook input priority filter; policy drop;
                ct state established,related accept
                meta l4proto { icmp, ipv6-icmp } accept
              }
            }
            """);
        if (router.External is { } external)
            Translate(script, router, external);
        return script;
    }

    /// <summary>Floating address to fixed address.</summary>
    public static IReadOnlyDictionary<IPAddress, IPAddress> Floating(RouterSpec router) =>
        router.FloatingIps.DistinctBy(f => f.Address).ToDictionary(f => Addresses.Parse(f.Address), f => Addresses.Parse(f.FixedAddress));

    private static void Translate(Script script, RouterSpec router, ExternalSpec external)
    {
        var device = Names.RouterPort(external.PortId);
        var own = external.Addresses.Select(Addresses.ParseInterface).FirstOrDefault(a => !a.Is6).Address;
        script.Add($"table ip {Table} {{");
        Map(script, FloatingMap, Floating(router));
        Map(script, "fixed", Floating(router).DistinctBy(f => f.Value).ToDictionary(f => f.Value, f => f.Key));
        script.Add($"chain prerouting {{\ntype nat hook prerouting priority dstnat; policy accept;");
        if (router.FloatingIps.Length > 0)
            script.Add($"iifname != \"{device}\" ip daddr {{ {Floating(router).Keys} }} meta mark set {Hairpin}");
        script.Add($"dnat to ip daddr map @{FloatingMap}\n}}");
        script.Add($"chain postrouting {{\ntype nat hook postrouting priority srcnat; policy accept;");
        // A guest that meets another by its floating address must look as if from outside, or the answer would go past us.
        script.Add($"meta mark {Hairpin} snat to ip saddr map @fixed");
        if (own is not null)
            script.Add($"meta mark {Hairpin} snat to {own}");
        script.Add($"oifname \"{device}\" snat to ip saddr map @fixed");
        if (own is not null && external.Snat)
            script.Add($"oifname \"{device}\" snat to {own}");
        script.Add($"}}\n}}");
    }

    private static void Map(Script script, Word name, IReadOnlyDictionary<IPAddress, IPAddress> pairs)
    {
        script.Add($"map {name} {{\ntype ipv4_addr : ipv4_addr");
        if (pairs.Count > 0)
        {
            script.Part($"elements = {{ ");
            foreach (var (from, to) in pairs)
                script.Part($"{from} : {to}, ");
            script.Add($"}}");
        }

        script.Add($"}}");
    }
}
