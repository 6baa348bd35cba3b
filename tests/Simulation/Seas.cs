using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Tests.Simulation;

/// <summary>The shared store as one process sees it: it takes time, now and then it refuses or seems to, and the process may die at any call.</summary>
public sealed class SimStore(Process process, IEntityStore inner) : IEntityStore
{
    public async ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default)
    {
        await process.Call();
        return await inner.Get(partition, key, ct);
    }

    public async ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default)
    {
        await process.Call();
        return await inner.List(partition, from, to, limit, ct);
    }

    public async IAsyncEnumerable<Row> Scan(string from, string to, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct = default)
    {
        await process.Call();
        await foreach (var row in inner.Scan(from, to, ct)) yield return row;
    }

    public async IAsyncEnumerable<Row> Partitions(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct = default)
    {
        await process.Call();
        await foreach (var row in inner.Partitions(prefix, ct)) yield return row;
    }

    public async ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        await process.Call();
        Message[] late = [.. (messages ?? []).Select(process.Cloud.Late)];
        await inner.Commit(partition, ops, late, ct);
        foreach (var m in late) process.Cloud.Posted(m);
        await process.Done();
    }
}

/// <summary>The shared bus as one process sees it.</summary>
public sealed class SimBus(Process process, IBus inner) : IBus
{
    public async ValueTask Send(IReadOnlyList<Message> messages, CancellationToken ct = default)
    {
        await process.Call();
        Message[] late = [.. messages.Select(process.Cloud.Late)];
        await inner.Send(late, ct);
        foreach (var m in late) process.Cloud.Posted(m);
        await process.Done();
    }

    public ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct = default) => inner.Receive(queue, max, lockFor, wait, ct);
    public ValueTask<bool> Complete(Delivery delivery, CancellationToken ct = default) => inner.Complete(delivery, ct);
    public ValueTask<bool> Abandon(Delivery delivery, TimeSpan delay, CancellationToken ct = default) => inner.Abandon(delivery, delay, ct);
    public ValueTask<bool> Reject(Delivery delivery, string reason, CancellationToken ct = default) => inner.Reject(delivery, reason, ct);
    public ValueTask<bool> Renew(Delivery delivery, TimeSpan lockFor, CancellationToken ct = default) => inner.Renew(delivery, lockFor, ct);
    public ValueTask<IReadOnlyList<DeadLetter>> DeadLetters(string queue, int max, CancellationToken ct = default) => inner.DeadLetters(queue, max, ct);
    public ValueTask<bool> Replay(string queue, string messageId, CancellationToken ct = default) => inner.Replay(queue, messageId, ct);
    public ValueTask<IReadOnlyDictionary<string, int>> Depths(CancellationToken ct = default) => inner.Depths(ct);
}
