using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Cloud.Soak;

/// <summary>One soak: starts the processes, lets clients work and the killer kill, waits for rest, judges.</summary>
public sealed class Soak : IAsyncDisposable
{
    private readonly Options _options;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly CancellationTokenSource _end;
    private readonly string _root, _data, _agents;
    private readonly IReadOnlyList<string> _hosts;
    private readonly Victim _control, _agent;
    private readonly Api _api;

    public Soak(Options options)
    {
        (_options, _end) = (options, new(TimeSpan.FromSeconds(240 + (20 * options.Kills))));
        _root = options.Data is { } given ? Directory.CreateDirectory(given).FullName : Directory.CreateTempSubdirectory("cs-soak-").FullName;
        (_data, _agents) = (Path.Combine(_root, "cloud"), Path.Combine(_root, "agents"));
        _hosts = [.. Enumerable.Range(1, options.Hosts).Select(i => $"sim-{i}")];
        var (http, amqp) = (Free(), Free());
        _control = new("control plane", Path.Combine(options.Bin, "Cloud.Functions"),
            ["up", "--data", _data, "--listen", $"127.0.0.1:{http}", "--amqp", $"127.0.0.1:{amqp}", .. _hosts.SelectMany(h => new[] { "--host", h })], Path.Combine(_root, "control.log"));
        _agent = new("host agent", Path.Combine(options.Bin, "Cloud.Agents.Simulated"),
            ["--data", _agents, "--control", $"amqp://127.0.0.1:{amqp}", "--secrets", _data, "--beat", "2", .. _hosts.SelectMany(h => new[] { "--name", h })], Path.Combine(_root, "agent.log"));
        _api = new($"http://127.0.0.1:{http}", Path.Combine(_data, "admin-password"), _end.Token);
    }

    /// <returns>True when nothing was stuck, leaked or lost.</returns>
    public async Task<bool> Run()
    {
        _control.Start();
        _agent.Start();
        var (image, external) = await Prepare();
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(1, _options.Clients).Select(n => new Client(_api, n, image, external, (_options.Seed * 100) + n, stop.Token)).ToList();
        var work = Task.WhenAll(clients.Select(c => Task.Run(c.Run)));
        await Kill();
        await stop.CancelAsync();
        await work;
        var rested = await Rest();
        await _agent.Stop();
        await _control.Stop();
        var verdict = await Verdict.Of(_data, _agents, _hosts, _api.Promises.Values);
        verdict = verdict with { Stuck = [.. verdict.Stuck, .. rested ? Array.Empty<string>() : ["the queues did not come to rest within two minutes"], .. _api.Surprises] };
        Print(verdict, clients.Sum(c => c.Worlds));
        if (verdict.Good && _options.Data is null) Directory.Delete(_root, recursive: true);
        else Console.WriteLine($"state and logs: {_root}");
        return verdict.Good;
    }

    private void Print(Verdict verdict, int worlds)
    {
        Console.WriteLine($"{_control.Kills + _agent.Kills} kills ({_control.Kills} of the control plane, {_agent.Kills} of the host agent; {_control.Crashes + _agent.Crashes} ends of their own), seed {_options.Seed}, {_watch.Elapsed.TotalSeconds:0} s");
        Console.WriteLine($"{_api.Accepted} requests accepted, {_api.Unanswered} without an answer; {worlds} small worlds: {string.Join(", ", _api.Promises.Values.GroupBy(p => p.Kind).Select(g => $"{g.Count()} {g.Key}s"))}");
        foreach (var problem in verdict.Stuck.Concat(verdict.Leaked).Concat(verdict.Lost).Take(20)) Console.WriteLine("  " + (problem.Length > 400 ? problem[..400] : problem));
        Console.WriteLine(verdict);
    }

    private async Task<(string Image, string External)> Prepare()
    {
        while (await _api.Get("/identity/v3/projects") is null) await Task.Delay(100, _end.Token);
        // The clients' worlds fit into one project.
        await _api.Ask(HttpMethod.Put, $"/compute/v2.1/os-quota-sets/{_api.Project}", new { quota_set = new { instances = 1000, cores = 1000, ram = 1000000 } });
        await _api.Ask(HttpMethod.Put, $"/network/v2.0/quotas/{_api.Project}", new { quota = new { router = 1000, network = 1000, subnet = 1000, port = 5000, floatingip = 1000 } });
        await _api.Ask(HttpMethod.Put, $"/volume/v3/{_api.Project}/os-quota-sets/{_api.Project}", new { quota_set = new { volumes = 1000, gigabytes = 10000 } });
        var image = await _api.Create("image", "/image/v2/images", "images", "soak", new { name = "soak", disk_format = "raw", container_format = "bare" });
        await _api.Upload($"/image/v2/images/{image}/file", new byte[1024]);
        var external = await _api.Create("network", "/network/v2.0/networks", "networks", "ext", new Dictionary<string, object> { ["network"] = new Dictionary<string, object> { ["name"] = "ext", ["router:external"] = true } });
        await _api.Create("subnet", "/network/v2.0/subnets", "subnets", "extsub", new { subnet = new { name = "extsub", network_id = external, ip_version = 4, cidr = "198.18.0.0/20", enable_dhcp = false } });
        return (image!, external!);
    }

    private async Task Kill()
    {
        var chance = new Random(_options.Seed);
        for (var n = 0; n < _options.Kills; n++)
        {
            // Mostly killed at work, which on a slow machine takes a while to get going; sometimes while it starts.
            var (hurry, least) = (chance.Next(5) == 0, _api.Accepted + chance.Next(12));
            for (var i = 0; !hurry && i < 100 && _api.Accepted < least; i++) await Task.Delay(100, _end.Token);
            await Task.Delay(TimeSpan.FromSeconds(0.3 + (chance.NextDouble() * 2.7)), _end.Token);
            await _control.Look();
            await _agent.Look();
            var away = TimeSpan.FromSeconds(chance.NextDouble() * 0.5);
            switch (chance.Next(5))
            {
                case < 2: await _control.Kill(away); break;
                case < 4: await _agent.Kill(away); break;
                default: await Task.WhenAll(_control.Kill(away), _agent.Kill(away)); n++; break;
            }
        }
    }

    // Everything accepted has its time to end: no message is under way, no saga at work.
    private async Task<bool> Rest()
    {
        for (var patience = Stopwatch.StartNew(); patience.Elapsed < TimeSpan.FromMinutes(2);)
        {
            await _control.Look();
            await _agent.Look();
            if (await _api.Get("/ops/v1/queues") is { } q && await _api.Get("/ops/v1/sagas") is { } s && s.GetProperty("sagas").GetArrayLength() == 0
                && q.GetProperty("queues").EnumerateArray().All(x => Left(x) == 0)) return true;
            await Task.Delay(500, _end.Token);
        }
        return false;
    }

    // Heartbeats come and go.
    private static int Left(JsonElement queue) => queue.GetProperty("name").GetString() == "replies" ? 0 : queue.GetProperty("messages").GetInt32();

    private static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await _agent.DisposeAsync();
        await _control.DisposeAsync();
        _api.Dispose();
        _end.Dispose();
    }
}
