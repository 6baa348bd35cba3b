using System.Collections.Concurrent;
using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>Router namespaces: a leg on every network, forwarding of both IP versions, and for IPv4 translation to the outside.</summary>
public sealed class Routers(HostOptions options, ITool tool, Marks marks, Namespaces namespaces, Traffic traffic)
{
    private static readonly (string, string)[] Settings =
    [
        ("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1"),
        ("net/ipv4/conf/all/rp_filter", "0"), ("net/ipv4/conf/default/rp_filter", "0"),
        ("net/ipv4/conf/all/arp_ignore", "1"), ("net/ipv4/conf/all/arp_announce", "2"),
        ("net/ipv4/conf/all/send_redirects", "0"), ("net/ipv4/conf/default/send_redirects", "0"),
        ("net/ipv6/conf/default/accept_ra", "0"), ("net/ipv6/conf/default/accept_dad", "0"),
    ];

    /// <summary>What the rules of each router say now; read from the kernel for one that an earlier run of this program made.</summary>
    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<IPAddress, IPAddress>> floating = new(StringComparer.Ordinal);

    /// <summary>What is inside a router's namespace.</summary>
    /// <param name="IsWired">Every leg reaches it: the inside needn't wait for the outside.</param>
    public sealed record Inside(IReadOnlyDictionary<string, Interface> Interfaces, RouteInfo[] Routes, IReadOnlyDictionary<IPAddress, IPAddress> Floating, bool IsWired)
    {
        public static Inside Empty { get; } = new(new Dictionary<string, Interface>(), [], new Dictionary<IPAddress, IPAddress>(), false);
    }

    /// <returns>Null when there is no such router yet.</returns>
    public async Task<Inside?> Look(RouterSpec router, CancellationToken ct)
    {
        var name = Names.RouterNamespace(router.RouterId);
        if (!namespaces.Exists(name))
            return null;
        var inside = namespaces.In(name);
        var rules = floating.TryGetValue(router.RouterId, out var known) ? Task.FromResult(known) : Nft.Map(inside, "ip", RouterRules.Table, RouterRules.FloatingMap, ct);
        var (interfaces, routes) = await Ip.All(inside, ct);
        return new Inside(interfaces, routes, await rules, false);
    }

    /// <summary>Makes the namespace and adds what joins it to its networks, and what cuts it from others.</summary>
    public Inside Plan(RouterSpec router, IReadOnlyDictionary<string, Interface> present, Inside? look, Script batch)
    {
        var ns = Names.RouterNamespace(router.RouterId);
        var fresh = namespaces.Ensure(ns, Settings);
        var legs = Legs(router).ToList();
        var own = present.Values.Where(i => marks.Of(i) == (Marks.Router, router.RouterId)).Select(i => i.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in own.Where(name => fresh || legs.All(l => l.Name != name)))
            batch.Add($"link del dev {gone}");
        foreach (var leg in legs)
        {
            if (fresh || !present.ContainsKey(leg.Name))
                batch.Add($"link add {leg.Name} type veth peer name {leg.Name} netns {namespaces.File(ns)}");
            Segments.Up(batch, leg.Name, leg.Network, marks.Alias(Marks.Router, router.RouterId), Names.Bridge(leg.Network.NetworkId));
        }

        return fresh || look is null ? Inside.Empty : look with { IsWired = legs.All(l => present.ContainsKey(l.Name) && look.Interfaces.ContainsKey(l.Name)) };
    }

    /// <summary>Sets up the inside, when <see cref="Plan"/> was carried out.</summary>
    public async Task Route(RouterSpec router, Inside look, CancellationToken ct)
    {
        var inside = namespaces.In(Names.RouterNamespace(router.RouterId));
        var batch = new Script().Add($"link set dev lo up");
        foreach (var leg in Legs(router))
            batch.Add($"link set dev {leg.Name} address {leg.Mac} mtu {Segments.Mtu(leg.Network)} {(Word)(router.AdminUp ? "up" : "down")}")
                .Add(Addressing.Addresses(look.Interfaces.GetValueOrDefault(leg.Name), leg.Name, leg.Addresses));
        var fresh = look == Inside.Empty;
        var stays = await traffic.Plan(router, inside, fresh, ct);
        await Task.WhenAll(Ip.Apply(inside, batch, ct), Nft.Apply(inside, TrafficRules.Of(router, stays).Add(RouterRules.Of(router)), ct));
        await traffic.Settle(router.RouterId, stays, inside, fresh, ct);

        var are = floating[router.RouterId] = RouterRules.Floating(router);
        await Task.WhenAll(look.Floating.Where(w => !w.Value.Equals(are.GetValueOrDefault(w.Key))).Select(w => Conntrack.ForgetFloating(inside, w.Key, ct)));
        if (router.AdminUp)
            Announce(router, look.Interfaces);
        await Advertise(router, inside, fresh, ct);
        if (router.AdminUp)
            await Ip.Apply(inside, Addressing.Routes(look.Routes, Routes(router)), ct);
    }

