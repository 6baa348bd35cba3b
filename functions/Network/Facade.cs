using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>What others ask of networking: ports for servers, whose traffic is whose.</summary>
public static partial class Facade
{
    /// <summary>A server's wish for one interface. Either a port or a network is named.</summary>
    public sealed record Wish(string? PortId, string? NetworkId, string? FixedIp);

    public sealed record Nic(string PortId, string NetworkId, string NetworkName, string Mac, int Mtu, IReadOnlyList<(string Address, string SubnetId)> Addresses);

    /// <summary>The host that a router is on; empty when it is on none, null when there is no such router.</summary>
    public static async ValueTask<string?> HostOf(Services s, string routerId, CancellationToken ct = default) => (await Tables.Routers.Find(s.Store, routerId, ct: ct))?.Item.Host;

    /// <summary>Checks a caller's wishes before anything is made.</summary>
    /// <exception cref="Fault">400 for what isn't there, 403 for what he may not use, 409 for what is in use.</exception>
    public static async ValueTask Check(Call c, IReadOnlyList<Wish> wishes)
    {
        if (wishes.Where(w => w.PortId is not null).GroupBy(w => w.PortId).Any(g => g.Count() > 1)) throw Fault.BadRequest("Duplicate networks are not allowed: a port is named twice.");
        foreach (var wish in wishes)
        {
            if (wish.PortId is { } id)
            {
                var port = (await Tables.Ports.Find(c.Store, id, c.User?.ProjectId, c.Cancelled))?.Item;
                if (port is null or { Doomed: true } || port.ProjectId != c.User?.ProjectId) throw Fault.BadRequest($"Port id {id} could not be found.");
                if (port.DeviceId.Length > 0) throw Fault.Conflict($"Port {id} is still in use.");
                if (port.FixedIps.Length == 0) throw Fault.BadRequest($"Port {id} requires a FixedIP in order to be used.");
                continue;
            }
            var network = await Visible(c, wish.NetworkId!) ?? throw Fault.BadRequest($"Network {wish.NetworkId} could not be found.");
            if (network.External && !network.Shared) c.Require("network:create_port", new(network.ProjectId));
            var subnets = await Tables.SubnetsOf(c.Store, network, c.Cancelled);
            if (subnets.Count == 0) throw Fault.BadRequest($"Network {network.Id} requires a subnet in order to boot instances on.");
            if (wish.FixedIp is not { } address) continue;
            c.Require("network:create_port:fixed_ips", new(network.ProjectId));
            var at = subnets.FirstOrDefault(s => System.Net.IPNetwork.Parse(s.Cidr).Contains(Addresses.Parse(address))) ?? throw Fault.BadRequest($"Fixed IP {address} is not a valid ip address for network {network.Id}.");
            if (await Claims.OwnerOf(c.Store, "ip." + at.Id, address, c.Cancelled) is not null) throw Fault.BadRequest($"Fixed IP address {address} is already in use on instance or port.");
        }
    }

    /// <summary>The caller's networks, for a server that names none. External ones don't count.</summary>
    public static async ValueTask<IReadOnlyList<string>> Usable(Call c) =>
        [.. (await Tables.Networks.InProject(c.Store, c.ProjectId, c.Cancelled)).Concat((await Tables.Networks.SharedOnes(c.Store, c.Cancelled)).Where(n => n.Shared && n.ProjectId != c.ProjectId)).Where(n => !n.External).Select(n => n.Id)];

    private static async ValueTask<Network?> Visible(Call c, string id)
    {
        var n = (await Tables.Networks.Find(c.Store, id, c.User?.ProjectId, c.Cancelled))?.Item;
        return n is not null && (n.ProjectId == c.User?.ProjectId || Tables.Networks.Shared(n) || c.Allows("network:see_all", default)) ? n : null;
    }

