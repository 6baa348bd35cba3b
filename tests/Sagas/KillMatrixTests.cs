using System.Globalization;
using System.Text.RegularExpressions;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Sagas;

/// <summary>
/// Every saga, killed everywhere: at each place where something lasting is about to happen or has just happened, one to three times in a row,
/// with each step and undo failing, each command and reply lost, doubled, late or forged. After every run the whole world must fit together.
/// CS_MATRIX=N makes it N times as thorough.
/// </summary>
public sealed class KillMatrixTests(ITestOutputHelper output)
{
    private static readonly int Thorough = int.TryParse(Environment.GetEnvironmentVariable("CS_MATRIX"), CultureInfo.InvariantCulture, out var n) ? n : 1;

    public static TheoryData<string> Names => [.. Scenarios.All.Select(s => s.Name)];

    [Fact]
    public void Every_saga_has_a_scenario()
    {
        var known = Scenarios.All.Select(s => s.Saga).ToHashSet();
        foreach (var saga in Slices.All.SelectMany(s => s.Sagas)) Assert.True(known.Contains(saga.Name), $"tests/Sagas/Scenarios.cs doesn't say how to start {saga.Name}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public Task Whatever_is_killed_or_fails_the_world_fits_together(string name) => Judge(name, s => Matrix.Of(s, Thorough));

    [Theory]
    [MemberData(nameof(Names))]
    public Task Whichever_call_of_store_or_bus_fails_the_world_fits_together(string name) => Judge(name, s => Matrix.Walk(s, Thorough));

    [Theory]
    [MemberData(nameof(Names))]
    public Task Whatever_comes_twice_or_out_of_order_the_world_fits_together(string name) => Judge(name, Matrix.Repeats);

    private static int s_runs;

    private async Task Judge(string name, Func<Scenario, IAsyncEnumerable<(Plan, Report)>> all)
    {
        var scenario = Scenarios.All.First(s => s.Name == name);
        var (runs, watch) = (0, System.Diagnostics.Stopwatch.StartNew());
        var broken = new List<string>();
        await foreach (var (plan, report) in all(scenario))
        {
            runs++;
            if (report.Problems.Count > 0) broken.Add($"{plan}: {string.Join("; ", report.Problems)} [{string.Join(", ", report.Trace)}]");
        }
        output.WriteLine($"{name}: {runs} runs, {broken.Count} broken, {watch.ElapsedMilliseconds} ms; {Interlocked.Add(ref s_runs, runs)} runs so far");
        Assert.True(broken.Count == 0, $"{name}: {broken.Count} of {runs}\n{string.Join("\n", broken.GroupBy(Shape).Take(12).Select(g => $"{g.Count()} x {g.First()}"))}");
    }

    // The same problem for the same reason, wherever the deaths were.
    private static string Shape(string broken) => Regex.Replace(Regex.Replace(broken, @"\[.*\]$|dies at \d+,? ?|deleted at \d+|Call = \d+", ""), @"[0-9a-f]{8}-[0-9a-f-]{27}", "id");
}
