using System.Diagnostics;

namespace Cloud.Soak;

/// <summary>
/// One soak: lets clients work and the killer kill, waits for rest, and judges what there is. Then everything is deleted, and it is
/// judged again.
/// </summary>
public sealed class Soak : IAsyncDisposable
{
    private static readonly object[] Prices =
    [
        new { meter = "server.*", unit = "second", price = "0.0001" }, new { meter = "server-running.*", unit = "second", price = "0.0002" }, new { meter = "volume.gib", unit = "GiB-second", price = "0.00001" }, new { meter = "image.bytes", unit = "GiB-hour", price = 1 },
        new { meter = "floatingip", unit = "second", price = "0.00002" }, new { meter = "floatingip-idle", unit = "second", price = "0.00003" }, new { meter = "router", unit = "second", price = "0.00005" },
    ];

    private readonly Options _options;
    private readonly CancellationToken _abort;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly CancellationTokenSource _end;
    private readonly string _root;
    private readonly Stand _stand;
    private readonly Api _api;
    private bool _keep = true;

    public Soak(Options options, CancellationToken abort)
    {
        (_options, _abort, _end) = (options, abort, CancellationTokenSource.CreateLinkedTokenSource(abort));
        _end.CancelAfter(TimeSpan.FromSeconds((options.Image is null && !options.Functions ? 360 : 900) + ((20 + (options.Away ?? 0)) * options.Kills)));
        _root = options.Data is { } given ? Directory.CreateDirectory(given).FullName : Directory.CreateTempSubdirectory("cs-soak-").FullName;
        _stand = options.Functions ? new FunctionsStand(options, _root) : options.Image is null ? new SimulatedStand(options, _root) : new RealStand(options, _root);
        _api = new(_stand.Url, Path.Combine(_stand.Data, "admin-password"), _end.Token);
    }

    /// <returns>True when nothing was stuck, leaked or lost.</returns>
    public async Task<bool> Run()
    {
        await _stand.Start(_end.Token);
        var (image, external) = await Prepare();
        var stays = await new Client(_api, 0, image, external, 0, _end.Token).Stay();
        var guests = _stand.Guests();
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(1, _options.Clients).Select(n => new Client(_api, n, image, external, (_options.Seed * 100) + n, stop.Token)).ToList();
        var writer = new Writer(_api, _options.Seed, stop.Token);
        var work = Task.WhenAll(clients.Select(c => Task.Run(c.Run)).Append(_options.Disk == "full" ? Task.Run(writer.Run) : Task.CompletedTask));
        await Kill();
        await stop.CancelAsync();
        await work;
        var verdict = await Judge("at rest");
        var ended = guests.Except(_stand.Guests()).Select(g => $"guest {g.Key} was process {g.Value} and isn't any more").ToList();

        // The same directory again, as after Ctrl-C.
        await _stand.Start(_end.Token);
        var touched = await Touched(stays);
        var objects = await writer.Lost();
        await writer.DeleteAll();
        await _api.DeleteAll();
        var second = await Judge("after all was deleted");
        string[] crashed = _stand.Crashes > 0 ? [$"{_stand.Crashes} processes ended by themselves"] : [];
        verdict = new([.. verdict.Stuck, .. second.Stuck, .. _api.Surprises, .. crashed], [.. verdict.Leaked, .. second.Leaked, .. await _stand.Leftovers()], [.. verdict.Lost, .. second.Lost, .. ended, .. touched, .. objects]);

        Console.WriteLine($"{_stand.Told}, seed {_options.Seed}, {_watch.Elapsed.TotalSeconds:0} s");
        Console.WriteLine($"{_api.Accepted} requests accepted, {_api.Unanswered} without an answer, {_api.Refused} refused for now; {(writer.Written > 0 ? $"{writer.Written} objects written; " : "")}{clients.Sum(c => c.Worlds)} small worlds: {string.Join(", ", _api.Promises.Values.GroupBy(p => p.Kind).Select(g => $"{g.Count()} {g.Key}s"))}");
        foreach (var problem in verdict.Stuck.Concat(verdict.Leaked).Concat(verdict.Lost).Take(20)) Console.WriteLine("  " + (problem.Length > 400 ? problem[..400] : problem));
        Console.WriteLine(second.Billed);
        Console.WriteLine(verdict);
        _keep = !verdict.Good;
        return verdict.Good;
    }

