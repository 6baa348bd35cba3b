using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// The layer 2 of networks on this host: a bridge each, and what joins it to other hosts (a VXLAN tunnel) or to an operator's
/// bridge (a veth pair). Bridges have no address and hand their frames to the rules of <see cref="PortFilter"/>.
/// </summary>
public sealed class Segments(HostOptions options, ITool tool, Marks marks)
{
    private const int VxlanPort = 4789, Ipv6MinimumMtu = 1280;

    /// <summary>Adds what brings bridge and joint about, whatever is <paramref name="present"/>.</summary>
    /// <param name="filtered">There are ports with rules. Without, frames are spared the host's own firewall.</param>
    public void Plan(NetworkSpec network, bool filtered, IReadOnlyDictionary<string, Interface> present, Script batch)
    {
        var (bridge, alias) = (Names.Bridge(network.NetworkId), marks.Alias(Marks.Network, network.NetworkId));
        if (present.GetValueOrDefault(bridge)?.Kind is var kind and not "bridge")
        {
            if (kind is not null)
                batch.Add($"link del dev {bridge}");
            batch.Add($"link add {bridge} type bridge");
        }

        var call = filtered ? 1 : 0;
        batch.Add($"link set dev {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0 nf_call_iptables {call} nf_call_ip6tables {call} nf_call_arptables 0");
        Up(batch, bridge, network, alias);
        if (network.Physical is not null)
            JoinProvider(network, present, alias, batch);
        else
            JoinTunnel(network, Peers(network), present, alias, batch);
    }

    /// <summary>Says where the tunnel leads, when <see cref="Plan"/> was carried out.</summary>
    public async Task Flood(NetworkSpec network, CancellationToken ct)
    {
        var (vxlan, peers) = (Names.Vxlan(network.NetworkId), Peers(network));
        if (peers.Count == 0)
            return;
        var present = await Ip.FloodTargets(tool, vxlan, ct);
        var batch = new Script();
        foreach (var gone in present.Except(peers))
            batch.Add($"fdb del 00:00:00:00:00:00 dev {vxlan} dst {gone}");
        foreach (var peer in peers.Except(present))
            batch.Add($"fdb append 00:00:00:00:00:00 dev {vxlan} dst {peer}");
        await Ip.ApplyBridge(tool, batch, ct);
    }

    /// <summary>Adds what removes a network's interfaces.</summary>
    public static void PlanRemoval(string networkId, IReadOnlyDictionary<string, Interface> present, Script batch)
    {
        foreach (var name in new[] { Names.Vxlan(networkId), Names.Uplink(networkId), Names.Bridge(networkId) })
            if (present.ContainsKey(name))
                batch.Add($"link del dev {name}");
    }

    /// <summary>Adds what switches an interface on that itself has no addresses.</summary>
    public static void Up(Script batch, Word name, NetworkSpec network, Word alias, Word? master = null, bool up = true)
    {
        batch.Add($"link set dev {name} mtu {Mtu(network)} alias {alias}");
        // Below this the kernel knows no IPv6 on it, nor how to switch it off.
        if (Mtu(network) >= Ipv6MinimumMtu)
            batch.Add($"link set dev {name} addrgenmode none");
        if (master is { } bridge)
            batch.Add($"link set dev {name} master {bridge}");
        batch.Add($"link set dev {name} {(Word)(up ? "up" : "down")}");
    }

    public static int Mtu(NetworkSpec network) =>
        network.Mtu is >= 68 and <= 65535 ? network.Mtu : throw new HandlerFault($"network {network.NetworkId} has no MTU", retry: false);

    /// <summary>Tunnel addresses of the other hosts; none for a provider network.</summary>
    private List<string> Peers(NetworkSpec network) =>
        network.Physical is not null || options.TunnelAddress.Length == 0 ? []
            : [.. network.Peers.Select(p => Addresses.Parse(p).ToString()).Where(p => p != options.TunnelAddress).Distinct(StringComparer.Ordinal)];

    private void JoinProvider(NetworkSpec network, IReadOnlyDictionary<string, Interface> present, Word alias, Script batch)
    {
        if (!options.Physical.TryGetValue(network.Physical!, out var theirs))
            throw new HandlerFault($"this host has no provider network {network.Physical}", retry: false);
        if (present.GetValueOrDefault(theirs)?.Kind != "bridge")
            throw new HandlerFault($"the bridge {theirs} of provider network {network.Physical} is not there", retry: true);
        var (uplink, peer) = (Names.Uplink(network.NetworkId), Names.UplinkPeer(network.NetworkId));
        if (!present.ContainsKey(uplink))
            batch.Add($"link add {uplink} type veth peer name {peer}");
        Up(batch, peer, network, alias, theirs);
        Plug(uplink, network, alias, batch);
    }

    private void JoinTunnel(NetworkSpec network, List<string> peers, IReadOnlyDictionary<string, Interface> present, Word alias, Script batch)
    {
        var vxlan = Names.Vxlan(network.NetworkId);
        var found = present.GetValueOrDefault(vxlan);
        var fits = found?.Info?.Data is { } data && data.TryGetProperty("id", out var id) && id.GetInt32() == network.Vni
            && data.TryGetProperty(options.TunnelAddress.Contains(':', StringComparison.Ordinal) ? "local6" : "local", out var local) && local.GetString() == options.TunnelAddress;
        if (found is not null && (!fits || peers.Count == 0))
            batch.Add($"link del dev {vxlan}");
        if (peers.Count == 0)
            return;
        if (network.Vni is < 1 or > 0xffffff)
            throw new HandlerFault($"network {network.NetworkId} has no VXLAN id", retry: false);
        if (!fits)
            batch.Add($"link add {vxlan} type vxlan id {network.Vni} dstport {VxlanPort} local {Addresses.Parse(options.TunnelAddress)} ttl 64 learning");
        Plug(vxlan, network, alias, batch);
    }

    /// <summary>Isolated ports don't hear each other: what DHCP says stays on this host.</summary>
    public static void Plug(string port, NetworkSpec network, Word alias, Script batch)
    {
        Up(batch, port, network, alias, Names.Bridge(network.NetworkId));
        batch.Add($"link set dev {port} type bridge_slave isolated on");
    }
}