    /// <summary>What is counted in a router now.</summary>
    public async Task<IEnumerable<TrafficSample>> Counted(string routerId, CancellationToken ct) =>
        namespaces.Exists(Names.RouterNamespace(routerId)) ? (await TrafficRules.Read(namespaces.In(Names.RouterNamespace(routerId)), ct)).Values : [];

    public async Task Remove(string routerId, CancellationToken ct)
    {
        var name = Names.RouterNamespace(routerId);
        await Advertiser(routerId, namespaces.In(name)).Remove(ct);
        var batch = new Script();
        foreach (var leg in (await Ip.Interfaces(tool, ct)).Values.Where(i => marks.Of(i) == (Marks.Router, routerId)))
            batch.Add($"link del dev {leg.Name}");
        await Ip.Apply(tool, batch, ct);
        if (namespaces.Exists(name))
            await traffic.Close(routerId, namespaces.In(name), ct);
        namespaces.Remove(name);
        floating.TryRemove(routerId, out _);
    }

    private sealed record Leg(string Name, NetworkSpec Network, Mac Mac, IReadOnlyCollection<InterfaceAddress> Addresses);

    private static IEnumerable<Leg> Legs(RouterSpec router)
    {
        foreach (var i in router.Interfaces)
            yield return new Leg(Names.RouterPort(i.PortId), i.Network, Mac.Parse(i.Mac), [.. i.Addresses.Select(Addresses.ParseInterface)]);
        if (router.External is { } e)
            yield return new Leg(Names.RouterPort(e.PortId), e.Network, Mac.Parse(e.Mac),
                [.. e.Addresses.Select(Addresses.ParseInterface), .. RouterRules.Floating(router).Keys.Select(f => new InterfaceAddress(f, 32))]);
    }

    private static List<Route> Routes(RouterSpec router)
    {
        var routes = new List<Route>();
        foreach (var gateway in (router.External?.Gateways ?? []).Select(Addresses.Parse))
            routes.Add(new Route(new IPNetwork(gateway.Is6() ? IPAddress.IPv6Any : IPAddress.Any, 0), gateway, Names.RouterPort(router.External!.PortId)));
        foreach (var route in router.Routes)
        {
            var hop = Addresses.Parse(route.NextHop);
            var leg = Legs(router).FirstOrDefault(l => l.Addresses.Any(a => a.Network.Contains(hop)))
                ?? throw new HandlerFault($"a route's next hop is on no network of router {router.RouterId}", retry: false);
            routes.Add(new Route(Addresses.ParsePrefix(route.Destination), hop, leg.Name));
        }

        return routes;
    }

    /// <summary>Neighbours that know an address of ours at another place hear of it at once.</summary>
    private void Announce(RouterSpec router, IReadOnlyDictionary<string, Interface> were)
    {
        foreach (var leg in Legs(router))
        {
            var fresh = leg.Addresses.Except(were.GetValueOrDefault(leg.Name)?.Addresses ?? []).Where(a => !a.Is6).Select(a => a.Address).ToList();
            if (fresh.Count > 0)
                namespaces.Run(Names.RouterNamespace(router.RouterId), () => GratuitousArp.Send(leg.Name, leg.Mac, fresh));
        }
    }

    /// <summary>Router advertisements on the legs that have an IPv6 subnet with a mode.</summary>
    private async Task Advertise(RouterSpec router, ITool inside, bool fresh, CancellationToken ct)
    {
        var dnsmasq = Advertiser(router.RouterId, inside);
        if (fresh)
            await dnsmasq.Remove(ct);
        var script = router.AdminUp ? DhcpFiles.Advertisements(Legs(router).Select(l => (l.Name, l.Network, l.Addresses)), dnsmasq) : null;
        if (script is null)
            await dnsmasq.Remove(ct);
        else
            await dnsmasq.Ensure(script, new Script(), new Script(), ct);
    }

    private Dnsmasq Advertiser(string routerId, ITool inside) => new(Path.Combine(options.Networks, Names.RouterNamespace(routerId)), inside);
}