    /// <summary>Makes or takes a port for a server; a repeat with the same <paramref name="id"/> finds the first. Returns its id.</summary>
    /// <param name="stays">The server, whose port it is to be.</param>
    /// <exception cref="Fault">No address left, over quota, or taken by another server meanwhile.</exception>
    public static async ValueTask<string> Take(Services s, string id, Wish wish, string project, string server, string host, string hostName, IReadOnlyList<string>? groups, Change change, Stays stays)
    {
        if (wish.PortId is { } existing)
            while (true)
            {
                if (await Tables.Ports.Get(s.Store, project, existing) is not { Item.Doomed: false } was) throw Fault.BadRequest($"Port id {existing} could not be found.");
                if (was.Item.DeviceId.Length > 0 && was.Item.DeviceId != server) throw Fault.Conflict($"Port {existing} is still in use.");
                try
                {
                    await Tables.Ports.Save(s, was.Item with { DeviceId = server, DeviceOwner = "compute:nova", Host = host, DnsName = hostName }, was, change, stays.Rows);
                    return existing;
                }
                catch (ConflictException) { await stays.Require(s.Store); }
            }
        if (await Tables.Ports.Get(s.Store, project, id) is not null) return id;
        var network = (await Tables.Networks.Find(s.Store, wish.NetworkId!, project))?.Item ?? throw Fault.BadRequest($"Network {wish.NetworkId} could not be found.");
        var port = new Port { Id = id, ProjectId = project, NetworkId = network.Id, DeviceId = server, DeviceOwner = "compute:nova", Host = host, DnsName = hostName, CreatedAt = s.Now, MacAddress = await MacOf(s, network.Id, id), Ours = true, SecurityGroups = [.. groups ?? []] };
        port = await Ports.Complete(s, port, network, fresh: true, groupsGiven: groups is not null);
        for (var attempt = 0; ; attempt++)
        {
            var undo = new List<Func<ValueTask>>();
            try
            {
                var found = await Tables.Networks.Find(s.Store, network.Id, project) ?? throw Fault.BadRequest($"Network {network.Id} could not be found.");
                await Networks.OpenTo(s, found, project, change);
                var addresses = await Ports.Allocate(s, port, found.Item, [(null, wish.FixedIp)], [], undo);
                List<Op> ops = [.. await Tables.Quota.Reserve(s.Store, project, [new("port", 1)], NetworkDialect.Over), .. Networks.Stays(found, project), .. stays.Rows];
                await Tables.Ports.Save(s, port with { FixedIps = addresses }, null, change, ops);
                return id;
            }
            // Where the store doesn't say, it may have been written; and another run of this step, which finds the same addresses, may have been faster.
            catch (Exception e) when (e is not StoreUnavailableException)
            {
                var over = e is ConflictException && await stays.Over(s.Store); // asked first: what isn't written by then never will be
                if (await Tables.Ports.Get(s.Store, project, id) is not null) return id;
                if (e is ConflictException && !over && attempt < 20)
                {
                    await stays.Require(s.Store);
                    continue;
                }

                foreach (var u in undo) await u();
                if (over) await Claims.Free(s.Store, "mac." + network.Id, port.MacAddress, id);
                throw;
            }
        }
    }

