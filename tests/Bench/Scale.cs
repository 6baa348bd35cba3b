using System.Diagnostics;
using System.Globalization;
using Cloud.Agents.Contract;
using Cloud.Compute;
using Cloud.Platform.Agents;

namespace Cloud.Bench;

/// <summary>
/// What one of each thing costs in a cloud of ever more hosts and servers. The code, the store and its file are those of production; hosts are simulated, and nothing else goes
/// on meanwhile. Times are medians of one after the other.
/// </summary>
internal sealed class Scale(string data, int most, Action<string> say)
{
    private static readonly int[] s_hosts = [100, 1_000, 10_000];

    private readonly List<int> _steps = [];
    private readonly Dictionary<string, List<double>> _ms = [];
    private readonly List<string> _files = [];

    public async Task All()
    {
        await Task.Yield();
        using (var cloud = new ScaleCloud(data)) await cloud.Start();
        var clock = Stopwatch.StartNew();
        using (var cloud = new ScaleCloud(data))
        {
            await cloud.Start();
            var seed = new ScaleSeed(cloud);
            await seed.Model();
            foreach (var hosts in s_hosts.Where(h => h <= most))
            {
                var servers = hosts * ScaleSeed.PerHost;
                clock.Restart();
                await seed.Fill(hosts, servers);
                say($"{hosts} hosts and {servers} servers, made in {clock.Elapsed.TotalSeconds:0} s");
                _steps.Add(hosts);
                await Measure(cloud, seed, hosts);
                _files.Add($"{new FileInfo(Path.Combine(data, "state.db")).Length / 1e6:0}");
            }
        }
        clock.Restart();
        using (var cloud = new ScaleCloud(data)) await cloud.Start();
        say($"opened again in {clock.Elapsed.TotalMilliseconds:0} ms");
    }

    private async Task Measure(ScaleCloud cloud, ScaleSeed seed, int hosts)
    {
        var (s, project) = (cloud.Services, $"{hosts * ScaleSeed.PerHost / ScaleSeed.PerProject / 2:D32}");
        var own = (await Servers.Rows.InProject(s.Store, project))[0];
        await Time("scheduling decision", 15, async _ => await Placement.Facade.Candidates(s, ServerSpecs.Needs(own)));
        var lives = new List<string>();
        await Time("server created, until it is ACTIVE", 15, async i =>
        {
            lives.Add(await seed.Create($"life-{hosts}-{i}"));
            await cloud.Drain();
        });
        foreach (var id in lives)
            if ((string?)(await cloud.Ask("GET", $"/compute/v2.1/servers/{id}"))!["server"]!["status"] != "ACTIVE") throw new InvalidOperationException($"server {id} is not ACTIVE");
        await Time("server deleted, until it is gone", lives.Count, async i =>
        {
            await cloud.Ask("DELETE", $"/compute/v2.1/servers/{lives[i]}");
            await cloud.Drain();
            if (await cloud.Status("GET", $"/compute/v2.1/servers/{lives[i]}") != 404) throw new InvalidOperationException($"server {lives[i]} is still there");
        });
        await Time("server shown", 50, async _ => await cloud.Ask("GET", $"/compute/v2.1/servers/{own.Id}"));
        await Time("page of 100 servers of all projects", 15, async _ => await cloud.Ask("GET", $"/compute/v2.1/servers/detail?all_tenants=1&limit=100&marker={own.Id}"));
        await Time("heartbeat with something to write", 200, async i => await Hosts.Beat(s, ScaleCloud.Beat(i * hosts / 200, 2, $"boot-{hosts}"), default));
        var host = ScaleCloud.NameOf(hosts / 2);
        var holds = new List<InventoryItem>();
        foreach (var owner in s.Slices.SelectMany(x => x.Owners))
            foreach (var c in owner.Wanted is { } wanted ? await wanted(s, host) : []) holds.Add(new(c.Command.Key, c.Fence ?? 1));
        if (holds.Count < ScaleSeed.PerHost * 2) throw new InvalidOperationException($"{host} holds {holds.Count} things only");
        await Time($"one host with {ScaleSeed.PerHost} guests reconciled", 5, async _ => await Reconciler.Compare(s, new(host, "boot-1", [.. holds]), default));
        if ((await s.Bus.Depths()).ContainsKey(Names.HostQueue(host))) throw new InvalidOperationException("the reconciler found something to do, and there is nothing");
        await Time("all timers once (each of them every 5 to 60 minutes)", 1, async _ => { foreach (var timer in cloud.Timers) await timer.Run(s, default); });
        await cloud.Drain();
    }

    private async Task Time(string what, int times, Func<int, Task> one)
    {
        var each = new List<double>();
        for (var i = 0; i < times; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await one(i);
            each.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        each.Sort();
        if (!_ms.TryGetValue(what, out var list)) _ms[what] = list = [];
        list.Add(each[each.Count / 2]);
        say($"  {what}: {Report.N(list[^1])} ms");
    }

    public string Text() => Report.Table(["what, median ms", .. _steps.Select(h => $"{Of(h)}"), "times"],
        [.. _ms.Select(m => (string[])[m.Key, .. m.Value.Select(Report.N), Report.N(m.Value[^1] / m.Value[0])]), ["MB of the state's file", .. _files, ""]]);

    public string Picture() => Curves.Svg("What one of each costs: embedded store, median", [.. _steps.Select(h => (double)h)], [.. _steps.Select(Of)], [.. _ms.Select(m => (m.Key, (IReadOnlyList<double>)m.Value))]);

    private static string Of(int hosts) => string.Create(CultureInfo.InvariantCulture, $"{hosts:#,0} hosts, {hosts * ScaleSeed.PerHost:#,0} servers");
}
