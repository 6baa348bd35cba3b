using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// What guests may send and receive. The kernel's bridges know no connections, so an inet chain, which bridged frames pass as well,
/// copies what the connection table knows into the mark, and chains of the bridge, a handful for each port, judge by it.
/// Each network is a zone of its own in that table: tenants may use the same addresses.
/// </summary>
public sealed class PortFilter(ITool tool, Marks marks, Wishes wishes, ILogger<PortFilter> log) : IDisposable
{
    /// <summary>Marks of a packet: an answer within a known connection, an error about one, or beyond understanding.</summary>
    internal const int Reply = 1, Related = 2, Invalid = 4;

    private readonly SemaphoreSlim gate = new(1, 1);

    /// <summary>There are tables that the change of one port can build on, unless somebody meddled.</summary>
    private bool built;

    /// <summary>Groups that have their sets in the table.</summary>
    private readonly HashSet<string> grouped = new(StringComparer.Ordinal);

    private Word Table => marks.Table;

    /// <summary>Before the port is plugged in, so that it is never without rules.</summary>
    /// <exception cref="HandlerFault">The rules can't be carried out; the port is closed then.</exception>
    public async Task Ensure(NetworkSpec network, PortSpec port, CancellationToken ct)
    {
        var (lines, fault) = Chains(network, port);
        using (await Enter(ct))
        {
            var fresh = GroupSets.Named(port).Except(grouped).ToList();
            var error = built ? await Nft.Try(tool, Sets(fresh).Add(Change(network, port.PortId, lines)), ct) : "";
            if (error is null)
                grouped.UnionWith(fresh);
            if (error is not null && !(built && await IsWhole(ct)))
                // Nothing to build on: this is the first port, or somebody flushed the rules.
                error = (await Rebuild(ct)).GetValueOrDefault(port.PortId);
            else if (error is not null)
                await Nft.Apply(tool, Change(network, port.PortId, PortChains.Closed(port.PortId)), ct);
            if (error is not null)
                fault ??= new HandlerFault($"nft refuses the rules of port {port.PortId}: {error.Trim()}", retry: false);
        }

        if (fault is not null)
            throw fault;
    }

    /// <summary>The group has other members. Ports that name it for the first time later find them in the wishes.</summary>
    public async Task EnsureGroup(string groupId, CancellationToken ct)
    {
        using (await Enter(ct))
            if (grouped.Contains(groupId) && await Nft.Try(tool, Sets([groupId]), ct) is not null)
                await Rebuild(ct);
    }

    /// <summary>Call when it is unplugged.</summary>
    public async Task Remove(string portId, CancellationToken ct)
    {
        // What is added first can always be deleted.
        var script = new Script().Add($"table bridge {Table} {{").Add(PortChains.Closed(portId)).Add($"}}");
        Elements(script, "add", portId);
        Elements(script, "delete", portId);
        foreach (var chain in PortChains.All)
            script.Add($"delete chain bridge {Table} {PortChains.Chain(chain, portId)}");
        using (await Enter(ct))
            if (!wishes.AnyPort || await Nft.Try(tool, script, ct) is not null)
                await Rebuild(ct);
    }

    /// <summary>Call when nobody is on the network any more.</summary>
    public async Task Forget(string networkId, CancellationToken ct)
    {
        var (bridge, zone) = (Names.Bridge(networkId), wishes.Zone(networkId));
        await Conntrack.ForgetZone(tool, zone, ct);
        using (await Enter(ct))
            if (wishes.AnyPort)
                await Nft.Try(tool, new Script().Add($"add element inet {Table} zones {{ {bridge} : {zone} }}").Add($"delete element inet {Table} zones {{ {bridge} : {zone} }}"), ct);
    }

    /// <summary>The whole rule set anew; none when there are no ports.</summary>
    public async Task Recover(CancellationToken ct)
    {
        using (await Enter(ct))
            await Rebuild(ct);
    }

    /// <summary>Builds everything anew when it is gone.</summary>
    public async Task Check(CancellationToken ct)
    {
        using (await Enter(ct))
        {
            if (!built || (await tool.Run("nft", ["list", "tables"], ct)).Split('\n').Count(l => l.EndsWith(' ' + Table.Text, StringComparison.Ordinal)) == 2)
                return;
            log.LogWarning("the rules of ports were flushed; they are built anew");
            await Rebuild(ct);
        }
    }

    public void Dispose() => gate.Dispose();

    private async Task<bool> IsWhole(CancellationToken ct) =>
        (await tool.Try("nft", ["list", "chain", "bridge", Table.Text, "forward"], ct)).ExitCode == 0
        && (await tool.Try("nft", ["list", "map", "inet", Table.Text, "zones"], ct)).ExitCode == 0;

