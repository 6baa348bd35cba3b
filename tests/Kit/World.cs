using System.Text;
using Cloud.Agents.Contract;
using Cloud.BlockStorage;
using Cloud.Compute;
using Cloud.Network;
using Cloud.Placement;
using Cloud.Platform.State;
using Directory = Cloud.Identity.Directory;

namespace Cloud.Tests.Kit;

/// <summary>What kind of promise is broken.</summary>
public enum Wrong
{
    Saga, Status, Quota, Allocation,
    /// <summary>Only a sweeper sees to these after a kill at the worst moment.</summary>
    Claim, Pointer,
    Host, Queue, Error, Event, Metering,
}

public sealed record Problem(Wrong What, string Text)
{
    public override string ToString() => $"{What}: {Text}";
}

/// <summary>Looks at everything there is, rows and hosts alike, once all work has ended: whatever doesn't fit together is a problem.</summary>
public sealed partial class World
{
    private readonly TestCloud _cloud;
    private readonly List<Problem> _problems = [];
    private readonly IReadOnlyList<Row> _rows;
    private readonly ILookup<string, Row> _partitions, _kinds;
    private readonly IReadOnlyList<Server> _servers;
    private readonly IReadOnlyList<Volume> _volumes;
    private readonly IReadOnlyList<Snapshot> _snapshots;
    private readonly IReadOnlyList<Port> _ports;
    private readonly IReadOnlyList<Router> _routers;
    private readonly IReadOnlyList<FloatingIp> _floating;
    private readonly IReadOnlyList<Network.Network> _networks;
    private readonly IReadOnlyList<Subnet> _subnets;
    private readonly IReadOnlyList<SecurityGroup> _groups;
    private readonly IReadOnlyList<Membership> _memberships;
    private readonly IReadOnlyList<Image.CachedImage> _cached;

    private World(TestCloud cloud)
    {
        (_cloud, _rows) = (cloud, cloud.Store.All);
        _partitions = _rows.ToLookup(r => r.Partition);
        _kinds = _partitions.Where(p => !Aside(p.Key)).SelectMany(p => p).ToLookup(r => r.Key.IndexOf('|', StringComparison.Ordinal) is > 0 and var bar ? r.Key[..bar] : "");
        (_servers, _volumes, _snapshots) = (All(Servers.Rows), All(Volumes.Rows), All(Snapshots.Rows));
        (_ports, _routers, _floating) = (All(Tables.Ports), All(Tables.Routers), All(Tables.FloatingIps));
        (_networks, _subnets, _groups, _memberships) = (All(Tables.Networks), All(Tables.Subnets), All(Tables.SecurityGroups), All(Tables.Memberships));
        _cached = All(Image.Cache.Rows);
    }

    public IReadOnlyList<Problem> Problems => _problems;

    /// <summary>Something is in a state of failure; a run in which nothing failed must not end so.</summary>
    public bool Failed => _servers.Any(s => s.Status == "ERROR" || s.Fault is not null) || _volumes.Any(v => v.Status.StartsWith("error", StringComparison.Ordinal))
        || _snapshots.Any(s => s.Status == "error") || _routers.Any(r => r.Status == "ERROR") || _cached.Any(i => i.Status == "failed");

    public static async Task<World> Check(TestCloud cloud)
    {
        var world = new World(cloud);
        world.Ended();
        world.Allocated();
        world.Claimed();
        world.Pointed();
        await world.Counted();
        await world.Held();
        world.Quiet();
        world.Told();
        world.Metered();
        return world;
    }

    private void Say(Wrong what, string text) => _problems.Add(new(what, text));

    private void Expect(bool holds, Wrong what, string text)
    {
        if (!holds) Say(what, text);
    }

    private List<T> All<T>(Rows<T> rows) where T : Resource =>
        [.. _kinds[rows.Name].Select(r => _cloud.Memory.Get(r, row => Json.Read<T>(row.Body)))];

    private IEnumerable<Row> In(string partition) => _partitions[partition];

    private static bool Aside(string partition) => partition.StartsWith("index.", StringComparison.Ordinal) || partition.StartsWith("shared.", StringComparison.Ordinal) || partition.StartsWith("claims.", StringComparison.Ordinal);

