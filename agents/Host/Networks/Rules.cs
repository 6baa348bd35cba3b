using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// Security rules as lines of an nft chain. A rule lets through what begins a connection, and its mirror image the answers:
/// who takes a rule away cuts what ran under it.
/// </summary>
public static class Rules
{
    private const int Icmp = 1, Tcp = 6, Udp = 17, Dccp = 33, Icmp6 = 58, Sctp = 132, UdpLite = 136;

    /// <param name="ingress">Which of the rules.</param>
    /// <param name="answers">Lines for answers to what the rules let through, which go the other way.</param>
    /// <param name="verdict">accept or return.</param>
    /// <exception cref="HandlerFault">A rule makes no sense; trying again won't help.</exception>
    public static Script Compile(IEnumerable<RuleSpec> rules, bool ingress, bool answers, Word verdict)
    {
        var script = new Script();
        foreach (var rule in rules.Where(r => r.Ingress == ingress && r.Remotes is not { Length: 0 }))
        {
            var line = new Script().Part($"meta protocol {Family(rule)} ");
            if (Protocol(rule) is { } protocol)
            {
                line.Part($"meta l4proto {protocol} ");
                Ports(line, rule, protocol, answers);
            }
            else if (rule.PortMin is not null || rule.PortMax is not null)
                throw Nonsense("a rule has ports and no protocol");
            Remotes(line, rule, towardsGuest: ingress != answers);
            script.Add(line.Add($"{verdict}"));
        }

        return script;
    }

    private static Word Family(RuleSpec rule) => rule.Ipv6 ? "ip6" : "ip";

    /// <summary>Who says icmp of IPv6 means ICMPv6, as Neutron has it.</summary>
    private static int? Protocol(RuleSpec rule) => rule.Protocol switch
    {
        null => null,
        Icmp when rule.Ipv6 => Icmp6,
        >= 0 and <= 255 => rule.Protocol,
        _ => throw Nonsense("a rule has a protocol number that doesn't exist"),
    };

    private static void Ports(Script line, RuleSpec rule, int protocol, bool answers)
    {
        if (protocol is Icmp or Icmp6)
        {
            // The connection table knows which answer belongs to which question.
            if (!answers)
                IcmpType(line, rule, protocol == Icmp ? "icmp" : "icmpv6");
        }
        else if (protocol is Tcp or Udp or Dccp or Sctp or UdpLite)
            PortRange(line, rule, answers ? "sport" : "dport");
        else if (rule.PortMin is not null || rule.PortMax is not null)
            throw Nonsense($"a rule has ports, and its protocol {protocol} has none");
    }

    private static void IcmpType(Script line, RuleSpec rule, Word header)
    {
        if (rule.PortMin is < 0 or > 255 || rule.PortMax is < 0 or > 255 || (rule.PortMin is null && rule.PortMax is not null))
            throw Nonsense("a rule has an ICMP type or code that doesn't exist");
        if (rule.PortMin is { } type)
            line.Part($"{header} type {type} ");
        if (rule.PortMax is { } code)
            line.Part($"{header} code {code} ");
    }

    private static void PortRange(Script line, RuleSpec rule, Word which)
    {
        var (min, max) = (rule.PortMin ?? rule.PortMax, rule.PortMax ?? rule.PortMin);
        if (min is < 0 or > 65535 || max is < 0 or > 65535 || min > max)
            throw Nonsense("a rule has a port range that doesn't exist");
        if (min is { } first && max is { } last)
            line.Part($"th {which} {first}-{last} ");
    }

    private static void Remotes(Script line, RuleSpec rule, bool towardsGuest)
    {
        Word side = towardsGuest ? "saddr" : "daddr";
        if (rule.RemoteGroup is { } group)
            line.Part($"{Family(rule)} {side} @{GroupSets.Name(group, rule.Ipv6)} ");
        if (rule.Remotes is null)
            return;
        var remotes = Addresses.Merge(rule.Remotes.Select(Addresses.ParsePrefix));
        if (remotes.Any(r => r.Is6() != rule.Ipv6))
            throw Nonsense("a rule has a remote prefix of the other IP version");
        if (remotes[0].PrefixLength > 0)
            line.Part($"{Family(rule)} {side} {{ {remotes} }} ");
    }

    private static HandlerFault Nonsense(string message) => new(message, retry: false);
}