    // Made from the id, so that a repeat finds the same one. Three bytes are few: two ports of a network may want the same.
    private static async ValueTask<string> MacOf(Services s, string network, string id)
    {
        for (var n = 0; ; n++)
        {
            var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(n == 0 ? id : $"{id}/{n}"));
            var mac = $"fa:16:3e:{hash[0]:x2}:{hash[1]:x2}:{hash[2]:x2}";
            if (await Claims.Take(s.Store, "mac." + network, mac, id)) return mac;
        }
    }

    /// <summary>Names of groups to ids; null for the default.</summary>
    /// <exception cref="Fault">400.</exception>
    public static async ValueTask<IReadOnlyList<string>> Groups(Call c, IEnumerable<string> names)
    {
        var all = await Tables.SecurityGroups.InProject(c.Store, c.ProjectId, c.Cancelled);
        var ids = new List<string>();
        foreach (var name in names)
        {
            if (name == "default") { ids.Add((await SecurityGroups.Default(c.Services, c.ProjectId)).Id); continue; }
            var found = all.Where(g => g.Id == name || g.Name == name).ToList();
            ids.Add(found.Count == 1 ? found[0].Id : throw Fault.BadRequest(found.Count == 0 ? $"Security group {name} not found." : $"Multiple security groups are named {name}; use an id."));
        }
        return ids;
    }

    /// <summary>Commands that plug these ports on the server's host.</summary>
    public static async ValueTask<IReadOnlyList<HostCommand>> Plug(Services s, string project, IEnumerable<string> ports)
    {
        var commands = new List<HostCommand>();
        foreach (var id in ports)
            if (await Tables.Ports.Get(s.Store, project, id) is { } p && p.Item.Host.Length > 0) commands.Add(await Specs.Ensure(s, p.Item));
        return commands;
    }

    public static async ValueTask<IReadOnlyList<HostCommand>> Unplug(Services s, string project, string server, string? only = null) =>
        [.. (await Of(s, project, server)).Where(p => p.Host.Length > 0 && (only is null || p.Id == only)).Select(Specs.Remove)];

    /// <summary>The hosts have them: marks them active, and tells the network's other hosts where they are.</summary>
    public static async ValueTask Activate(Services s, string project, string server, IEnumerable<string> ports, Change change)
    {
        var networks = new HashSet<string>();
        foreach (var p in await Of(s, project, server, ports))
        {
            networks.Add(p.NetworkId);
            while (await Tables.Ports.Get(s.Store, project, p.Id) is { } was && was.Item.Status != "ACTIVE")
                try { await Tables.Ports.Save(s, was.Item with { Status = "ACTIVE" }, was, change); }
                catch (ConflictException) { /* it changed meanwhile */ }
        }
        if ((await Platform.Agents.Hosts.All(s)).Count(h => h.Capacity.TunnelAddress.Length > 0) > 1)
            foreach (var n in networks) await Networks.Refresh(s, n, project, change);
    }

    /// <summary>After unplugging: ports made for the server go, ports it was given are free again. What killed attempts claimed is freed too.</summary>
    public static async ValueTask Release(Services s, string project, string server, IEnumerable<string> made, Change change, string? only = null)
    {
        var own = made.ToHashSet();
        foreach (var p in (await Of(s, project, server)).Where(p => only is null || p.Id == only))
        {
            await FloatingIps.Detach(s, p, change);
            while (await Tables.Ports.Get(s.Store, project, p.Id) is { } was)
                try
                {
                    if (p.Ours || own.Contains(p.Id))
                    {
                        await Tables.Ports.Remove(s, was, change);
                        await Ports.Free(s.Store, was.Item);
                        await FloatingIps.Detach(s, was.Item, change);
                    }
                    else await Tables.Ports.Save(s, was.Item with { DeviceId = "", DeviceOwner = "", Host = "", Status = "DOWN" }, was, change);
                    break;
                }
                catch (ConflictException) { /* it changed meanwhile */ }
        }
    }

    /// <summary>Addresses by port, of the caller's project or, where he asks for all, of all of them.</summary>
    public static async ValueTask<ILookup<string, string>> AddressesOf(Call c)
    {
        var everywhere = c.Allows("network:see_all", default) && c.First("all_tenants") is not null;
        var ports = everywhere ? await Tables.Ports.Everywhere(c.Store, c.Cancelled) : await Tables.Ports.InProject(c.Store, c.ProjectId, c.Cancelled);
        return ports.SelectMany(p => p.FixedIps.Select(a => (p.Id, a.IpAddress))).ToLookup(x => x.Id, x => x.IpAddress);
    }

    // Who knows which ports they can be spares a look at all of the project's.
    private static async ValueTask<IReadOnlyList<Port>> Of(Services s, string project, string server, IEnumerable<string>? among = null) =>
        [.. (among is null ? await Tables.Ports.InProject(s.Store, project) : await Tables.Ports.GetMany(s.Store, project, among)).Where(p => p.DeviceId == server)];

    /// <summary>A server's interfaces.</summary>
    /// <param name="among">Only these ports; null for all, in the order they were made.</param>
    public static async ValueTask<IReadOnlyList<Nic>> Nics(Services s, string project, string server, IEnumerable<string>? among = null)
    {
        var nics = new List<Nic>();
        foreach (var p in await Of(s, project, server, among))
        {
            var n = (await Tables.Networks.Find(s.Store, p.NetworkId, project))?.Item;
            nics.Add(new(p.Id, p.NetworkId, n?.Name ?? "", p.MacAddress, n?.Mtu ?? 1500, [.. p.FixedIps.Select(f => (f.IpAddress, f.SubnetId))]));
        }
        return nics;
    }

    /// <summary>Interfaces by the ids of their ports, for views of servers. Floating addresses come with the port they are bound to.</summary>
    public static async ValueTask<IReadOnlyDictionary<string, (Nic Nic, string[] Floating, string[] Groups)>> NicsOf(Services s, string project, IEnumerable<string> portIds)
    {
        var all = new Dictionary<string, (Nic, string[], string[])>();
        var ports = await Tables.Ports.GetMany(s.Store, project, portIds);
        if (ports.Count == 0) return all;
        var names = new Dictionary<string, Network?>();
        var floating = (await Tables.FloatingIps.InProject(s.Store, project)).Where(f => f.PortId is not null).ToLookup(f => f.PortId!, f => f.FloatingIpAddress!);
        var groups = (await Tables.SecurityGroups.InProject(s.Store, project)).ToDictionary(g => g.Id, g => g.Name);
        foreach (var p in ports)
        {
            if (!names.TryGetValue(p.NetworkId, out var n)) names[p.NetworkId] = n = (await Tables.Networks.Find(s.Store, p.NetworkId, project))?.Item;
            all[p.Id] = (new(p.Id, p.NetworkId, n?.Name ?? "", p.MacAddress, n?.Mtu ?? 1500, [.. p.FixedIps.Select(f => (f.IpAddress, f.SubnetId))]), [.. floating[p.Id]], [.. p.SecurityGroups.Select(g => groups.GetValueOrDefault(g, g))]);
        }
        return all;
    }
}
