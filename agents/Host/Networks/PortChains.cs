using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// The chains of one port. <c>from</c>: may the guest speak under this address; <c>out</c>: may it say this;
/// <c>in</c>: may this be said to it. Marks tell what the connection table knows, see <see cref="PortFilter"/>.
/// </summary>
public static class PortChains
{
    public static readonly string[] All = ["from", "out", "reply-out", "in", "reply-in"];

    public static Word Chain(string which, string portId) => $"{which}-{Names.Short(portId)}";

    /// <summary>Nothing passes.</summary>
    public static Script Closed(string portId) => Chains(portId, new Script().Add($"drop"), new Script().Add($"drop"), new Script(), new Script().Add($"drop"), new Script());

    /// <exception cref="HandlerFault">The port's addresses or rules make no sense.</exception>
    public static Script Of(PortSpec port, Mac dhcp)
    {
        if (!port.AdminUp)
            return Closed(port.PortId);
        if (!port.PortSecurity)
            return Chains(port.PortId, new Script().Add($"accept"), new Script().Add($"return"), new Script(), new Script().Add($"accept"), new Script());
        return Chains(port.PortId, From(port, dhcp), Out(port), Rules.Compile(port.Rules, ingress: true, answers: true, "return").Add($"drop"),
            In(port), Rules.Compile(port.Rules, ingress: false, answers: true, "accept").Add($"drop"));
    }

    private static Script Chains(string portId, Script from, Script @out, Script replyOut, Script @in, Script replyIn)
    {
        var script = new Script();
        foreach (var (which, lines) in All.Zip([from, @out, replyOut, @in, replyIn]))
            script.Add($"chain {Chain(which, portId)} {{").Add(lines).Add($"}}");
        return script;
    }

    /// <summary>Before the bridge learns anything of the frame.</summary>
    private static Script From(PortSpec port, Mac dhcp)
    {
        var stations = Stations(port);
        var script = new Script()
            .Add($"ether saddr != {{ {stations.Select(s => s.Mac)} }} drop")
            .Add($"ether type 0x8035 accept")
            .Add($"ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept")
            .Add($"ip6 saddr :: icmpv6 type {{ 131, 132, 133, 135, 143 }} accept");
        foreach (var (mac, addresses) in stations)
        {
            var (four, six) = (Addresses.Merge(addresses.Where(a => !a.Is6())), Addresses.Merge(addresses.Where(a => a.Is6()).Append(Addresses.Single(mac.LinkLocal))));
            if (four.Count > 0)
            {
                script.Add($"ether type arp ether saddr {mac} arp saddr ether {mac} arp saddr ip {{ {four} }} accept");
                // Asking whether an address is taken is done from no address, and only for one's own.
                script.Add($"ether type arp ether saddr {mac} arp saddr ether {mac} arp saddr ip 0.0.0.0 arp daddr ip {{ {four} }} accept");
                // Metadata is answered on the guest's own host, whichever way the guest would go there.
                script.Add($"ether type ip ether saddr {mac} ip saddr {{ {four} }} ip daddr {DhcpFiles.Metadata} tcp dport 80 ether daddr set {dhcp} accept");
                script.Add($"ether type ip ether saddr {mac} ip saddr {{ {four} }} accept");
            }

            script.Add($"ether type ip6 ether saddr {mac} ip6 saddr {{ {six} }} accept");
        }

        return script.Add($"drop");
    }

    private static Script Out(PortSpec port)
    {
        var script = new Script()
            .Add($"ether type {{ arp, 0x8035 }} return")
            // Servers and routers are ours alone.
            .Add($"meta protocol ip udp dport 68 drop")
            .Add($"meta protocol ip6 udp dport 546 drop")
            .Add($"icmpv6 type {{ 134, 137 }} drop");
        // Neighbour discovery speaks of the port's own addresses only.
        Targets(script.Part($"icmpv6 type 136 "), port);
        Targets(script.Part($"ip6 saddr :: icmpv6 type 135 "), port);
        return script
            .Add($"icmpv6 type {{ 131, 132, 133, 135, 136, 143 }} return")
            .Add($"meta protocol ip udp sport 68 udp dport 67 return")
            .Add($"meta protocol ip6 udp sport 546 udp dport 547 return")
            .Add($"ip daddr {DhcpFiles.Metadata} tcp dport 80 return")
            .Add($"ip6 daddr {DhcpFiles.Metadata6} tcp dport 80 return")
            .Add($"meta mark {PortFilter.Invalid} drop")
            .Add($"meta mark {PortFilter.Related} return")
            .Add($"meta mark {PortFilter.Reply} goto {Chain("reply-out", port.PortId)}")
            .Add(Rules.Compile(port.Rules, ingress: false, answers: false, "return"))
            .Add($"drop");
    }

    /// <summary>nft 1.0.6 has no name for the target address; it stands 8 bytes into the message.</summary>
    private static void Targets(Script script, PortSpec port)
    {
        var own = Stations(port).SelectMany(s => s.Addresses.Where(a => a.Is6()).Append(Addresses.Single(s.Mac.LinkLocal)));
        script.Part($"@th,64,128 != {{ ");
        foreach (var (first, last) in Addresses.Merge(own).Select(t => t.Range()))
            _ = first == last ? script.Part($"{first}, ") : script.Part($"{first}-{last}, ");
        script.Add($"}} drop");
    }

    private static Script In(PortSpec port) => new Script()
        .Add($"ether type {{ arp, 0x8035 }} accept")
        .Add($"icmpv6 type {{ 130, 134, 135, 136 }} accept")
        .Add($"meta protocol ip udp sport 67 udp dport 68 accept")
        .Add($"meta protocol ip6 udp sport 547 udp dport 546 accept")
        .Add($"ip saddr {DhcpFiles.Metadata} tcp sport 80 meta mark {PortFilter.Reply} accept")
        .Add($"ip6 saddr {DhcpFiles.Metadata6} tcp sport 80 meta mark {PortFilter.Reply} accept")
        .Add($"meta mark {PortFilter.Invalid} drop")
        .Add($"meta mark {PortFilter.Related} accept")
        .Add($"meta mark {PortFilter.Reply} goto {Chain("reply-in", port.PortId)}")
        .Add(Rules.Compile(port.Rules, ingress: true, answers: false, "accept"))
        .Add($"drop");

    /// <summary>Under which MAC the port may use which addresses.</summary>
    private static List<(Mac Mac, List<IPNetwork> Addresses)> Stations(PortSpec port)
    {
        var own = Mac.Parse(port.Mac);
        var pairs = port.FixedIps.Select(f => (Mac: own, Prefix: Addresses.Single(Addresses.Parse(f.Address))))
            .Concat(port.AllowedPairs.Select(p => (Mac: p.Mac is null ? own : Mac.Parse(p.Mac), Prefix: Addresses.ParsePrefix(p.Cidr))));
        return [.. pairs.GroupBy(p => p.Mac).Select(g => (g.Key, g.Select(p => p.Prefix).ToList())).Append((own, [])).DistinctBy(s => s.Item1)];
    }

}
