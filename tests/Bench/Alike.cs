using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloud.Bench;

/// <summary>What time tells: a wrong password of somebody beside one of nobody, another project's thing beside one that never was. Standing alone <c>--only "who exists"</c>.</summary>
internal sealed class Alike(BenchOptions options, string data, Action<string> say)
{
    public const string Stage = "who exists";
    private const double Most = 1.1;
    private const int Rounds = 20, WarmUp = 8;
    /// <summary>Of what takes no longer than some tenths of a millisecond: as many until the runtime has compiled each path for good, which one of the two may be the first to be.</summary>
    private const int Quick = 80;

    private sealed record Pair(string What, int Times, double There, double ThereCpu, double Not, double NotCpu, bool Same)
    {
        public double Ratio => Math.Max(There, Not) / Math.Min(There, Not);
        public bool Met => Same && Ratio <= Most;
    }

    private readonly List<Pair> _pairs = [];

    public bool Met => _pairs.TrueForAll(p => p.Met);

    public async Task All()
    {
        if (options.Only.Count > 0 && !options.Only.Contains(Stage)) return;
        say(Stage);
        var place = Path.Combine(data, "alike");
        await using var cloud = await ControlPlane.Start(options.Cloud, place, 0);
        using var admin = new Client(cloud.Url, (await File.ReadAllTextAsync(Path.Combine(place, "admin-password"))).Trim());
        using var stranger = new Client(cloud.Url, (await File.ReadAllTextAsync(Path.Combine(place, "demo-password"))).Trim(), "demo");
        var fixture = new Fixture(admin);
        await fixture.Make();
        await stranger.Authenticate();
        var server = await fixture.Server("alike");
        var volume = (await admin.Post($"/volume/v3/{admin.ProjectId}/volumes", new JsonObject { ["volume"] = new JsonObject { ["size"] = 1 } })).Must("volume").Id("volume");
        var image = (string)(await admin.Post("/image/v2/images", new JsonObject { ["name"] = "alike", ["visibility"] = "private" })).Must("image").Json["id"]!;
        var account = $"/object-store/v1/AUTH_{admin.ProjectId}";
        (await admin.Send("PUT", account + "/alike")).Must("container");
        (await admin.Send("PUT", account + "/alike/thing", new byte[10])).Must("object");
        await cloud.Settle();

        foreach (var (what, path, id) in ((string, string, string)[])
        [
            ("server", "/compute/v2.1/servers/", server), ("image", "/image/v2/images/", image), ("network", "/network/v2.0/networks/", fixture.Network), ("volume", $"/volume/v3/{stranger.ProjectId}/volumes/", volume),
            ("object", account + "/alike/", "thing"), ("project", "/identity/v3/projects/", admin.ProjectId),
        ])
            await Compare(cloud, what, 50, Quick, Quick, () => stranger.Get(path + id), () => stranger.Get(path + Other(id)));
        // Last, and fewer than lock anybody out of anything that is asked afterwards.
        await Compare(cloud, "password", 5, Rounds, WarmUp, () => Guess(stranger, "demo"), () => Guess(stranger, "dema"));
    }

    /// <summary>One that would lie right beside it.</summary>
    private static string Other(string id) => id[..^1] + (id[^1] == '0' ? '1' : '0');

    private static Task<Answer> Guess(Client client, string name) => client.Send("POST", "/identity/v3/auth/tokens", Encoding.UTF8.GetBytes("""
        {"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"NAME","domain":{"id":"default"},"password":"a wrong one"}}}}}
        """.Replace("NAME", name, StringComparison.Ordinal)), token: false);

    private async Task Compare(ControlPlane cloud, string what, int times, int rounds, int warmUp, Func<Task<Answer>> there, Func<Task<Answer>> not)
    {
        // Turn by turn, so that what else the machine does falls on both.
        var (ms, cpu, status) = (new[] { new List<double>(), new List<double>() }, new double[2], new HashSet<int>());
        for (var round = -warmUp; round < rounds; round++)
            foreach (var side in round % 2 == 0 ? (int[])[0, 1] : [1, 0])
            {
                var before = cloud.CpuMs();
                for (var i = 0; i < times; i++)
                {
                    var began = Stopwatch.GetTimestamp();
                    status.Add((await (side == 0 ? there : not)()).Status);
                    if (round >= 0) ms[side].Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
                if (round >= 0) cpu[side] += cloud.CpuMs() - before;
            }
        double Median(int side) => Figures.Quantile(ms[side], .5);
        double Each(int side) => cpu[side] / (rounds * times);
        _pairs.Add(new(what, rounds * times, Median(0), Each(0), Median(1), Each(1), status.Count == 1 && status.First() >= 400));
        say($"{what}: {Report.N(_pairs[^1].There)} ms when it is there, {Report.N(_pairs[^1].Not)} when it isn't: {_pairs[^1].Ratio:0.00} times; {string.Join(" and ", status)}");
    }

    public string Text() => _pairs.Count == 0 ? "" : "\n" + Report.Table(["what others learn by time", "n", "p50 ms, is there", "CPU-ms", "p50 ms, isn't", "CPU-ms", "times", "goal", "met"], _pairs.Select(p => (string[])
        [p.What, $"{p.Times}", Report.N(p.There), Report.N(p.ThereCpu), Report.N(p.Not), Report.N(p.NotCpu), $"{p.Ratio:0.00}", $"within {Most} times, the same answer", p.Met ? "yes" : "NO"]));
}
