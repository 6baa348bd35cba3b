using System.Collections.Concurrent;

namespace Cloud.Bench;

/// <summary>Objects written and read here and in Debian's Swift, one after the other on the same disk: three copies, synced before the answer.</summary>
internal sealed class Objects(BenchOptions options, string data)
{
    private const int Callers = 8;
    private static readonly (string Name, int Bytes, int Less)[] Sizes = [("1 KB", 1000, 20), ("1 MB", 1_000_000, 5)];

    /// <returns>Whether every goal is met.</returns>
    public async Task<bool> BesideSwift()
    {
        IReadOnlyList<Figures> ours, theirs;
        await using (var swift = await RealSwift.Start(Directory.CreateDirectory(Path.Combine(data, "swift")).FullName))
        {
            using var client = new Client(swift.Url, "");
            theirs = await Measure(swift, client, "/v1/AUTH_bench/bench");
        }
        await using (var cloud = await ControlPlane.Start(options.Cloud, Path.Combine(data, "cloud"), 0))
        {
            using var client = new Client(cloud.Url, await File.ReadAllTextAsync(Path.Combine(data, "cloud", "admin-password")));
            await client.Authenticate();
            ours = await Measure(cloud, client, $"/object-store/v1/AUTH_{client.ProjectId}/bench");
        }
        var rows = ours.Zip(theirs).Select((pair, i) => (Ours: pair.First, Swift: pair.Second, Less: Sizes[i / 2].Less)).ToList();
        Console.Write(Report.Table(["operation", "n", "p50 ms", "per s", "CPU-ms each", "Swift n", "Swift p50 ms", "Swift per s", "Swift CPU-ms", "times less", "goal", "met"], rows.Select(r => (string[])
        [
            r.Ours.Scenario, $"{r.Ours.Count}", Report.N(r.Ours.P50), Report.N(r.Ours.PerSecond), Report.N(r.Ours.CpuMs), $"{r.Swift.Count}" + (r.Swift.Failed > 0 ? $" ({r.Swift.Failed} failed)" : ""), Report.N(r.Swift.P50), Report.N(r.Swift.PerSecond), Report.N(r.Swift.CpuMs),
            Report.N(r.Swift.CpuMs / r.Ours.CpuMs), $"{r.Less} times less", Met(r) ? "yes" : "NO",
        ])));
        return rows.TrueForAll(Met);
    }

    private static bool Met((Figures Ours, Figures Swift, int Less) r) => r.Ours.Failed == 0 && r.Ours.CpuMs * r.Less <= r.Swift.CpuMs;

    private async Task<IReadOnlyList<Figures>> Measure(Subject subject, Client client, string container)
    {
        for (var tries = 0; ; tries++)
            try
            {
                if ((await client.Send("PUT", container)).Ok) break;
                throw new HttpRequestException("no container can be made");
            }
            catch (HttpRequestException) when (tries < 100) { await Task.Delay(200); }
        var (load, all) = (new Load(subject), new List<Figures>());
        foreach (var (name, bytes, _) in Sizes)
        {
            var (body, made) = (new byte[bytes], 0);
            new Random(bytes).NextBytes(body);
            var taken = new ConcurrentQueue<string>();
            all.Add(await load.Rate("PUT " + name, Callers, TimeSpan.FromSeconds(options.Seconds), async () =>
            {
                var place = $"{container}/{bytes}/{Interlocked.Increment(ref made)}";
                var answer = await client.Send("PUT", place, body, type: "application/octet-stream");
                if (answer.Ok) taken.Enqueue(place);
                return answer;
            }));
            // Swift under load answers one PUT or other with 503: that one is not there to be read.
            var (read, there) = (0, taken.ToArray());
            all.Add(await load.Rate("GET " + name, Callers, TimeSpan.FromSeconds(options.Seconds), () => client.Get(there[Interlocked.Increment(ref read) % there.Length])));
        }
        return all;
    }
}
