using Cloud.Compute;
using Cloud.Network;
using Cloud.Platform.State;

namespace Cloud.Bench;

/// <summary>Fills a store with hosts that have beaten and with servers on them, as the API would have left them: copies of one, in projects of two hundred, each with a network and a group of its own.</summary>
internal sealed class ScaleSeed(ScaleCloud cloud)
{
    public const int PerHost = 20, PerProject = 200;
    private const int AtOnce = 64;

    private Server _server = null!;
    private Port _port = null!;
    private Network.Network _network = null!;
    private Subnet _subnet = null!;
    private SecurityGroup _group = null!;
    private int _hosts, _servers;

    /// <summary>A flavor, an image, a network and a server on a first host, by the API.</summary>
    public async Task Model()
    {
        await Hosts(1);
        await cloud.Ask("GET", "/identity/v3/projects");
        object none = new { instances = -1, cores = -1, ram = -1 };
        await cloud.Ask("PUT", $"/compute/v2.1/os-quota-sets/{cloud.Project}", new { quota_set = none });
        await cloud.Ask("POST", "/compute/v2.1/flavors", new { flavor = new { id = "scale", name = "scale", vcpus = 1, ram = 64, disk = 1 } });
        var image = (string)(await cloud.Ask("POST", "/image/v2/images", new { name = "scale", disk_format = "raw", container_format = "bare" }))!["id"]!;
        await cloud.Ask("PUT", $"/image/v2/images/{image}/file", bytes: new byte[1024]);
        var net = (string)(await cloud.Ask("POST", "/network/v2.0/networks", new { network = new { name = "scale" } }))!["network"]!["id"]!;
        await cloud.Ask("POST", "/network/v2.0/subnets", new { subnet = new { network_id = net, ip_version = 4, cidr = "10.64.0.0/16" } });
        var id = await Create("model", image, net);
        await cloud.Drain();
        var store = cloud.Services.Store;
        _server = (await Servers.Rows.Get(store, cloud.Project, id))!.Item;
        if (_server.Status != "ACTIVE") throw new InvalidOperationException($"the model is {_server.Status}: {_server.Fault}");
        _port = (await Tables.Ports.Get(store, cloud.Project, _server.Nics[0].PortId))!.Item;
        _network = (await Tables.Networks.Get(store, cloud.Project, net))!.Item;
        _subnet = (await Tables.Subnets.Get(store, cloud.Project, _network.Subnets[0]))!.Item;
        _group = (await Tables.SecurityGroups.Get(store, cloud.Project, _port.SecurityGroups[0]))!.Item;
        (Image, Net) = (image, net);
    }

    public string Image { get; private set; } = "";
    public string Net { get; private set; } = "";

    public async Task<string> Create(string name, string? image = null, string? net = null) =>
        (string)(await cloud.Ask("POST", "/compute/v2.1/servers", new { server = new { name, flavorRef = "scale", imageRef = image ?? Image, networks = new[] { new { uuid = net ?? Net } } } }))!["server"]!["id"]!;

    /// <summary>Until there are as many.</summary>
    public async Task Fill(int hosts, int servers)
    {
        await Hosts(hosts);
        await Parallel.ForEachAsync(Enumerable.Range(_servers / PerProject, (servers - _servers) / PerProject), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (project, _) => await Project(project));
        _servers = servers;
    }

    private async Task Hosts(int count)
    {
        await Parallel.ForEachAsync(Enumerable.Range(_hosts, count - _hosts), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (n, ct) => await Platform.Agents.Hosts.Beat(cloud.Services, ScaleCloud.Beat(n, 1), ct));
        _hosts = count;
    }

    private async Task Project(int number)
    {
        var (store, ids, project) = (cloud.Services.Store, cloud.Services.Ids, $"{number:D32}");
        var network = _network with { Id = ids.New(), ProjectId = project, Vni = 100_000 + number, Subnets = [ids.New()] };
        var subnet = _subnet with { Id = network.Subnets[0], ProjectId = project, NetworkId = network.Id };
        var group = _group with { Id = ids.New(), ProjectId = project };
        var servers = Enumerable.Range(0, PerProject).Select(i =>
        {
            var (id, port, host) = (ids.New(), ids.New(), ScaleCloud.NameOf(((number * PerProject) + i) / PerHost));
            return (Server: _server with { Id = id, ProjectId = project, Name = $"copy-{i}", Host = host, Nics = [_server.Nics[0] with { PortId = port, NetworkId = network.Id }] },
                Port: _port with { Id = port, ProjectId = project, DeviceId = id, Host = host, NetworkId = network.Id, SecurityGroups = [group.Id], FixedIps = [new(subnet.Id, $"10.64.0.{i + 10}")] });
        }).ToList();
        await store.Commit(project, [Row(Tables.Networks, network), Row(Tables.Subnets, subnet), Row(Tables.SecurityGroups, group)]);
        await Pointers(Tables.Networks, project, [network.Id]);
        await Pointers(Tables.Subnets, project, [subnet.Id]);
        await Pointers(Tables.SecurityGroups, project, [group.Id]);
        foreach (var some in servers.Chunk(50)) await store.Commit(project, [.. some.SelectMany(s => new[] { Row(Servers.Rows, s.Server), Row(Tables.Ports, s.Port) })]);
        await Pointers(Servers.Rows, project, [.. servers.Select(s => s.Server.Id)]);
        await Pointers(Tables.Ports, project, [.. servers.Select(s => s.Port.Id)]);
        foreach (var (_, server) in servers.Select(s => (s.Port, s.Server)))
            await Placement.Facade.Claim(store, (await Platform.Agents.Hosts.Get(cloud.Services, server.Host))!, new(server.Id, project, server.UserId, ServerSpecs.Needs(server)));
    }

    private async Task Pointers<T>(Rows<T> rows, string project, IReadOnlyList<string> ids) where T : Resource
    {
        foreach (var some in ids.Chunk(99)) await cloud.Services.Store.Commit($"index.{rows.Name}", [.. some.Select(id => (Op)new Op.Insert(rows.Key(id), System.Text.Encoding.UTF8.GetBytes(project)))]);
    }

    private static Op Row<T>(Rows<T> rows, T item) where T : Resource => new Op.Insert(rows.Key(item.Id), Json.Write(item));
}
