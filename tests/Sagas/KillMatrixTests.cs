using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Sagas;

/// <summary>
/// Every saga, killed everywhere: at each place where something lasting is about to happen or has just happened, one to three times in a row,
/// with each step and undo failing, each command and reply lost, doubled, late or forged. After every run the whole world must fit together.
/// CS_MATRIX=N makes it N times as thorough, CS_SCENARIO=PART runs only the scenarios whose names have that part.
/// </summary>
public sealed class KillMatrixTests(ITestOutputHelper output)
{
    private static readonly int Thorough = int.TryParse(Environment.GetEnvironmentVariable("CS_MATRIX"), CultureInfo.InvariantCulture, out var n) ? n : 1;
    private static readonly string? Only = Environment.GetEnvironmentVariable("CS_SCENARIO");

    /// <summary>Runs of a build, at least: a family that shrinks unseen would prove less and less.</summary>
    private const int Kills = 12_800, Walks = 5_000, Repeats = 3_300, Sights = 5_900;

    [Fact]
    public void Every_saga_has_a_scenario()
    {
        var known = Scenarios.All.Select(s => s.Saga).ToHashSet();
        foreach (var saga in Slices.All.SelectMany(s => s.Sagas)) Assert.True(known.Contains(saga.Name), $"tests/Sagas/Scenarios.cs doesn't say how to start {saga.Name}");
    }

    [Fact]
    public Task Whatever_is_killed_or_fails_the_world_fits_together() => Judge(Kills, s => Matrix.Of(s, Thorough));

    [Fact]
    public Task Whichever_call_of_store_or_bus_fails_the_world_fits_together() => Judge(Walks, s => Matrix.Walk(s, Thorough));

    [Fact]
    public Task Whatever_comes_twice_or_out_of_order_the_world_fits_together() => Judge(Repeats, Matrix.Repeats);

    [Fact]
    public Task However_old_a_report_of_hosts_is_the_world_fits_together() => Judge(Sights, Matrix.Sights);

    [Fact]
    public void A_build_makes_25000_runs() => Assert.InRange(Kills + Walks + Repeats + Sights, 25_000, int.MaxValue);

    // One run after the other, whosever it is: so processors are busy until the last is done.
    private async Task Judge(int least, Func<Scenario, IAsyncEnumerable<Plan>> all)
    {
        var (watch, before) = (System.Diagnostics.Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        var scenarios = Scenarios.All.Where(s => Only is null || s.Name.Contains(Only, StringComparison.Ordinal)).ToList();
        var (broken, runs) = (new ConcurrentBag<string>(), new ConcurrentDictionary<string, int>());
        await Parallel.ForEachAsync(scenarios, async (s, _) => await s.Ready());
        await Parallel.ForEachAsync(Each(), async (one, _) =>
        {
            var (scenario, plan) = one;
            var report = await Trial.Run(scenario, plan);
            runs.AddOrUpdate(scenario.Name, 1, (_, n) => n + 1);
            if (report.Problems.Count > 0) broken.Add($"{scenario.Name}: {plan}: {string.Join("; ", report.Problems)} [{string.Join(", ", report.Trace)}]");
        });
        async IAsyncEnumerable<(Scenario, Plan)> Each()
        {
            foreach (var scenario in scenarios)
                await foreach (var plan in all(scenario)) yield return (scenario, plan);
        }
        var sum = runs.Values.Sum();
        output.WriteLine($"{string.Join("\n", runs.OrderBy(r => r.Key, StringComparer.Ordinal).Select(r => $"{r.Key}: {r.Value} runs"))}\n{sum} runs, {broken.Count} broken, {watch.Elapsed.TotalSeconds:f1} s, {(Environment.CpuUsage.TotalTime - before).TotalSeconds:f1} s of processors");
        Assert.True(broken.IsEmpty, $"{broken.Count} of {sum}\n{string.Join("\n", broken.GroupBy(Shape).Take(12).Select(g => $"{g.Count()} x {g.First()}"))}");
        Assert.True(sum >= least || Only is not null, $"{sum} runs, {least} are meant to be made");
    }

    // The same problem for the same reason, wherever the deaths were.
    private static string Shape(string broken) => Regex.Replace(Regex.Replace(broken, @"\[.*\]$|dies at \d+,? ?|deleted at \d+|Call = \d+|Seen = \d+|Told = \d+", ""), @"[0-9a-f]{8}-[0-9a-f-]{27}", "id");
}
