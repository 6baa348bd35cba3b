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

    /// <summary>A world that stays as it is, with all that there can be in one.</summary>
    /// <returns>Its server.</returns>
    public async Task<string> Stay()
    {
        var made = new List<string>();
        if (!await Build("stays", new(Volume: true, Patient: true, Routed: true, Stopped: false), made)) throw new InvalidOperationException("the world that is to stay can't be made");
        return made.Single(id => api.Promises[id].Kind == "server");
    }

    /// <summary>Leaves it half made when it is time to stop: then its last state is judged.</summary>
    private async Task World(string name)
    {
        var made = new List<string>();
        await Build(name, new(_chance.Next(2) == 0, _chance.Next(3) != 0, _chance.Next(2) == 0, _chance.Next(2) == 0), made);
        // The other way round: what others depend on goes last.
        foreach (var id in Enumerable.Reverse(made))
        {
            if (stop.IsCancellationRequested) return;
            if (api.Promises[id].Kind == "router" && made.Find(m => api.Promises[m].Kind == "subnet") is { } subnet) await api.Ask(HttpMethod.Put, $"{Net}/routers/{id}/remove_router_interface", new { subnet_id = subnet });
            await api.Delete(id);
        }
    }

    /// <param name="Patient">Waits for the server before anything else.</param>
    private sealed record Plan(bool Volume, bool Patient, bool Routed, bool Stopped);

    /// <param name="made">Ids of what was made, in that order.</param>
    /// <returns>True when there is all that was planned.</returns>
    private async Task<bool> Build(string name, Plan plan, List<string> made)
    {
        async Task<string?> Make(string kind, string path, string many, object body, string? within = null)
        {
            if (stop.IsCancellationRequested) return null;
            var id = await api.Create(kind, path, many, $"{name}-{kind}", body, within);
            if (id is not null) made.Add(id);
            return id;
        }
        if (await Make("network", $"{Net}/networks", "networks", new { network = new { name = $"{name}-network" } }) is not { } net) return false;
        if (await Make("subnet", $"{Net}/subnets", "subnets", new { subnet = new { name = $"{name}-subnet", network_id = net, ip_version = 4, cidr = $"10.{number}.0.0/24" } }, within: net) is not { } subnet) return false;
        var volume = plan.Volume ? await Make("volume", $"/volume/v3/{api.Project}/volumes", "volumes", new { volume = new { name = $"{name}-volume", size = 1 } }) : null;
        var server = await Make("server", Servers, "servers", new { server = new { name = $"{name}-server", flavorRef = "1", imageRef = image, networks = new[] { new { uuid = net } } } });
        if (server is null || !plan.Patient || await Settled(server) != "ACTIVE") return false;
        var all = true;
        if (volume is not null) all &= await api.Ask(HttpMethod.Post, $"{Servers}/{server}/os-volume_attachments", new { volumeAttachment = new { volumeId = volume } });
        if (plan.Routed) all &= await Routed(name, subnet, server, (kind, path, many, body) => Make(kind, path, many, body));
        if (plan.Stopped) all &= await api.Ask(HttpMethod.Post, $"{Servers}/{server}/action", new Dictionary<string, object?> { ["os-stop"] = null });
        return all;
    }

    private async Task<bool> Routed(string name, string subnet, string server, Func<string, string, string, object, Task<string?>> make)
    {
        if (await make("router", $"{Net}/routers", "routers", new { router = new { name = $"{name}-router", external_gateway_info = new { network_id = external } } }) is not { } router) return false;
        await api.Ask(HttpMethod.Put, $"{Net}/routers/{router}/add_router_interface", new { subnet_id = subnet });
        return await api.Get($"{Net}/ports?device_id={server}") is { } ports && ports.GetProperty("ports").EnumerateArray().Select(p => p.GetProperty("id").GetString()).FirstOrDefault() is { } port
            && await make("floatingip", $"{Net}/floatingips", "floatingips", new { floatingip = new { floating_network_id = external, port_id = port, description = $"{name}-floatingip" } }) is not null;
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
