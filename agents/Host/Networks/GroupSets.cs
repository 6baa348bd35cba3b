using System.Net;
using System.Net.Sockets;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// Members of security groups as nft sets, one for each IP version, so that rules of many ports share one list. A set is there as soon
/// as a port's rules name its group: empty, as long as nobody has said who its members are.
/// </summary>
public static class GroupSets
{
    public static Word Name(string groupId, bool ipv6) => (ipv6 ? "g6-" : "g4-") + Names.Short(groupId);

    /// <summary>Groups that a port's rules name.</summary>
    public static IEnumerable<string> Named(PortSpec port) => port.Rules.Select(r => r.RemoteGroup).OfType<string>().Distinct();

    /// <summary>Makes both sets with exactly these members.</summary>
    /// <exception cref="HandlerFault">What should be an address isn't; trying again won't help.</exception>
    public static Script Fill(Word table, string groupId, IEnumerable<string> members)
    {
        var (script, addresses) = (new Script(), members.Select(Addresses.Parse).Distinct().ToLookup(a => a.AddressFamily == AddressFamily.InterNetworkV6));
        foreach (var six in (bool[])[false, true])
        {
            var set = Name(groupId, six);
            script.Add($"add set bridge {table} {set} {{ type {(Word)(six ? "ipv6_addr" : "ipv4_addr")}; }}").Add($"flush set bridge {table} {set}");
            if (addresses[six].Any())
                script.Add($"add element bridge {table} {set} {{ {addresses[six]} }}");
        }

        return script;
    }
}
