using System.Globalization;
using System.Text.Json.Nodes;

namespace Cloud.Bench;

/// <summary>What must not cost more where there is more: a page of a long list, and memory for a long stream. Standing alone these are <c>--only "object lists"</c>, <c>"user lists"</c> and <c>"image stream"</c>.</summary>
internal sealed class Flat(BenchOptions options, string data, Action<string> say)
{
    private const int Few = 100, Callers = 16;
    public static readonly string[] Stages = ["object lists", "user lists", "image stream"];

    private readonly List<(string What, int Many, Figures Small, Figures Large)> _lists = [];
    private readonly List<string[]> _streams = [];
    private bool _level = true;

    public bool Met => _lists.TrueForAll(l => l.Small.Failed + l.Large.Failed == 0 && Ratio(l) <= 1.5) && _level;

    private static double Ratio((string What, int Many, Figures Small, Figures Large) l) => l.Large.CpuMs / l.Small.CpuMs;

    public async Task All()
    {
        if (!Stages.Any(Wanted)) return;
        await using var cloud = await ControlPlane.Start(options.Cloud, Path.Combine(data, "flat"), 0);
        using var client = new Client(cloud.Url, (await File.ReadAllTextAsync(Path.Combine(data, "flat", "admin-password"))).Trim());
        await client.Authenticate();
        if (Wanted("image stream")) await Stream(cloud, client);
        if (Wanted("object lists")) await Objects(cloud, client);
        if (Wanted("user lists")) await Users(cloud, client);
    }

    private bool Wanted(string stage) => options.Only.Count == 0 || options.Only.Contains(stage);

    private async Task Objects(ControlPlane cloud, Client client)
    {
        var account = $"/object-store/v1/AUTH_{client.ProjectId}";
        var pages = new Dictionary<int, Figures[]>();
        foreach (var many in (int[])[Few, options.Objects])
        {
            (await client.Send("PUT", $"{account}/with-{many}")).Must("container");
            say($"{many} objects");
            await Each(many, i => client.Send("PUT", $"{account}/with-{many}/{i % 10}/{i:D6}", []));
            await cloud.Rest(client);
            var load = new Load(cloud);
            var middle = $"5/{many / 2:D6}";
            pages[many] =
            [
                await load.Rate("page of 100 objects", 1, Time, () => client.Get($"{account}/with-{many}?format=json&limit=100&marker={(many == Few ? "" : middle)}")),
                await load.Rate("page of folders", 1, Time, () => client.Get($"{account}/with-{many}?format=json&delimiter=/")),
                await load.Rate("HEAD of a container", 1, Time, () => client.Send("HEAD", $"{account}/with-{many}")),
                await load.Rate("HEAD of an account", 1, Time, () => client.Send("HEAD", account)),
            ];
        }
        Compare(pages, options.Objects);
    }

    private async Task Users(ControlPlane cloud, Client client)
    {
        var pages = new Dictionary<int, Figures[]>();
        var made = 0;
        foreach (var many in (int[])[Few, options.Users])
        {
            say($"{many} users");
            var first = made;
            await Each(many - made, i => client.Post("/identity/v3/users", new JsonObject { ["user"] = new JsonObject { ["name"] = $"user-{first + i:D6}" } }));
            made = many;
            await cloud.Rest(client);
            var load = new Load(cloud);
            pages[many] =
            [
                await load.Rate("page of 50 users", 1, Time, () => client.Get("/identity/v3/users?limit=50")),
                await load.Rate("a user by name", 1, Time, () => client.Get("/identity/v3/users?name=user-000042")),
                await load.Rate("token issue", 1, Time, client.Login),
            ];
        }
        Compare(pages, options.Users);
    }

    /// <summary>One image of 64 MiB, then one of the size wished, up and down again: how much more memory the longer one takes.</summary>
    private async Task Stream(ControlPlane cloud, Client client)
    {
        var peaks = new List<double>();
        foreach (var bytes in (long[])[64L << 20, options.GiB << 30])
        {
            var id = (string)(await client.Post("/image/v2/images", new JsonObject { ["name"] = $"{bytes}", ["disk_format"] = "raw", ["container_format"] = "bare" })).Must("image").Json["id"]!;
            foreach (var up in (bool[])[true, false])
            {
                await cloud.Settle();
                cloud.ForgetPeak();
                var (clock, cpu) = (System.Diagnostics.Stopwatch.StartNew(), cloud.CpuMs());
                if (up) (await client.Upload($"/image/v2/images/{id}/file", bytes)).Must("upload");
                else if (await client.Download($"/image/v2/images/{id}/file") is var got && got != bytes) throw new InvalidOperationException($"{got} bytes came back of {bytes}");
                var seconds = clock.Elapsed.TotalSeconds;
                peaks.Add(cloud.PeakMiB());
                _streams.Add([$"image of {bytes >> 20:#,0} MiB {(up ? "up" : "down")}", Report.N((bytes >> 20) / seconds), Report.N((cloud.CpuMs() - cpu) / (bytes >> 20)), $"{peaks[^1]:0}"]);
                say(string.Join(", ", _streams[^1]));
            }
            (await client.Delete($"/image/v2/images/{id}")).Must("delete");
        }
        _level = peaks[2] - peaks[0] < 32 && peaks[3] - peaks[1] < 32;
    }

    private static TimeSpan Time => TimeSpan.FromSeconds(2);

    private static Task Each(int many, Func<int, Task<Answer>> make) =>
        Parallel.ForEachAsync(Enumerable.Range(0, many), new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (i, _) => (await make(i)).Must("fill"));

    private void Compare(Dictionary<int, Figures[]> pages, int many)
    {
        foreach (var (small, large) in pages[Few].Zip(pages[many]))
        {
            _lists.Add((small.Scenario, many, small, large));
            say($"{small.Scenario}: {Report.N(small.CpuMs)} CPU-ms with {Few}, {Report.N(large.CpuMs)} with {many}: {Report.N(large.CpuMs / small.CpuMs)} times");
        }
    }

    public string Text() => (_lists.Count == 0 ? "" : "\n" + Report.Table(["what", "of", "p50 ms with 100", "CPU-ms", "p50 ms with all", "CPU-ms", "times", "goal", "met"], _lists.Select(l => (string[])
        [
            l.What, l.Many.ToString("#,0", CultureInfo.InvariantCulture), Report.N(l.Small.P50), Report.N(l.Small.CpuMs), Report.N(l.Large.P50), Report.N(l.Large.CpuMs), Report.N(Ratio(l)), "flat (within 1.5 times)", l.Small.Failed + l.Large.Failed == 0 && Ratio(l) <= 1.5 ? "yes" : "NO",
        ]))) + (_streams.Count == 0 ? "" : "\n" + Report.Table(["stream", "MiB per s", "CPU-ms a MiB", "peak MiB resident"], _streams) + $"\nThe long one takes the short one's memory (goal: within 32 MiB): {(_level ? "yes" : "NO")}\n");
}
