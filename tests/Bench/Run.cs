using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Cloud.Bench;

/// <summary>The whole benchmark, in order. Takes about five minutes.</summary>
internal sealed class Run(BenchOptions options, string data)
{
    internal const int Hosts = 8;
    private const int Many = 16, StormCallers = 10;
    private readonly List<Figures> _operations = [];
    private readonly List<(string What, string Ours, string Zed, string Goal, bool Met)> _whole = [];
    private readonly List<(int Servers, double Page, double PageCpu, double ItemCpu)> _lists = [];
    private static readonly Stopwatch Clock = Stopwatch.StartNew();
    private readonly Flat _flat = new(options, data, Say);
    private readonly Alike _alike = new(options, data, Say);

    public bool Met => _operations.All(f => Report.GoalOf(f, Array.Find(Zed.All, z => z.Scenario == f.Scenario)!).Met) && _whole.TrueForAll(w => w.Met) && _flat.Met && _alike.Met;

    public async Task All()
    {
        const string Delivered = "events to a webhook";
        if (options.Only.Count == 0 || options.Only.Any(o => o is not (Delivered or Alike.Stage) && !Flat.Stages.Contains(o))) await Clouds();
        if (Wanted(Delivered)) await Deliver();
        await _flat.All();
        await _alike.All();
    }

    private async Task Clouds()
    {
        string project;
        await using (var cloud = await Start())
        {
            using var client = new Client(cloud.Url, AdminPassword());
            var fixture = new Fixture(client);
            await fixture.Make();
            project = client.ProjectId;
            await Operations(cloud, client, fixture);
            if (Wanted("1,000 servers")) await Thousand(cloud, client, fixture);
        }
        await Billed(project);
        if (!Wanted("10,000 servers")) return;
        Say("10,000 servers");
        await Seed.Servers(data, project, 9000);
        await using (var cloud = await Start())
        {
            using var client = new Client(cloud.Url, AdminPassword());
            await client.Authenticate();
            await cloud.Rest(client); // hosts are told of the servers that were put into the store
            await List(cloud, client, 10_000);
            // What the ledger costs is within what the whole process does while nothing changes; what the lists left behind is cleared away first, as in Idle.
            await cloud.Rest(client);
            await Task.Delay(TimeSpan.FromMinutes(1));
            var share = await Share(cloud, TimeSpan.FromSeconds(30));
            _whole.Add(("metered and at rest with 10,000 servers, of one core", $"{share:0.00} %", "", "ledger below 1 %", share < 1));
        }
        var each = await Sampled.CpuMs(data, project);
        foreach (var minutes in (int[])[5, 1]) _whole.Add(($"samples of 10,000 guests every {minutes} min, of one core", $"{each * 10_000 / (minutes * 600):0} % ({Report.N(each)} CPU-ms a guest)", "", "", true));
        if (_lists.Count < 3) return;
        var (least, most) = (_lists.Min(l => l.ItemCpu), _lists.Max(l => l.ItemCpu));
        _whole.Add(("list, CPU per item from 100 to 10,000 servers", $"{least * 1000:0} to {most * 1000:0} us", "", "flat (within 1.5 times)", most <= least * 1.5));
    }

    private async Task Thousand(ControlPlane cloud, Client client, Fixture fixture)
    {
        Say("1,000 servers");
        await fixture.Storm("fill-", 1000, Many);
        await cloud.Rest(client);
        Say($"{cloud.ResidentMiB():0} MiB resident, {cloud.PeakMiB():0} at most");
        await List(cloud, client, 1000);
        await Idle(cloud, client);
        _whole.Add(("resident with 1,000 servers, at rest", $"{cloud.ResidentMiB():0} MiB", Zed.Resident, "under 130 MB", cloud.ResidentMiB() < 130e6 / (1 << 20)));
    }

    private async Task<ControlPlane> Start(bool told = true)
    {
        var fresh = !Directory.Exists(data);
        var cloud = await ControlPlane.Start(options.Cloud, data, Hosts);
        Say($"ready after {cloud.ColdStart.TotalMilliseconds:0} ms");
        if (told && options.Only.Count == 0) _whole.Add((fresh ? "cold start to ready, new cloud" : "cold start to ready, 10,000 servers", $"{cloud.ColdStart.TotalSeconds:0.00} s", Zed.ColdStart, "under 2 s", cloud.ColdStart.TotalSeconds < 2));
        return cloud;
    }

    private async Task Deliver()
    {
        Say("events to a webhook");
        var (rate, cpu) = await new Delivery(options, data).Measure();
        _whole.Add(("events from the outbox to a webhook, per s", $"{Report.N(rate)} ({Report.N(cpu)} CPU-ms each)", "-", $"{Delivery.Goal:#,0}", rate >= Delivery.Goal));
    }

    private string AdminPassword() => File.ReadAllText(Path.Combine(data, "admin-password")).Trim();

