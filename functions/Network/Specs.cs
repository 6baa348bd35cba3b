using System.Net;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Sagas;

namespace Cloud.Network;

/// <summary>From rows to what hosts are told.</summary>
public static class Specs
{
    public static async ValueTask<NetworkSpec> Of(Services s, Network n)
    {
        var subnets = await Tables.SubnetsOf(s.Store, n);
        var peers = new List<string>();
        if (n.Physical is null && await Hosts.AreSeveral(s))
            foreach (var name in await HostsOf(s, n))
                if (await Hosts.Get(s, name) is { Capacity.TunnelAddress: { Length: > 0 } address }) peers.Add(address);
        return new(n.Id, n.ProjectId, n.Physical is null ? n.Vni ?? 0 : 0, n.Physical, n.Mtu,
            [.. subnets.Select(x => new SubnetSpec(x.Id, x.Cidr, x.GatewayIp, x.EnableDhcp ? x.DhcpAddress : null, x.DnsNameservers, [.. x.HostRoutes.Select(r => new RouteSpec(r.Destination, r.Nexthop))], x.Ipv6AddressMode ?? x.Ipv6RaMode))], [.. peers.Order(StringComparer.Ordinal)], n.Revision);
    }

    /// <summary>Hosts that hold something of a network: a guest's port, or a router that is on it.</summary>
    public static async ValueTask<IReadOnlySet<string>> HostsOf(Services s, Network n)
    {
        var ports = await Tables.PortsOf(s.Store, n);
        var hosts = ports.Select(p => p.Host).ToHashSet();
        foreach (var p in ports.Where(p => p.DeviceOwner == Routers.InterfaceOwner))
            if ((await Tables.Routers.Find(s.Store, p.DeviceId, p.ProjectId))?.Item is { } router) hosts.Add(router.Host);
        hosts.Remove("");
        return hosts;
    }

    /// <summary>What is the same for many ports, read once for all their commands.</summary>
    public sealed class Batch
    {
        private readonly Dictionary<string, object?> _read = [];

        public async ValueTask<T> Once<T>(string key, Func<ValueTask<T>> read)
        {
            if (!_read.TryGetValue(key, out var value)) _read[key] = value = await read();
            return (T)value!;
        }

        public ValueTask<IReadOnlyList<Port>> Ports(Services s, string project) => Once("ports/" + project, () => Tables.Ports.InProject(s.Store, project));

        public ValueTask<IReadOnlyList<SecurityGroup>> Groups(Services s, string project) => Once("groups/" + project, () => Tables.SecurityGroups.InProject(s.Store, project));

        /// <summary>Those for hosts that are there: one that is away is told when it comes back.</summary>
        public async ValueTask<IReadOnlyList<HostCommand>> Up(Services s, IEnumerable<HostCommand> commands)
        {
            var up = new List<HostCommand>();
            foreach (var c in commands)
                if (!await Once("down/" + c.Host, () => Hosts.IsDown(s, c.Host))) up.Add(c);
            return up;
        }

        /// <summary>Null when the port's network is gone.</summary>
        public ValueTask<NetworkSpec?> Network(Services s, Port p) =>
            Once<NetworkSpec?>("network/" + p.NetworkId, async () => await Tables.Networks.Find(s.Store, p.NetworkId, p.ProjectId) is { } n ? await Of(s, n.Item) : null);
    }

    public static async ValueTask<HostCommand> Ensure(Services s, Port p, Batch? batch = null)
    {
        batch ??= new();
        var groups = await Groups(s, p, batch);
        var spec = new PortSpec(p.Id, p.DeviceOwner.StartsWith("compute:", StringComparison.Ordinal) ? p.DeviceId : null, p.ProjectId, p.MacAddress,
            [.. p.FixedIps.Select(f => new FixedIp(f.SubnetId, f.IpAddress))], p.PortSecurityEnabled,
            [.. p.AllowedAddressPairs.Select(a => new AddressPair(a.MacAddress, a.IpAddress.Contains('/', StringComparison.Ordinal) ? a.IpAddress : a.IpAddress + (a.IpAddress.Contains(':', StringComparison.Ordinal) ? "/128" : "/32")))],
            Rules(groups), p.DnsName is { Length: > 0 } dns ? dns : null, p.AdminStateUp);
        return new(p.Host, new EnsurePort((await batch.Network(s, p))!, spec), Fence(p, groups));
    }

    public static HostCommand Remove(Port p) => new(p.Host, new RemovePort(p.Id), p.Revision * Scale + Scale - 1);

    // What a port's rules say depends on its groups as well. Their revisions only grow, so the sum orders all that is said of one revision of the port.
    private const long Scale = 1_000_000;
    private static long Fence(Port p, IReadOnlyList<SecurityGroup> groups) => p.Revision * Scale + Math.Min(groups.Sum(g => g.RulesAt ?? g.Revision), Scale - 2);

    private static async ValueTask<IReadOnlyList<SecurityGroup>> Groups(Services s, Port p, Batch batch)
    {
        var groups = new List<SecurityGroup>();
        foreach (var id in p.SecurityGroups)
            if (await batch.Once($"group/{p.ProjectId}/{id}", async () => (await Tables.SecurityGroups.Get(s.Store, p.ProjectId, id))?.Item) is { } g) groups.Add(g);
        return groups;
    }