    /// <summary>No saga is left, and no resource looks as if one worked on it.</summary>
    private void Ended()
    {
        foreach (var row in _rows.Where(r => r.Key.StartsWith("saga|", StringComparison.Ordinal))) Say(Wrong.Saga, Encoding.UTF8.GetString(row.Body.Span));
        foreach (var r in (IEnumerable<Resource>)[.. _servers, .. _volumes, .. _snapshots, .. _ports, .. _routers, .. _floating, .. _networks, .. _subnets, .. _groups, .. _memberships, .. _cached])
            Expect(r.Saga is null && !r.Doomed, Wrong.Saga, $"{r.GetType().Name} {r.Id} saga {r.Saga} doomed {r.Doomed}");
        foreach (var s in _servers)
        {
            Expect(s.Status is "ACTIVE" or "SHUTOFF" or "PAUSED" or "ERROR" && s.Task is null, Wrong.Status, $"server {s.Status}/{s.Task}");
            Expect(s.Volumes.All(v => v.State == "attached") && s.Nics.All(n => n.State == "attached"), Wrong.Status, "server with an unsettled attachment");
            foreach (var v in s.Volumes) Expect(_volumes.Any(x => x.Id == v.VolumeId && x.Attachment?.ServerId == s.Id && x.Status is "in-use" or "error_extending"), Wrong.Status, $"server says it has volume {v.VolumeId}, which doesn't");
            foreach (var n in s.Nics) Expect(_ports.Any(p => p.Id == n.PortId && p.DeviceId == s.Id), Wrong.Status, $"server says it has port {n.PortId}, which doesn't");
        }
        foreach (var v in _volumes)
        {
            Expect(v.Status is "available" or "in-use" or "error" or "error_extending", Wrong.Status, $"volume {v.Status}");
            Expect(v.Attachment is not { } a || _servers.Any(s => s.Id == a.ServerId && s.Volumes.Any(x => x.VolumeId == v.Id)), Wrong.Status, $"volume {v.Id} is attached to a server that doesn't know");
            Expect(v.Status == "in-use" == v.Attachment is not null || v.Status == "error_extending", Wrong.Status, $"volume {v.Status}, attachment {v.Attachment}");
        }
        foreach (var s in _snapshots) Expect(s.Status is "available" or "error", Wrong.Status, $"snapshot {s.Status}");
        foreach (var p in _ports)
        {
            Expect(p.Status is "ACTIVE" or "DOWN", Wrong.Status, $"port {p.Status}");
            Expect(!p.DeviceOwner.StartsWith("compute:", StringComparison.Ordinal) || _servers.Any(s => s.Id == p.DeviceId && s.Nics.Any(n => n.PortId == p.Id)), Wrong.Status, $"port {p.Id} of a server that doesn't know");
            Expect(_networks.Any(n => n.Id == p.NetworkId), Wrong.Status, $"port {p.Id} of no network");
        }
        Same(Wrong.Status, _routers.Where(r => r.Gateway is not null).Select(r => $"gateway {r.Id} {r.Gateway!.PortId}").Order(StringComparer.Ordinal),
            _ports.Where(p => p.DeviceOwner == Routers.GatewayOwner).Select(p => $"gateway {p.DeviceId} {p.Id}").Order(StringComparer.Ordinal));
        foreach (var r in _routers) Expect(r.Leaving.Length == 0, Wrong.Status, $"router {r.Id} still holds what it gave up");
        foreach (var p in _ports) Expect(p.Leaving.Length == 0, Wrong.Status, $"port {p.Id} still holds what it gave up");
        foreach (var n in _networks) Same(Wrong.Status, n.Subnets.Order(StringComparer.Ordinal), _subnets.Where(s => s.NetworkId == n.Id).Select(s => s.Id).Order(StringComparer.Ordinal));
        foreach (var m in _memberships) Expect(!m.Again, Wrong.Status, $"hosts don't know all members of group {m.Id}");
        foreach (var f in _floating) Expect(f.PortId is null == f.RouterId is null && (f.PortId is null || _ports.Any(p => p.Id == f.PortId)), Wrong.Status, $"floating IP bound to port {f.PortId} router {f.RouterId}");
    }

    /// <summary>Room taken on hosts is that of the servers on them, and the sums are right.</summary>
    private void Allocated()
    {
        var wanted = _servers.Where(s => s.Host.Length > 0).Select(s => $"{s.Host} {s.Id} {ServerSpecs.Needs(s)}").Order(StringComparer.Ordinal);
        var there = _rows.Where(r => r.Key.StartsWith("allocation|", StringComparison.Ordinal)).ToList();
        Same(Wrong.Allocation, wanted, there.Select(r => (Host: r.Partition["host.".Length..], A: Json.Read<Allocation>(r.Body))).Select(x => $"{x.Host} {x.A.Consumer} {x.A.Resources}").Order(StringComparer.Ordinal));
        foreach (var total in _rows.Where(r => r.Partition.StartsWith("host.", StringComparison.Ordinal) && r.Key == "total"))
        {
            var sum = there.Where(r => r.Partition == total.Partition).Select(r => Json.Read<Allocation>(r.Body).Resources).Aggregate(new Resources(0, 0, 0), (a, b) => a + b);
            Expect(Json.Read<Resources>(total.Body) == sum, Wrong.Allocation, $"{total.Partition}: the sum says {Json.Read<Resources>(total.Body)}, they hold {sum}");
        }
    }

