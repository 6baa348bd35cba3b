using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// DHCP, DNS and metadata of a network, in a namespace that looks the same on every host and that only guests of this host reach.
/// </summary>
public sealed class DhcpServers(HostOptions options, ITool tool, Marks marks, Namespaces namespaces, MetadataListeners metadata)
{
    private static readonly (string, string)[] Settings =
    [
        ("net/ipv4/ip_forward", "0"), ("net/ipv4/conf/all/rp_filter", "0"), ("net/ipv4/conf/default/rp_filter", "0"),
        ("net/ipv6/conf/default/accept_ra", "0"), ("net/ipv6/conf/default/accept_dad", "0"),
    ];

    /// <summary>The MAC of every network's DHCP server is its own, and the same on all hosts.</summary>
    public static Mac Address(string networkId) => Mac.Of("dhcp/" + networkId);

    /// <summary>Makes the namespace and adds what joins it to the bridge.</summary>
    /// <returns>Whether it is new.</returns>
    public bool Plan(NetworkSpec network, IReadOnlyDictionary<string, Interface> present, Script batch)
    {
        var (ns, port) = (Names.DhcpNamespace(network.NetworkId), Names.DhcpPort(network.NetworkId));
        var fresh = namespaces.Ensure(ns, Settings);
        if (fresh && present.ContainsKey(port))
            batch.Add($"link del dev {port}");
        if (fresh || !present.ContainsKey(port))
            batch.Add($"link add {port} type veth peer name {Dnsmasq.Port} netns {namespaces.File(ns)}");
        Segments.Plug(port, network, marks.Alias(Marks.Network, network.NetworkId), batch);
        return fresh || !present.ContainsKey(port);
    }

    /// <summary>Sets up the inside, when <see cref="Plan"/> was carried out.</summary>
    public async Task Serve(NetworkSpec network, IReadOnlyList<PortSpec> ports, bool fresh, CancellationToken ct)
    {
        var name = Names.DhcpNamespace(network.NetworkId);
        var inside = namespaces.In(name);
        var (interfaces, routes) = fresh ? (new Dictionary<string, Interface>(), []) : await Ip.All(inside, ct);
        var addresses = network.Subnets.Where(s => s.DhcpAddress is not null)
            .Select(s => new InterfaceAddress(Addresses.Parse(s.DhcpAddress!), Addresses.ParsePrefix(s.Cidr).PrefixLength))
            .Append(new InterfaceAddress(DhcpFiles.Metadata, 32)).Append(new InterfaceAddress(DhcpFiles.Metadata6, 64)).ToList();
        var onLink = network.Subnets.Where(s => s.DhcpAddress is null).Select(s => new Route(Addresses.ParsePrefix(s.Cidr), null, Dnsmasq.Port)).ToList();
        var batch = new Script().Add($"link set dev lo up")
            .Add($"link set dev {Dnsmasq.Port} address {Address(network.NetworkId)} mtu {Segments.Mtu(network)} up")
            .Add(Addressing.Addresses(interfaces.GetValueOrDefault(Dnsmasq.Port), Dnsmasq.Port, addresses))
            .Add(Addressing.Routes(routes, onLink));
        await Ip.Apply(inside, batch, ct);

        if (fresh)
            await Server(network.NetworkId, inside).Remove(ct);
        await Tell(network, ports, ct, fresh);
    }

    /// <summary>Has the servers know who is on the network now.</summary>
    public async Task Tell(NetworkSpec network, IReadOnlyList<PortSpec> ports, CancellationToken ct, bool fresh = false)
    {
        // One that makes no sense is refused and closed; the others aren't to suffer from it.
        ports = [.. ports.Where(IsSound)];
        var name = Names.DhcpNamespace(network.NetworkId);
        var listening = metadata.Ensure(network.NetworkId, name, fresh, ports, ct);
        var dnsmasq = Server(network.NetworkId, namespaces.In(name));
        if (network.Subnets.Any(s => s.DhcpAddress is not null))
            await dnsmasq.Ensure(DhcpFiles.Configuration(network, dnsmasq), DhcpFiles.Hosts(network, ports), DhcpFiles.Names(network, ports), ct);
        else
            await dnsmasq.Remove(ct);
        await listening;
    }

    /// <summary>Adds what cuts the namespace off.</summary>
    public static void PlanRemoval(string networkId, IReadOnlyDictionary<string, Interface> present, Script batch)
    {
        if (present.ContainsKey(Names.DhcpPort(networkId)))
            batch.Add($"link del dev {Names.DhcpPort(networkId)}");
    }

    /// <summary>Ends what runs inside, when <see cref="PlanRemoval"/> was carried out.</summary>
    public async Task Remove(string networkId, CancellationToken ct)
    {
        var name = Names.DhcpNamespace(networkId);
        await metadata.Remove(networkId, ct);
        await Server(networkId, namespaces.In(name)).Remove(ct);
        namespaces.Remove(name);
    }

    /// <summary>Ends servers whose namespace isn't among these, and deletes their files.</summary>
    public async Task RemoveAllBut(IReadOnlySet<string> names, CancellationToken ct)
    {
        foreach (var folder in Directory.EnumerateDirectories(options.Networks, "cs*-*").Where(f => !names.Contains(Path.GetFileName(f))).ToList())
            await new Dnsmasq(folder, tool).Remove(ct);
    }

    private static bool IsSound(PortSpec port)
    {
        try
        {
            _ = Mac.Parse(port.Mac);
            foreach (var ip in port.FixedIps)
                _ = Addresses.Parse(ip.Address);
            return true;
        }
        catch (HandlerFault)
        {
            return false;
        }
    }

    private Dnsmasq Server(string networkId, ITool inside) => new(Path.Combine(options.Networks, Names.DhcpNamespace(networkId)), inside);
}
