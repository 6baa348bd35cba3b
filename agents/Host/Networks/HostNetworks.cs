using System.Collections.Concurrent;
using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// Everything of networks on this host. A network is here as long as a port or a router is on it; DHCP and metadata as long as a port is.
/// </summary>
public sealed class HostNetworks(ITool tool, Marks marks, Namespaces namespaces, Wishes wishes, Segments segments, PortFilter filter, DhcpServers dhcp, Routers routers, ILogger<HostNetworks> log) : IHolder
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(10);
    private readonly KeyLock locks = new();

    /// <summary>Ports as they were made last by this process: all but the rules, and with them.</summary>
    private readonly ConcurrentDictionary<string, (string Shape, string Rules)> made = new(StringComparer.Ordinal);

    /// <exception cref="HandlerFault">Among others: the rules make no sense. Then the port is there, and closed.</exception>
    public async Task Ensure(NetworkSpec network, PortSpec port, CancellationToken ct)
    {
        using var held = await locks.Take(network.NetworkId, ct);
        network = wishes.Put(network, port);
        var (shape, rules) = (Text(network, port with { Rules = [], AllowedPairs = [] }), Text(network, port));
        // Rules change far more often than anything else; what is the same as last time is asked for to have it checked.
        if (made.TryGetValue(port.PortId, out var was) && was.Shape == shape && was.Rules != rules)
            await filter.Ensure(network, port, ct);
        else
        {
            made.TryRemove(port.PortId, out _);
            await Bring(network, [port], filter.Ensure(network, port, ct), ct);
        }

        made[port.PortId] = (shape, rules);
    }

    /// <summary>Does nothing when nobody here is on the network.</summary>
    public async Task Ensure(NetworkSpec network, CancellationToken ct)
    {
        using var held = await locks.Take(network.NetworkId, ct);
        if (!wishes.IsUsed(network.NetworkId))
        {
            wishes.RemoveNetwork(network.NetworkId);
            return;
        }

        wishes.Put(network);
        await Bring(wishes.Network(network.NetworkId)!, [], Task.CompletedTask, ct);
    }

    /// <exception cref="HandlerFault">What should be an address isn't.</exception>
    public async Task Ensure(EnsureGroup group, CancellationToken ct)
    {
        foreach (var address in group.Addresses)
            Addresses.Parse(address);
        wishes.Put(group);
        await filter.EnsureGroup(group.GroupId, ct);
    }

    public async Task RemovePort(string portId, CancellationToken ct)
    {
        var networkId = wishes.NetworkOf(portId);
        using var held = networkId is null ? null : await locks.Take(networkId, ct);
        wishes.RemovePort(portId);
        made.TryRemove(portId, out _);
        var present = await Ip.Interfaces(tool, ct);
        var batch = new Script();
        if (present.ContainsKey(Names.Tap(portId)))
            batch.Add($"link del dev {Names.Tap(portId)}");
        if (networkId is not null && !wishes.IsUsed(networkId))
            Segments.PlanRemoval(networkId, present, batch);
        if (networkId is not null && wishes.PortsOf(networkId).Count == 0)
            DhcpServers.PlanRemoval(networkId, present, batch);
        await Ip.Apply(tool, batch, ct);
        await filter.Remove(portId, ct);
        if (networkId is null || wishes.Network(networkId) is not { } network)
            // Perhaps an earlier attempt was cut off half way.
            await Collect(ct);
        else if (!wishes.IsUsed(networkId))
        {
            await dhcp.Remove(networkId, ct);
            await Forget(networkId, ct);
        }
        else if (wishes.PortsOf(networkId) is { Count: > 0 } others)
            await dhcp.Tell(network, others, ct);
        else
        {
            await dhcp.Remove(networkId, ct);
            await Bring(network, [], Task.CompletedTask, ct);
        }
    }

    public async Task Ensure(RouterSpec router, CancellationToken ct)
    {
        var networks = Wishes.NetworksOf(router).Select(n => n.NetworkId).Distinct().Order(StringComparer.Ordinal).ToList();
        var held = new List<IDisposable>();
        try
        {
            // Always in the same order: two routers on the same networks don't wait for each other.
            foreach (var network in networks)
                held.Add(await locks.Take(network, ct));
            (router, var changed) = wishes.Put(router);
            var looking = routers.Look(router, ct);
            var (present, batch) = (await Ip.Interfaces(tool, ct), new Script());
            foreach (var network in Wishes.NetworksOf(router).DistinctBy(n => n.NetworkId))
                segments.Plan(network, wishes.PortsOf(network.NetworkId).Count > 0, present, batch);
            var look = routers.Plan(router, present, await looking, batch);
            if (look.IsWired)
                await Task.WhenAll(Ip.Apply(tool, batch, ct), routers.Route(router, look, ct));
            else
            {
                await Ip.Apply(tool, batch, ct);
                await routers.Route(router, look, ct);
            }

            foreach (var network in Wishes.NetworksOf(router).DistinctBy(n => n.NetworkId))
                await segments.Flood(network, ct);
            foreach (var network in changed.Where(n => wishes.PortsOf(n.NetworkId).Count > 0))
                await Bring(network, [], Task.CompletedTask, ct);
        }
        finally
        {
            held.ForEach(h => h.Dispose());
        }

        await Collect(ct);
    }

    public async Task RemoveRouter(string routerId, CancellationToken ct)
    {
        wishes.RemoveRouter(routerId);
        await routers.Remove(routerId, ct);
        await Collect(ct);
    }

    /// <summary>What every floating IP here has let pass.</summary>
    public async Task<IReadOnlyList<TrafficSample>> Traffic(CancellationToken ct)
    {
        var samples = new List<TrafficSample>();
        foreach (var router in wishes.Routers.Where(r => r.FloatingIps.Length > 0))
            samples.AddRange(await routers.Counted(router.RouterId, ct));
        return samples;
    }

    /// <summary>Deletes what nobody wants any more, then makes everything that is wished. One that can't be made doesn't stop the others.</summary>
    public async Task Recover(CancellationToken ct)
    {
        wishes.Load();
        await RemoveLeftovers(ct);
        await filter.Recover(ct);
        foreach (var network in wishes.Networks)
            if (!await Try(Marks.Network, network.NetworkId, () => Bring(network, wishes.PortsOf(network.NetworkId), Task.CompletedTask, ct), ct))
                foreach (var port in wishes.PortsOf(network.NetworkId))
                    await Try(Marks.Port, port.PortId, () => Ensure(network, port, ct), ct);
        foreach (var router in wishes.Routers)
            await Try(Marks.Router, router.RouterId, () => Ensure(router, ct), ct);
    }

    /// <summary>Puts rules back that somebody flushed (a firewall's restart does that), for no guest may be without.</summary>
    public async Task Watch(TimeProvider time, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(CheckEvery, time);
        while (await timer.WaitForNextTickAsync(ct))
            await Try("rules", "of ports", () => filter.Check(ct), ct);
    }

    public async Task<IReadOnlyList<InventoryItem>> Items(CancellationToken ct)
    {
        var present = await Ip.Interfaces(tool, ct);
        return
        [
            .. present.Values.Select(marks.Of).Where(m => m?.Kind == Marks.Port).Select(m => new InventoryItem($"port/{m!.Value.Id}", 0)),
            .. wishes.Groups.Select(g => new InventoryItem($"group/{g}", 0)),
            .. wishes.Routers.Where(r => namespaces.Exists(Names.RouterNamespace(r.RouterId))).Select(r => new InventoryItem($"router/{r.RouterId}", 0)),
        ];
    }

    /// <summary>Makes a network true, and plugs ports in when their rules are there. The caller holds its lock.</summary>
    private async Task Bring(NetworkSpec network, IReadOnlyList<PortSpec> plug, Task filtering, CancellationToken ct)
    {
        var present = await Ip.Interfaces(tool, ct);
        HandlerFault? closed = null;
        try
        {
            await filtering;
        }
        catch (HandlerFault fault) when (!fault.Retry)
        {
            closed = fault;
        }

        var ports = wishes.PortsOf(network.NetworkId);
        var batch = new Script();
        segments.Plan(network, ports.Count > 0, present, batch);
        var fresh = ports.Count > 0 && dhcp.Plan(network, present, batch);
        foreach (var port in plug)
            Plug(network, port, present, batch);
        await Ip.Apply(tool, batch, ct);
        await Task.WhenAll(segments.Flood(network, ct), ports.Count > 0 ? dhcp.Serve(network, ports, fresh, ct) : Task.CompletedTask);
        if (closed is not null)
            throw closed;
    }

    /// <summary>The tap stays when the guest stops: libvirt is told that it isn't its own.</summary>
    private void Plug(NetworkSpec network, PortSpec port, IReadOnlyDictionary<string, Interface> present, Script batch)
    {
        var tap = Names.Tap(port.PortId);
        if (!present.ContainsKey(tap))
            batch.Add($"tuntap add dev {tap} mode tap");
        Segments.Up(batch, tap, network, marks.Alias(Marks.Port, port.PortId), Names.Bridge(network.NetworkId), port.AdminUp);
    }

    /// <summary>Removes a network that nobody uses. The caller holds its lock.</summary>
    private async Task Drop(string networkId, CancellationToken ct)
    {
        var (present, batch) = (await Ip.Interfaces(tool, ct), new Script());
        Segments.PlanRemoval(networkId, present, batch);
        DhcpServers.PlanRemoval(networkId, present, batch);
        await Ip.Apply(tool, batch, ct);
        await dhcp.Remove(networkId, ct);
        await Forget(networkId, ct);
    }

    private async Task Forget(string networkId, CancellationToken ct)
    {
        await filter.Forget(networkId, ct);
        wishes.RemoveNetwork(networkId);
    }

    private async Task Collect(CancellationToken ct)
    {
        foreach (var network in wishes.Networks.Where(n => !wishes.IsUsed(n.NetworkId)))
        {
            using var held = await locks.Take(network.NetworkId, ct);
            if (!wishes.IsUsed(network.NetworkId))
                await Drop(network.NetworkId, ct);
        }
    }

    private async Task RemoveLeftovers(CancellationToken ct)
    {
        await Collect(ct);
        var networks = wishes.Networks.Select(n => n.NetworkId).ToHashSet(StringComparer.Ordinal);
        var routerIds = wishes.Routers.Select(r => r.RouterId).ToHashSet(StringComparer.Ordinal);
        var spaces = networks.Select(Names.DhcpNamespace).Concat(routerIds.Select(Names.RouterNamespace)).ToHashSet(StringComparer.Ordinal);
        var batch = new Script();
        foreach (var found in (await Ip.Interfaces(tool, ct)).Values)
            if (marks.Of(found) is var (kind, id) && (kind switch { Marks.Port => wishes.NetworkOf(id) is null, Marks.Network => !networks.Contains(id), Marks.Router => !routerIds.Contains(id), _ => false }))
                batch.Add($"link del dev {found.Name}");
        // The other end of a pair goes with the first.
        await tool.Try(new ToolCall("ip", ["-force", "-batch", "-"], batch.ToString()), ct);
        await dhcp.RemoveAllBut(spaces, ct);
        foreach (var name in namespaces.All().Where(n => !spaces.Contains(n)))
            namespaces.Remove(name);
    }

    private static string Text(NetworkSpec network, PortSpec port) => JsonSerializer.Serialize(new EnsurePort(network, port), ContractJson.Default.Command);

    private async Task<bool> Try(string kind, string id, Func<Task> act, CancellationToken ct)
    {
        try
        {
            await act();
            return true;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            log.LogError("{Kind} {Id} can't be brought back: {Message}", kind, id, e.Message);
            return false;
        }
    }
}
