using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Soak;

/// <summary>All that a cloud had kept when its processes ended: rows, messages that were due, and those that were given up.</summary>
public sealed record Remains(IReadOnlyList<Row> Rows, IReadOnlyList<Message> Messages, IReadOnlyList<string> Dead)
{
    /// <param name="hosts">Their queues are looked into as well.</param>
    /// <param name="more">Other queues that may hold something.</param>
    public static async Task<Remains> Of(IEntityStore store, IBus bus, IEnumerable<string> hosts, IEnumerable<string> more)
    {
        var (rows, messages, dead) = (new List<Row>(), new List<Message>(), new List<string>());
        // Each store has ETags of its own kind; what is only looked at may have any.
        await foreach (var row in store.Partitions("")) rows.Add(row with { ETag = (rows.Count + 1).ToString(System.Globalization.CultureInfo.InvariantCulture) });
        var queues = Triggers.All(Slices.All).OfType<Platform.Hosting.QueueTrigger>().Select(t => t.Queue).Concat(hosts.Select(Agents.Contract.Names.HostQueue)).ToList();
        foreach (var queue in queues.Union(more))
            while (await bus.Receive(queue, int.MaxValue, TimeSpan.FromMinutes(5), TimeSpan.Zero) is { Count: > 0 } some) messages.AddRange(some.Select(d => d.Message));
        foreach (var queue in queues)
            dead.AddRange((await bus.DeadLetters(queue, int.MaxValue)).Select(d => $"dead letter in {queue}: {d.Message.Id} {d.Reason}"));
        return new(rows, messages, dead);
    }
}