    private async Task Operations(ControlPlane cloud, Client client, Fixture fixture)
    {
        var load = new Load(cloud);
        await Rate(load, "token issue", client.Login);
        await Rate(load, "token validate", () => client.Send("GET", "/identity/v3/auth/tokens", header: ("X-Subject-Token", client.Token)));
        await Rate(load, "image list", () => client.Get("/image/v2/images"));
        await Rate(load, "network create", () => client.Post("/network/v2.0/networks", new JsonObject { ["network"] = new JsonObject { ["name"] = "made" } }));
        await fixture.Sweep("/network/v2.0/networks", "networks", Many);
        await Rate(load, "port create", () => client.Post("/network/v2.0/ports", new JsonObject { ["port"] = new JsonObject { ["name"] = "made", ["network_id"] = fixture.Network } }));
        await fixture.Sweep("/network/v2.0/ports", "ports", Many);
        if (Wanted("server life"))
        {
            await load.Repeat("warm-up", StormCallers, 100, i => fixture.ServerLife($"warm-{i}"));
            foreach (var (callers, times) in new[] { (1, 30), (StormCallers, 100) }) Add(await load.Repeat("server life", callers, times, i => fixture.ServerLife($"life-{i}")));
        }
        if (Wanted("storm of 100"))
        {
            var storm = await load.Repeat("storm of 100", 1, 1, _ => fixture.Storm("storm-", 100, StormCallers));
            Add(storm with { Callers = StormCallers, Count = 100, CpuMs = storm.CpuMs / 100, PerSecond = 100_000 / storm.P50 });
        }
        if (Wanted("list of 100 servers"))
        {
            if (!Wanted("storm of 100")) await fixture.Storm("storm-", 100, StormCallers);
            await Rate(load, "list of 100 servers", () => client.Get("/compute/v2.1/servers/detail?limit=1000&name=^storm-"));
            await List(cloud, client, 100);
            await fixture.Sweep("storm-", Many);
        }
    }

    private bool Wanted(string operation) => options.Only.Count == 0 || options.Only.Contains(operation);

    private async Task Rate(Load load, string operation, Func<Task<Answer>> request)
    {
        if (!Wanted(operation)) return;
        foreach (var callers in (int[])[1, Many]) Add(await load.Rate(operation, callers, TimeSpan.FromSeconds(options.Seconds), request));
    }

    private void Add(Figures f)
    {
        _operations.Add(f);
        Say($"{f.Scenario} x{f.Callers}: p50 {Report.N(f.P50)} ms, p95 {Report.N(f.P95)} ms, {Report.N(f.PerSecond)}/s, {Report.N(f.CpuMs)} CPU-ms each{(f.Failed > 0 ? $", {f.Failed} FAILED" : "")}");
    }

    /// <summary>A page of a hundred, and all pages of a thousand one after the other: the cheapest of three passes, for what else the machine does only adds.</summary>
    private async Task List(ControlPlane cloud, Client client, int servers)
    {
        var load = new Load(cloud);
        var page = await load.Rate("page", 1, TimeSpan.FromSeconds(2), () => client.Get("/compute/v2.1/servers/detail?limit=100"));
        var rounds = Math.Max(3, 20_000 / servers);
        var each = new List<double>();
        for (var pass = 0; pass < 3; pass++)
        {
            var items = 0;
            var all = await load.Repeat("all pages", 1, rounds, async _ => { items += await AllPages(client); return TimeSpan.Zero; });
            each.Add(all.CpuMs * rounds / items);
        }
        _lists.Add((servers, page.P50, page.CpuMs, each.Min()));
        Say($"list with {servers} servers: page of 100 p50 {Report.N(page.P50)} ms, {Report.N(page.CpuMs)} CPU-ms; all pages {string.Join(", ", each.Select(e => Report.N(e * 1000)))} CPU-us an item");
    }

    private static async Task<int> AllPages(Client client)
    {
        for (var (items, marker) = (0, ""); ;)
        {
            var answer = (await client.Get("/compute/v2.1/servers/detail?limit=1000" + marker)).Must("list").Json["servers"]!.AsArray();
            items += answer.Count;
            if (answer.Count < 1000) return items;
            marker = "&marker=" + (string)answer[^1]!["id"]!;
        }
    }

    /// <summary>From a minute after the load: until then the runtime compiles what was busy, and gives memory back.</summary>
    private async Task Idle(ControlPlane cloud, Client client)
    {
        await cloud.Rest(client);
        Say($"idle for a minute, and {options.Idle:0} s");
        await Task.Delay(TimeSpan.FromMinutes(1));
        var share = await Share(cloud, TimeSpan.FromSeconds(options.Idle));
        _whole.Add(("idle, of one core", $"{share:0.00} %", Zed.Idle, "below 0.2 %", share < 0.2));
    }

    private static async Task<double> Share(ControlPlane cloud, TimeSpan time)
    {
        var cpu = cloud.CpuMs();
        await Task.Delay(time);
        return (cloud.CpuMs() - cpu) / time.TotalSeconds / 10;
    }

    /// <summary>A month of ten thousand resources, from the ledger on disk to the answer.</summary>
    private async Task Billed(string project)
    {
        if (!Wanted("month of 10,000 resources")) return;
        await Bills.Seed(data, project);
        await using var cloud = await Start(told: false);
        using var client = new Client(cloud.Url, AdminPassword());
        await client.Authenticate();
        var (seconds, items) = await Bills.Rate(client);
        Say($"month of {Bills.Resources} resources: {items} items in {seconds:0.00} s");
        _whole.Add(("month of 10,000 resources rated", $"{seconds:0.00} s", "", "under 5 s", seconds < 5 && items >= Bills.Resources));
    }

    private static void Say(string text) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Clock.Elapsed.TotalSeconds,6:0.0} s  {text}"));

    public string Text() => (_operations.Count == 0 ? "" : Report.Operations(_operations))
        + (_whole.Count == 0 ? "" : "\n" + Report.Table(["whole cloud", "ours", "Zed", "goal", "met"], _whole.Select(w => new[] { w.What, w.Ours, w.Zed, w.Goal, w.Met ? "yes" : "NO" })))
        + (_lists.Count == 0 ? "" : "\n" + Report.Table(["servers", "page of 100, p50 ms", "its CPU-ms", "all pages of 1,000, CPU-us an item"], _lists.Select(l => new[] { $"{l.Servers}", Report.N(l.Page), Report.N(l.PageCpu), Report.N(l.ItemCpu * 1000) })))
        + _flat.Text() + _alike.Text();

    public string Document() => Machine.Page(Text());
}
