using Cloud.Agents.Simulated;
using Cloud.Tests.Kit;

namespace Cloud.Soak;

/// <summary>What is found when all processes have ended.</summary>
public sealed record Verdict(IReadOnlyList<string> Stuck, IReadOnlyList<string> Leaked, IReadOnlyList<string> Lost)
{
    /// <summary>What was used and what it costs, in one line.</summary>
    public string Billed { get; init; } = "";

    public bool Good => Stuck.Count + Leaked.Count + Lost.Count == 0;

    public override string ToString() => $"{Stuck.Count} stuck, {Leaked.Count} leaked, {Lost.Count} lost";

    public static async Task<Verdict> Of(Remains left, IEnumerable<(string Host, Dictionary<string, Thing> Things)> held, IEnumerable<Promise> promises)
    {
        var (rows, messages, dead) = left;
        await using var cloud = TestCloud.Of(rows, messages, held.Select(h => SimulatedHost.From(h.Host, h.Things)), TimeProvider.System.GetUtcNow());
        var found = (await World.Check(cloud)).Problems;
        // A kill between writes to two partitions leaves claims and pointers to the sweeper, which takes its time.
        if (found.Any(p => p.What is Wrong.Claim or Wrong.Pointer))
        {
            found = [.. found.Where(p => p.What is not (Wrong.Claim or Wrong.Pointer))];
            await cloud.Sweep();
            found = [.. found, .. (await World.Check(cloud)).Problems.Where(p => p.What is Wrong.Claim or Wrong.Pointer)];
        }
        var bill = await Bill.Of(cloud.Store, promises, TimeProvider.System.GetUtcNow());
        var bodies = rows.Where(r => !r.Partition.Contains('.', StringComparison.Ordinal)).ToLookup(r => r.Key.Split('|')[0], r => System.Text.Encoding.UTF8.GetString(r.Body.Span));
        bool There(Promise p) => bodies[p.Kind].Any(body => body.Contains($"\"Id\":\"{p.Id}\"", StringComparison.Ordinal));
        var lost = promises.Where(p => !p.Deleted && !There(p)).Select(p => $"{p.Kind} {p.Id} was accepted and is gone").ToList();
        var undeleted = promises.Where(p => p.Deleted && There(p)).Select(p => $"{p.Kind} {p.Id} was deleted and is there");
        string[] Of(params Wrong[] what) => [.. found.Where(p => what.Contains(p.What)).Select(p => p.ToString())];
        return new([.. Of(Wrong.Saga, Wrong.Status, Wrong.Queue, Wrong.Error), .. dead, .. undeleted], Of(Wrong.Allocation, Wrong.Claim, Wrong.Pointer, Wrong.Host, Wrong.Quota), [.. lost, .. Of(Wrong.Event, Wrong.Metering), .. bill.Problems]) { Billed = bill.ToString() };
    }
}