    /// <returns>Ports that nft refuses the rules of, with its words; they are closed.</returns>
    private async Task<IReadOnlyDictionary<string, string>> Rebuild(CancellationToken ct)
    {
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        var ports = wishes.Ports;
        var groups = ports.SelectMany(p => GroupSets.Named(p.Port)).Distinct().ToList();
        grouped.Clear();
        var script = Fresh(ports.Count > 0).Add(Sets(groups));
        foreach (var (network, port) in ports)
            script.Add(Change(network, port.PortId, Chains(network, port).Lines));
        if (await Nft.Try(tool, script, ct) is { } error)
        {
            // One of them is at fault: the others have theirs, one by one.
            log.LogWarning("nft refuses the rules: {Error}", error);
            await Nft.Apply(tool, Fresh(ports.Count > 0).Add(Sets(groups)), ct);
            foreach (var (network, port) in ports)
            {
                if (await Nft.Try(tool, Change(network, port.PortId, Chains(network, port).Lines), ct) is not { } reason)
                    continue;
                refused[port.PortId] = reason;
                await Nft.Apply(tool, Change(network, port.PortId, PortChains.Closed(port.PortId)), ct);
            }
        }

        built = ports.Count > 0;
        grouped.UnionWith(groups);
        return refused;
    }

    /// <summary>Without what was there before; and with what ports build on, if there are any.</summary>
    private Script Fresh(bool any)
    {
        var script = new Script();
        foreach (var family in new Word[] { "inet", "bridge" })
            script.Add($"add table {family} {Table}").Add($"delete table {family} {Table}");
        if (any)
            Base(script);
        return script;
    }

    private static (Script Lines, HandlerFault? Fault) Chains(NetworkSpec network, PortSpec port)
    {
        try
        {
            return (PortChains.Of(port, DhcpServers.Address(network.NetworkId)), null);
        }
        catch (HandlerFault fault)
        {
            return (PortChains.Closed(port.PortId), fault);
        }
    }

    private Script Change(NetworkSpec network, string portId, Script chains)
    {
        var script = new Script();
        foreach (var chain in PortChains.All)
            script.Add($"add chain bridge {Table} {PortChains.Chain(chain, portId)}").Add($"flush chain bridge {Table} {PortChains.Chain(chain, portId)}");
        script.Add($"add element inet {Table} zones {{ {Names.Bridge(network.NetworkId)} : {wishes.Zone(network.NetworkId)} }}");
        script.Add($"table bridge {Table} {{").Add(chains).Add($"}}");
        Elements(script, "add", portId);
        return script;
    }

    private Script Sets(IEnumerable<string> groups)
    {
        var script = new Script();
        foreach (var group in groups)
            script.Add(Fill(group));
        return script;

        Script Fill(string group)
        {
            try
            {
                return GroupSets.Fill(Table, group, wishes.Members(group));
            }
            catch (HandlerFault fault)
            {
                // The ports that name it aren't to be without rules for that.
                log.LogError("members of group {Group}: {Message}; nobody is let in as one", group, fault.Message);
                return GroupSets.Fill(Table, group, []);
            }
        }
    }

    private void Elements(Script script, Word verb, string portId)
    {
        var tap = Names.Tap(portId);
        script.Add($"{verb} element bridge {Table} from {{ {tap} : goto {PortChains.Chain("from", portId)} }}");
        script.Add($"{verb} element bridge {Table} out {{ {tap} : jump {PortChains.Chain("out", portId)} }}");
        script.Add($"{verb} element bridge {Table} in {{ {tap} : goto {PortChains.Chain("in", portId)} }}");
    }

    private void Base(Script script) => script.Add($$"""
        table inet {{Table}} {
          map zones {
            typeof iifname : ct zone
          }
          chain zone {
            type filter hook prerouting priority raw; policy accept;
            ct zone set iifname map @zones
          }
          chain state {
            type filter hook prerouting priority mangle; policy accept;
            iifname != "csb*" return
            ct state invalid meta mark set {{Invalid}} return
            ct state related meta mark set {{Related}} return
            ct state established ct direction reply meta mark set {{Reply}}
          }
        }
        table bridge {{Table}} {
          map from {
            type ifname : verdict
          }
          map out {
            type ifname : verdict
          }
          map in {
            type ifname : verdict
          }
          chain prerouting {
            type filter hook prerouting priority filter; policy accept;
            iifname != "cs*" return
            meta mark set 0
            iifname vmap @from
          }
          chain forward {
            type filter hook forward priority 10; policy accept;
            iifname vmap @out
            oifname vmap @in
          }
          chain input {
            type filter hook input priority 10; policy accept;
            iifname "cs*" drop
          }
        }
        """);

    private async Task<IDisposable> Enter(CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        return new Leave(gate);
    }

    private sealed class Leave(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