    /// <summary>Every claim has an owner that has what it claims, and everything that must be unique is claimed.</summary>
    private void Claimed()
    {
        var wanted = new List<string>();
        foreach (var p in _ports)
        {
            wanted.AddRange(p.FixedIps.Select(f => $"ip.{f.SubnetId} {f.IpAddress} {p.Id}"));
            wanted.Add($"mac.{p.NetworkId} {p.MacAddress} {p.Id}");
        }
        wanted.AddRange(_floating.Select(f => $"ip.{f.FromSubnet} {f.FloatingIpAddress} {f.Id}"));
        wanted.AddRange(_subnets.Where(s => s.DhcpAddress is not null).Select(s => $"ip.{s.Id} {s.DhcpAddress} dhcp:{s.Id}"));
        wanted.AddRange(_networks.Where(n => n.Vni is not null).Select(n => $"vni {n.Vni} {n.Id}"));
        wanted.AddRange(All(Directory.Projects).Select(p => $"project {Keys.Safe(Directory.NameOf(p.DomainId, p.Name))} {p.Id}"));
        wanted.AddRange(All(Directory.Users).Select(u => $"user {Keys.Safe(Directory.NameOf(u.DomainId, u.Name))} {u.Id}"));
        wanted.AddRange(All(Directory.Roles).Select(r => $"role {Keys.Safe(Directory.NameOf(r.DomainId, r.Name))} {r.Id}"));
        wanted.AddRange(All(Directory.Domains).Select(d => $"domain {Keys.Safe(d.Name)} {d.Id}"));
        Same(Wrong.Claim, wanted.Order(StringComparer.Ordinal), _rows.Where(r => r.Partition.StartsWith("claims.", StringComparison.Ordinal))
            .Select(r => $"{r.Partition["claims.".Length..]} {r.Key} {Encoding.UTF8.GetString(r.Body.Span)}").Order(StringComparer.Ordinal));
        Same(Wrong.Claim, _floating.Where(f => f.PortId is not null).Select(f => $"{f.PortId}|{f.FixedIpAddress} {f.Id}").Order(StringComparer.Ordinal),
            _rows.Where(r => r.Key.StartsWith("floating-of|", StringComparison.Ordinal)).Select(r => $"{r.Key["floating-of|".Length..]} {Encoding.UTF8.GetString(r.Body.Span)}").Order(StringComparer.Ordinal));
    }

    private void Pointed()
    {
        Pointed(Servers.Rows);
        Pointed(Volumes.Rows);
        Pointed(Snapshots.Rows);
        Pointed(Tables.Ports);
        Pointed(Tables.Routers);
        Pointed(Tables.FloatingIps);
        Pointed(Tables.Networks);
        Pointed(Tables.Subnets);
        Pointed(Tables.SecurityGroups);
        Pointed(Tables.Memberships);
        Pointed(Image.Images.Rows);
    }

    private void Pointed<T>(Rows<T> rows) where T : Resource
    {
        IEnumerable<string> There(string table) => In($"{table}.{rows.Name}").Select(r => $"{rows.Name} {r.Key} {Encoding.UTF8.GetString(r.Body.Span)}").Order(StringComparer.Ordinal);
        IEnumerable<string> Of(IEnumerable<T> items) => items.Select(i => $"{rows.Name} {rows.Key(i.Id)} {rows.PartitionOf(i.ProjectId)}").Order(StringComparer.Ordinal);
        Same(Wrong.Pointer, Of(All(rows)), There("index"));
        Same(Wrong.Pointer, Of(All(rows).Where(rows.Shared)), There("shared"));
    }

    /// <summary>What the limits count is what there is.</summary>
    private async Task Counted()
    {
        foreach (var project in All(Directory.Projects))
        {
            var (compute, volume, network) = (await Servers.Quota.UsageOf(_cloud.Store, project.Id), await Volumes.Quota.UsageOf(_cloud.Store, project.Id), await Tables.Quota.UsageOf(_cloud.Store, project.Id));
            void Is(string name, long used, long there) => Expect(used == there, Wrong.Quota, $"{name} of {project.Name}: {used} used, {there} there");
            Is("instances", compute["instances"], _servers.Count(s => s.ProjectId == project.Id));
            Is("cores", compute["cores"], _servers.Where(s => s.ProjectId == project.Id).Sum(s => s.Flavor.Vcpus));
            Is("volumes", volume["volumes"], _volumes.Count(v => v.ProjectId == project.Id));
            Is("gigabytes", volume["gigabytes"], _volumes.Where(v => v.ProjectId == project.Id).Sum(v => v.Size ?? 0) + _snapshots.Where(v => v.ProjectId == project.Id).Sum(v => v.Size));
            Is("port", network["port"], _ports.Count(p => p.ProjectId == project.Id && p.DeviceOwner != Routers.GatewayOwner));
            Is("floatingip", network["floatingip"], _floating.Count(f => f.ProjectId == project.Id));
        }
    }

    private void Same(Wrong what, IEnumerable<string> wanted, IEnumerable<string> there)
    {
        var (w, t) = (wanted.ToList(), there.ToList());
        if (w.SequenceEqual(t)) return;
        foreach (var x in w.Except(t)) Say(what, "missing " + x);
        foreach (var x in t.Except(w)) Say(what, "left over " + x);
        Expect(w.Count == t.Count, what, $"{w.Count} wanted, {t.Count} there");
    }
}
