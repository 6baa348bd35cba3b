using System.Diagnostics;
using Cloud.Platform.Sagas;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Histories;

/// <summary>
/// Old work on today's code. Kept/ holds clouds in the midst of every saga, as each form of it that ever was left them; files are added there by
/// <c>./cloud generate</c> and never written again.
/// </summary>
public sealed class HistoryTests(ITestOutputHelper output)
{
    private static readonly bool Writes = Environment.GetEnvironmentVariable("CLOUD_WRITE_GOLDEN") is not null;

    public static TheoryData<string> Files => [.. HistoryFile.All.Select(f => Path.GetFileName(f))];

    [Fact]
    public async Task Every_saga_as_it_is_today_has_its_histories_kept()
    {
        var kept = HistoryFile.All.Select(HistoryFile.Read).SelectMany(f => f.Forms).ToLookup(f => f.Key, f => f.Value);
        var missing = Slices.All.SelectMany(s => s.Sagas).Where(s => !kept[s.Name].Any(f => f.SequenceEqual(Form.Of(s)))).ToList();
        if (Writes && missing.Count > 0)
        {
            var file = new HistoryFile();
            foreach (var saga in missing)
            {
                file.Forms[saga.Name] = Form.Of(saga);
                foreach (var scenario in Scenarios.All.Where(s => s.Saga == saga.Name)) await Recorder.Record(scenario, file);
            }
            file.Write();
            return;
        }
        Assert.True(missing.Count == 0, string.Join("\n", missing.Select(saga =>
        {
            var (now, last) = (Form.Of(saga), kept[saga.Name].LastOrDefault() ?? []);
            return $"{saga.Name} is not as it was: {string.Join("; ", now.Except(last).Select(l => "+ " + l).Concat(last.Except(now).Select(l => "- " + l)))}";
        })) + "\nIf old work still ends well (the other test here says so), keep histories of the new form beside the old ones: ./cloud generate. Other steps want another name (docs/adding-a-resource.md).");
    }

    [Fact]
    public void Of_every_saga_there_is_a_history_and_of_its_way_back_too()
    {
        if (Writes) return;
        var kept = HistoryFile.All.Select(HistoryFile.Read).SelectMany(f => f.Histories).ToLookup(h => h.Saga);
        foreach (var saga in Slices.All.SelectMany(s => s.Sagas)) Assert.NotEmpty(kept[saga.Name]);
        Assert.True(kept.Sum(k => k.Count(h => h.At.StartsWith("undo", StringComparison.Ordinal))) > 10);
    }

    [Theory, MemberData(nameof(Files))]
    public async Task What_an_older_version_began_ends_well(string name)
    {
        if (Writes) return;
        var file = HistoryFile.Read(Path.Combine(HistoryFile.Folder, name));
        var (wrong, watch) = (new List<string>(), Stopwatch.StartNew());
        foreach (var history in file.Histories)
        {
            await using var cloud = file.Load(history);
            try { wrong.AddRange((await Ends(cloud, history)).Select(w => $"{history}: {w}")); }
            catch (Exception e) when (e is not OutOfMemoryException) { wrong.Add($"{history}: {e.GetType().Name} {e.Message}"); }
        }
        output.WriteLine($"{name}: {file.Histories.Count} histories of {file.Forms.Count} sagas, {wrong.Count} wrong, {watch.Elapsed.TotalSeconds:f1} s");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong.Take(30)));
    }

    private static async Task<IReadOnlyList<string>> Ends(TestCloud cloud, History history)
    {
        for (var i = 0; i < 20 && (i < 2 || cloud.Bus.All.Count > 0 || cloud.Store.All.Any(r => r.Key.StartsWith("saga|", StringComparison.Ordinal))); i++)
        {
            await cloud.Drain();
            cloud.Clock.Advance(TimeSpan.FromSeconds(21));
            await cloud.Beat();
        }
        var problems = (await World.Check(cloud)).Problems;
        // What a death at that moment leaves for the sweeper.
        if (problems.Any(p => p.What is Wrong.Pointer or Wrong.Claim))
        {
            await cloud.Sweep();
            problems = [.. problems.Where(p => p.What is not (Wrong.Pointer or Wrong.Claim)), .. (await World.Check(cloud)).Problems];
        }
        if (problems.Count > 0) return [.. problems.Select(p => p.ToString())];
        if (history.At.StartsWith("undo", StringComparison.Ordinal) || Scenarios.All.FirstOrDefault(s => s.Name == history.Scenario) is not { } scenario) return [];
        return await scenario.Done(new(cloud, history.Ids)) ? [] : ["what was accepted is not so"];
    }

    [Fact]
    public void What_is_kept_is_never_written_again()
    {
        var sums = File.ReadAllLines(HistoryFile.Sums).Select(l => l.Split("  ")).ToDictionary(l => l[1], l => l[0]);
        Assert.Equal(sums.Keys.Order(StringComparer.Ordinal), HistoryFile.All.Select(f => Path.GetFileName(f)));
        foreach (var file in HistoryFile.All) Assert.Equal(sums[Path.GetFileName(file)], HistoryFile.Sum(file));
    }
}