    /// <summary>A server that nobody asked anything of runs, whatever else was killed.</summary>
    private async Task<IReadOnlyList<string>> Touched(string server) =>
        await _api.Get($"/compute/v2.1/servers/{server}") is { } s && s.GetProperty("server").GetProperty("status").GetString() is var status and not "ACTIVE" ? [$"server {server} is {status} and should be ACTIVE"] : [];

    private async Task<Verdict> Judge(string when)
    {
        var rested = await Rest();
        await _stand.Stop();
        var verdict = await Verdict.Of(await _stand.Left(), _stand.Held(), _api.Promises.Values);
        string[] Mark(IEnumerable<string> problems) => [.. problems.Select(p => $"{when}: {p}")];
        return new(Mark([.. verdict.Stuck, .. rested ? Array.Empty<string>() : [$"the queues did not come to rest within {_stand.Patience.TotalMinutes:0} minutes"]]), Mark([.. verdict.Leaked, .. await _stand.Untrue()]), Mark(verdict.Lost)) { Billed = verdict.Billed };
    }

    private async Task<(string Image, string External)> Prepare()
    {
        while (await _api.Get("/identity/v3/projects") is null) await Task.Delay(100, _end.Token);
        await _api.Ask(HttpMethod.Post, "/billing/v1/prices", new { currency = "EUR", decimals = 6, prices = Prices });
        // The clients' worlds fit into one project.
        await _api.Ask(HttpMethod.Put, $"/compute/v2.1/os-quota-sets/{_api.Project}", new { quota_set = new { instances = 1000, cores = 1000, ram = 1000000 } });
        await _api.Ask(HttpMethod.Put, $"/network/v2.0/quotas/{_api.Project}", new { quota = new { router = 1000, network = 1000, subnet = 1000, port = 5000, floatingip = 1000 } });
        await _api.Ask(HttpMethod.Put, $"/volume/v3/{_api.Project}/os-quota-sets/{_api.Project}", new { quota_set = new { volumes = 1000, gigabytes = 10000 } });
        var image = await _api.Create("image", "/image/v2/images", "images", "soak", new { name = "soak", disk_format = _options.Image is null ? "raw" : "qcow2", container_format = "bare" });
        await _api.Upload($"/image/v2/images/{image}/file", _options.Image is { } file ? await File.ReadAllBytesAsync(file, _end.Token) : new byte[1024]);
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
            await _stand.Look();
            var away = TimeSpan.FromSeconds(chance.NextDouble() * 0.5);
            var first = chance.Next(_stand.Victims);
            // Now and then two at once.
            var second = chance.Next(5) == 0 ? (first + 1 + chance.Next(_stand.Victims - 1)) % _stand.Victims : first;
            await Task.WhenAll(_stand.Kill(first, away), second != first ? _stand.Kill(second, away) : Task.CompletedTask);
            if (second != first) n++;
        }
    }

    // Everything accepted has its time to end: no message is under way, no saga at work.
    private async Task<bool> Rest()
    {
        for (var patience = Stopwatch.StartNew(); patience.Elapsed < _stand.Patience;)
        {
            await _stand.Look();
            if (await _api.Get("/ops/v1/sagas") is { } s && s.GetProperty("sagas").GetArrayLength() == 0 && await _stand.Quiet(_api)) return true;
            await Task.Delay(500, _end.Token);
        }
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        await _stand.DisposeAsync();
        _api.Dispose();
        _end.Dispose();
        if (_options.Data is null && (!_keep || _abort.IsCancellationRequested)) Directory.Delete(_root, recursive: true);
        else Console.WriteLine($"state and logs: {_root}");
    }
}
