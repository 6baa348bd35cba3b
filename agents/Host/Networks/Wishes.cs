using System.Text.Json;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Networks;

/// <summary>The ports, routers and networks that this host should have, in memory; the ledger has them on disk.</summary>
public sealed class Wishes(ISpecs specs)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, (string NetworkId, PortSpec Port)> ports = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RouterSpec> routers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NetworkSpec> networks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> zones = new(StringComparer.Ordinal);

    /// <summary>Reads them from disk. A network that only came with a port or router is taken from there.</summary>
    public void Load()
    {
        lock (gate)
        {
            foreach (var wish in specs.All<EnsureNetwork>())
                networks[wish.Network.NetworkId] = wish.Network;
            foreach (var wish in specs.All<EnsurePort>())
            {
                Newer(wish.Network);
                ports[wish.Port.PortId] = (wish.Network.NetworkId, wish.Port);
            }

            foreach (var router in specs.All<EnsureRouter>().Select(w => w.Router))
            {
                foreach (var network in NetworksOf(router))
                    Newer(network);
                routers[router.RouterId] = router;
            }

            var named = ports.Values.SelectMany(p => GroupSets.Named(p.Port)).ToHashSet(StringComparer.Ordinal);
            foreach (var group in specs.All<EnsureGroup>())
            {
                // One whose port is still to come is told anew after this start, for it isn't in the inventory.
                if (named.Contains(group.GroupId))
                    groups[group.GroupId] = group.Addresses;
                else
                    specs.Forget(group.Key);
            }
        }
    }

    public bool AnyPort
    {
        get
        {
            lock (gate)
                return ports.Count > 0;
        }
    }

    public IReadOnlyList<(NetworkSpec Network, PortSpec Port)> Ports
    {
        get
        {
            lock (gate)
                return [.. ports.Values.Select(p => (networks[p.NetworkId], p.Port))];
        }
    }

    public IReadOnlyList<RouterSpec> Routers
    {
        get
        {
            lock (gate)
                return [.. routers.Values];
        }
    }

    public IReadOnlyList<NetworkSpec> Networks
    {
        get
        {
            lock (gate)
                return [.. networks.Values];
        }
    }

    /// <summary>Addresses of a security group's members; none when nobody has said any.</summary>
    public IReadOnlyList<string> Members(string groupId)
    {
        lock (gate)
            return groups.GetValueOrDefault(groupId) ?? [];
    }

    public IReadOnlyList<string> Groups
    {
        get
        {
            lock (gate)
                return [.. groups.Keys];
        }
    }

    public string? NetworkOf(string portId)
    {
        lock (gate)
            return ports.TryGetValue(portId, out var port) ? port.NetworkId : null;
    }

    public NetworkSpec? Network(string networkId)
    {
        lock (gate)
            return networks.GetValueOrDefault(networkId);
    }

    public IReadOnlyList<PortSpec> PortsOf(string networkId)
    {
        lock (gate)
            return [.. ports.Values.Where(p => p.NetworkId == networkId).Select(p => p.Port).OrderBy(p => p.PortId, StringComparer.Ordinal)];
    }

    public bool IsUsed(string networkId)
    {
        lock (gate)
            return ports.Values.Any(p => p.NetworkId == networkId) || routers.Values.Any(r => NetworksOf(r).Any(n => n.NetworkId == networkId));
    }

    /// <returns>The network as it is known now.</returns>
    public NetworkSpec Put(NetworkSpec network, PortSpec port)
    {
        Put(network);
        lock (gate)
        {
            ports[port.PortId] = (network.NetworkId, port);
            return networks[network.NetworkId];
        }
    }

    /// <returns>The router with its networks as they are known now, and those of them that are others than they were.</returns>
    public (RouterSpec Router, IReadOnlyList<NetworkSpec> Changed) Put(RouterSpec router)
    {
        List<NetworkSpec> changed = [.. NetworksOf(router).Where(Put)];
        lock (gate)
        {
            router = router with
            {
                External = router.External is { } e ? e with { Network = networks[e.Network.NetworkId] } : null,
                Interfaces = [.. router.Interfaces.Select(i => i with { Network = networks[i.Network.NetworkId] })],
            };
            routers[router.RouterId] = router;
            return (router, changed);
        }
    }

    /// <summary>Only what is not older than what is known.</summary>
    /// <returns>Whether it is another now than it was.</returns>
    public bool Put(NetworkSpec network)
    {
        lock (gate)
        {
            if (!Newer(network))
                return false;
            specs.Put(new EnsureNetwork(network));
            return true;
        }
    }

    public void Put(EnsureGroup group)
    {
        lock (gate)
            groups[group.GroupId] = group.Addresses;
    }

    public void RemovePort(string portId)
    {
        lock (gate)
            ports.Remove(portId);
    }

    public void RemoveRouter(string routerId)
    {
        lock (gate)
            routers.Remove(routerId);
    }

    public void RemoveNetwork(string networkId)
    {
        lock (gate)
        {
            specs.Forget(new EnsureNetwork(new NetworkSpec(networkId, "", 0, null, 0, [], [])).Key);
            networks.Remove(networkId);
            zones.Remove(networkId);
        }
    }

    /// <summary>Number of a network in the table of connections, 1 to 65535; the same as long as it is here, and after a restart too unless two collide.</summary>
    public int Zone(string networkId)
    {
        lock (gate)
        {
            if (zones.TryGetValue(networkId, out var zone))
                return zone;
            zone = Convert.ToInt32(Names.Short(networkId)[..4], 16);
            while (zone == 0 || zones.ContainsValue(zone))
                zone = (zone + 1) & 0xffff;
            return zones[networkId] = zone;
        }
    }

    public static IEnumerable<NetworkSpec> NetworksOf(RouterSpec router) =>
        router.Interfaces.Select(i => i.Network).Concat(router.External is { } external ? [external.Network] : []);

    private bool Newer(NetworkSpec network)
    {
        if (networks.TryGetValue(network.NetworkId, out var known) && (known.Revision > network.Revision || Text(known) == Text(network)))
            return false;
        networks[network.NetworkId] = network;
        return true;
    }

    private static string Text(NetworkSpec network) => JsonSerializer.Serialize(new EnsureNetwork(network), ContractJson.Default.Command);
}