    private static RuleSpec[] Rules(IEnumerable<SecurityGroup> groups) =>
        [.. groups.SelectMany(g => g.Rules).Select(r => new RuleSpec(r.Direction == "ingress", r.Ethertype == "IPv6", Protocols.Number(r.Protocol), r.PortRangeMin, r.PortRangeMax, r.RemoteIpPrefix is { } prefix ? [prefix] : null, r.RemoteGroupId))];

    /// <summary>Who the members of these groups are, for each host that has ports whose rules name them.</summary>
    /// <param name="only">For this host alone.</param>
    public static async ValueTask<IReadOnlyList<HostCommand>> Members(Services s, string project, IEnumerable<string> groups, Batch batch, string? only = null)
    {
        // Revisions are read before members: what is told under one is never older than it.
        var all = await batch.Groups(s, project);
        var memberships = (await Tables.Memberships.InProject(s.Store, project)).ToDictionary(m => m.Id, m => m.Revision);
        var ports = await batch.Ports(s, project);
        var commands = new List<HostCommand>();
        foreach (var group in all.Where(g => groups.Contains(g.Id)))
        {
            var naming = all.Where(g => g.Names(group.Id)).Select(g => g.Id).ToHashSet();
            var hosts = ports.Where(p => Ports.Plugged(p) && !p.Doomed && (only is null || p.Host == only) && p.SecurityGroups.Any(naming.Contains)).Select(p => p.Host).Distinct().ToList();
            if (hosts.Count == 0) continue;
            string[] members = [.. ports.Where(p => p.SecurityGroups.Contains(group.Id)).SelectMany(p => p.FixedIps).Select(f => f.IpAddress).Distinct().Order(StringComparer.Ordinal)];
            commands.AddRange(hosts.Select(h => new HostCommand(h, new EnsureGroup(group.Id, members), group.Revision + memberships.GetValueOrDefault(group.Id))));
        }
        return commands;
    }

    public static async ValueTask<HostCommand> Ensure(Services s, Router r)
    {
        var ports = await Tables.Ports.InProject(s.Store, r.ProjectId);
        var interfaces = new List<RouterInterface>();
        foreach (var p in ports.Where(p => p.DeviceId == r.Id && p.DeviceOwner == Routers.InterfaceOwner))
        {
            var network = (await Tables.Networks.Find(s.Store, p.NetworkId, p.ProjectId))!.Item;
            interfaces.Add(new(await Of(s, network), p.Id, p.MacAddress, await WithPrefix(s, network, p.FixedIps)));
        }
        ExternalSpec? external = null;
        if (r.Gateway is { } g)
        {
            var network = (await Tables.Networks.Find(s.Store, g.NetworkId))!.Item;
            var gateways = (await Tables.SubnetsOf(s.Store, network)).Where(x => x.GatewayIp is not null && g.Ips.Any(i => i.SubnetId == x.Id)).Select(x => x.GatewayIp!);
            if (g.Ips.Length > 0) external = new(await Of(s, network), g.PortId, g.Mac, await WithPrefix(s, network, g.Ips), [.. gateways], g.EnableSnat);
        }
        var floating = (await Tables.FloatingIps.InProject(s.Store, r.ProjectId)).Where(f => f.RouterId == r.Id && f.FixedIpAddress is not null && !f.Doomed);
        return new(r.Host, new EnsureRouter(new(r.Id, r.ProjectId, r.AdminStateUp, external, [.. interfaces],
            [.. r.Routes.Select(x => new RouteSpec(x.Destination, x.Nexthop))], [.. floating.Select(f => new FloatingIpSpec(f.Id, f.FloatingIpAddress!, f.FixedIpAddress!))])), r.Revision);
    }

    /// <summary>Ports a host should have, what their networks are like now, and who is in the groups that their rules name.</summary>
    public static async ValueTask<IReadOnlyList<HostCommand>> PortsOn(Services s, string host)
    {
        var (commands, members, batch) = (new List<HostCommand>(), new List<HostCommand>(), new Batch());
        foreach (var p in await Tables.Ports.Everywhere(s.Store))
            if (p.Host == host && !p.Doomed && Ports.Plugged(p)) commands.Add(await Ensure(s, p, batch));
        foreach (var project in commands.Select(c => ((EnsurePort)c.Command).Port.ProjectId).Distinct())
            members.AddRange(await Members(s, project, (await batch.Groups(s, project)).SelectMany(g => g.Rules).Select(r => r.RemoteGroupId).OfType<string>().ToHashSet(), batch, host));
        return [.. commands, .. members, .. commands.Select(c => ((EnsurePort)c.Command).Network).DistinctBy(n => n.NetworkId).Select(n => new HostCommand(host, new EnsureNetwork(n), n.Revision))];
    }

    public static async ValueTask<IReadOnlyList<HostCommand>> RoutersOn(Services s, string host)
    {
        var commands = new List<HostCommand>();
        foreach (var r in await Tables.Routers.Everywhere(s.Store))
            if (r.Host == host && !r.Doomed) commands.Add(await Ensure(s, r));
        return commands;
    }

    private static async ValueTask<string[]> WithPrefix(Services s, Network network, IEnumerable<PortAddress> addresses)
    {
        var subnets = (await Tables.SubnetsOf(s.Store, network)).ToDictionary(x => x.Id);
        return [.. addresses.Where(a => subnets.ContainsKey(a.SubnetId)).Select(a => $"{a.IpAddress}/{IPNetwork.Parse(subnets[a.SubnetId].Cidr).PrefixLength}")];
    }
}
