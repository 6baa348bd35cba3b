namespace Cloud.Soak;

/// <summary>Somebody who makes a small world, changes it, and takes it down, over and over, a little differently each time.</summary>
public sealed class Client(Api api, int number, string image, string external, int seed, CancellationToken stop)
{
    private const string Net = "/network/v2.0", Servers = "/compute/v2.1/servers";
    private readonly Random _chance = new(seed);

    public int Worlds { get; private set; }

    public async Task Run()
    {
        while (!stop.IsCancellationRequested) await World($"c{number}-{++Worlds}");
    }

    /// <summary>Leaves it half made when it is time to stop: then its last state is judged.</summary>
    private async Task World(string name)
    {
        var made = new List<string>();
        async Task<string?> Make(string kind, string path, string many, object body)
        {
            if (stop.IsCancellationRequested) return null;
            var id = await api.Create(kind, path, many, $"{name}-{kind}", body);
            if (id is not null) made.Add(id);
            return id;
        }
        if (await Make("network", $"{Net}/networks", "networks", new { network = new { name = $"{name}-network" } }) is not { } net) return;
        if (await Make("subnet", $"{Net}/subnets", "subnets", new { subnet = new { name = $"{name}-subnet", network_id = net, ip_version = 4, cidr = $"10.{number}.0.0/24" } }) is not { } subnet) return;
        var volume = _chance.Next(2) == 0 ? await Make("volume", $"/volume/v3/{api.Project}/volumes", "volumes", new { volume = new { name = $"{name}-volume", size = 1 } }) : null;
        var server = await Make("server", Servers, "servers", new { server = new { name = $"{name}-server", flavorRef = "1", imageRef = image, networks = new[] { new { uuid = net } } } });
        var impatient = _chance.Next(3) == 0;
        if (server is not null && !impatient && await Settled(server) == "ACTIVE")
        {
            if (volume is not null) await api.Ask(HttpMethod.Post, $"{Servers}/{server}/os-volume_attachments", new { volumeAttachment = new { volumeId = volume } });
            if (_chance.Next(2) == 0) await Routed(name, subnet, server, Make);
            if (_chance.Next(2) == 0) await api.Ask(HttpMethod.Post, $"{Servers}/{server}/action", new Dictionary<string, object?> { ["os-stop"] = null });
        }
        // The other way round: what others depend on goes last.
        foreach (var id in Enumerable.Reverse(made))
        {
            if (stop.IsCancellationRequested) return;
            if (api.Promises[id].Kind == "router") await api.Ask(HttpMethod.Put, $"{Net}/routers/{id}/remove_router_interface", new { subnet_id = subnet });
            await api.Delete(id);
        }
    }

    private async Task Routed(string name, string subnet, string server, Func<string, string, string, object, Task<string?>> make)
    {
        if (await make("router", $"{Net}/routers", "routers", new { router = new { name = $"{name}-router", external_gateway_info = new { network_id = external } } }) is not { } router) return;
        await api.Ask(HttpMethod.Put, $"{Net}/routers/{router}/add_router_interface", new { subnet_id = subnet });
        if (await api.Get($"{Net}/ports?device_id={server}") is { } ports && ports.GetProperty("ports").EnumerateArray().Select(p => p.GetProperty("id").GetString()).FirstOrDefault() is { } port)
            await make("floatingip", $"{Net}/floatingips", "floatingips", new { floatingip = new { floating_network_id = external, port_id = port, description = $"{name}-floatingip" } });
    }

    private async Task<string> Settled(string server)
    {
        for (var i = 0; i < 400 && !stop.IsCancellationRequested; i++)
        {
            if (await api.Get($"{Servers}/{server}") is { } s && s.GetProperty("server").GetProperty("status").GetString() is ("ACTIVE" or "ERROR") and var status) return status;
            await Task.Delay(50, CancellationToken.None);
        }
        return "";
    }
}
