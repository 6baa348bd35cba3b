using System.Globalization;
using System.Reflection;
using Xunit;

namespace Cloud.Tests.Simulation;

/// <summary>The whole cloud in one thread on a clock of its own, seed by seed. CS_SEEDS=N runs N of them, CS_SEED=N begins there.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var n) ? n : otherwise;

    [Fact]
    public async Task Whatever_befalls_the_cloud_it_keeps_its_promises()
    {
        var (first, count) = (Setting("CS_SEED", 1), Setting("CS_SEEDS", 1000));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var outcomes = new System.Collections.Concurrent.ConcurrentBag<Outcome>();
        await Beginning.Ready;
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(worker => Task.Run(async () =>
        {
            for (var seed = first + worker; seed < first + count; seed += Environment.ProcessorCount) outcomes.Add(await Simulation.Run(seed, Told(seed)));
        })));
        var bad = outcomes.Where(o => o.Problems.Count > 0).OrderBy(o => o.Seed).ToList();
        output.WriteLine($"seeds {first} to {first + count - 1}: {bad.Count} failed; {outcomes.Sum(o => o.Events)} events, {outcomes.Sum(o => o.Asked)} requests, {outcomes.Sum(o => o.Accepted)} accepted, {outcomes.Sum(o => o.Deaths)} deaths; {outcomes.Sum(o => o.GivenUp)} messages sent again by hand; quiet {outcomes.Max(o => o.Quiet):f0} virtual seconds after healing at worst, {outcomes.Average(o => o.Quiet):f0} on average; {watch.Elapsed.TotalSeconds:f1} s");
        Assert.True(bad.Count == 0, string.Join("\n\n", bad.Take(5).Select(o => $"seed {o.Seed} of commit {Commit()}:\n  {string.Join("\n  ", o.Problems.Take(6))}\n{string.Join("\n", o.Trace.TakeLast(40))}")) + $"\nall: {string.Join(" ", bad.Select(o => o.Seed))}");
    }

    /// <summary>As the compiler wrote it down.</summary>
    private static string Commit() => typeof(Simulation).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[^1] ?? "?";

    /// <summary>CS_TRACE=DIR writes down all that happens.</summary>
    private static Action<string>? Told(int seed)
    {
        if (Environment.GetEnvironmentVariable("CS_TRACE") is not { } folder) return null;
        var file = Path.Combine(folder, $"{seed}.txt");
        File.Delete(file);
        return line => File.AppendAllText(file, line + "\n");
    }

    [Fact]
    public async Task A_seed_replays_exactly()
    {
        for (var seed = 1; seed <= 5; seed++) Assert.Equal((await Simulation.Run(seed)).Hash, (await Simulation.Run(seed)).Hash);
    }
}
