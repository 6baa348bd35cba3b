using Cloud.Agents.Simulated;
using Cloud.Platform.Bus;
using Cloud.Platform.Local;
using Cloud.Platform.State;
using Cloud.Tests.Kit;

namespace Cloud.Soak;

/// <summary>What is found in the files when all processes have ended.</summary>
public sealed record Verdict(IReadOnlyList<string> Stuck, IReadOnlyList<string> Leaked, IReadOnlyList<string> Lost)
{
    /// <summary>What was used and what it costs, in one line.</summary>
    public string Billed { get; init; } = "";

    public bool Good => Stuck.Count + Leaked.Count + Lost.Count == 0;

    public override string ToString() => $"{Stuck.Count} stuck, {Leaked.Count} leaked, {Lost.Count} lost";

    public static async Task<Verdict> Of(string file, IEnumerable<(string Host, Dictionary<string, Thing> Things)> held, IEnumerable<Promise> promises)
    {
        var rows = new List<Row>();
        var messages = new List<Message>();
        var dead = new List<string>();
        using (var state = LocalState.Open(file, TimeProvider.System))
        {
            await foreach (var row in state.Store.Partitions("")) rows.Add(row);
            foreach (var queue in (await state.Bus.Depths()).Keys)
                while (await state.Bus.Receive(queue, int.MaxValue, TimeSpan.FromMinutes(5), TimeSpan.Zero) is { Count: > 0 } some) messages.AddRange(some.Select(d => d.Message));
            foreach (var queue in Triggers.All(Slices.All).OfType<Platform.Hosting.QueueTrigger>().Select(t => t.Queue).Concat(held.Select(h => Agents.Contract.Names.HostQueue(h.Host))))
                dead.AddRange((await state.Bus.DeadLetters(queue, int.MaxValue)).Select(d => $"dead letter in {queue}: {d.Message.Id} {d.Reason}"));
        }
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
        var kept = promises.Where(p => p.Deleted && There(p)).Select(p => $"{p.Kind} {p.Id} was deleted and is there");
        string[] Of(params Wrong[] what) => [.. found.Where(p => what.Contains(p.What)).Select(p => p.ToString())];
        return new([.. Of(Wrong.Saga, Wrong.Status, Wrong.Queue, Wrong.Error), .. dead, .. kept], Of(Wrong.Allocation, Wrong.Claim, Wrong.Pointer, Wrong.Host, Wrong.Quota), [.. lost, .. Of(Wrong.Event, Wrong.Metering), .. bill.Problems]) { Billed = bill.ToString() };
    }
}
