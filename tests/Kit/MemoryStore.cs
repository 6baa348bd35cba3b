using System.Globalization;
using System.Runtime.CompilerServices;
using Cloud.Platform.Bus;
using Cloud.Platform.Local;
using Cloud.Platform.State;

namespace Cloud.Tests.Kit;

/// <summary>The store's contract in memory, with a hook before and after every commit where a test can let the process die.</summary>
public sealed class MemoryStore(MemoryBus bus) : IEntityStore
{
    private readonly SortedDictionary<(string, string), Row> _rows = new(Comparer<(string, string)>.Create((a, b) =>
        string.CompareOrdinal(a.Item1, b.Item1) is not 0 and var p ? p : string.CompareOrdinal(a.Item2, b.Item2)));
    private readonly Lock _gate = new();
    private long _tag;

    /// <summary>Called before (false) and after (true) each commit; what it throws goes to the caller.</summary>
    public Action<bool>? OnCommit { get; set; }

    public IReadOnlyList<Row> All { get { lock (_gate) return [.. _rows.Values]; } }

    public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default)
    {
        lock (_gate) return new(_rows.GetValueOrDefault((partition, key)));
    }

    public ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default)
    {
        lock (_gate) return new([.. _rows.Values.Where(r => r.Partition == partition && string.CompareOrdinal(r.Key, from) >= 0 && string.CompareOrdinal(r.Key, to) < 0).Take(limit)]);
    }

    public async IAsyncEnumerable<Row> Scan(string from, string to, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await Task.CompletedTask;
        foreach (var row in All)
            if (string.CompareOrdinal(row.Key, from) >= 0 && string.CompareOrdinal(row.Key, to) < 0) yield return row;
    }

    public ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        if (ops.Count > 100) throw new ArgumentException("an entity group holds at most 100 operations", nameof(ops));
        OnCommit?.Invoke(false);
        lock (_gate)
        {
            var keys = new HashSet<string>();
            foreach (var op in ops)
            {
                if (!keys.Add(op.Key)) throw new ConflictException(op.Key);
                var there = _rows.GetValueOrDefault((partition, op.Key))?.ETag;
                if (op is Op.Upsert or Op.Delete { ETag: null }) continue;
                if (there != op switch { Op.Replace r => r.ETag, Op.Delete d => d.ETag, Op.Check c => c.ETag, _ => null }) throw new ConflictException(op.Key);
            }
            foreach (var op in ops)
            {
                var body = op switch { Op.Insert i => i.Body, Op.Replace r => r.Body, Op.Upsert u => u.Body, _ => default };
                if (op is Op.Delete) _rows.Remove((partition, op.Key));
                else if (op is not Op.Check) _rows[(partition, op.Key)] = new(partition, op.Key, (++_tag).ToString(CultureInfo.InvariantCulture), body.ToArray());
            }
            bus.Add(messages ?? []);
        }
        OnCommit?.Invoke(true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The bus's contract in memory.</summary>
public sealed class MemoryBus(TimeProvider clock) : IBus, IQueueJournal, IDisposable
{
    private QueueEngine? _engine;
    private long _sequence;

    private QueueEngine Engine => _engine ??= new(clock, this);

    internal void Add(IReadOnlyList<Message> messages)
    {
        foreach (var m in messages) Engine.Add(Interlocked.Increment(ref _sequence), m);
    }

    public ValueTask Send(IReadOnlyList<Message> messages, CancellationToken ct = default)
    {
        Add(messages);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct = default) => Engine.Receive(queue, max, lockFor, wait, ct);
    public ValueTask<bool> Complete(Delivery delivery, CancellationToken ct = default) => new(Engine.Complete(delivery));
    public ValueTask<bool> Abandon(Delivery delivery, TimeSpan delay, CancellationToken ct = default) => new(Engine.Abandon(delivery, delay));
    public ValueTask<bool> Reject(Delivery delivery, string reason, CancellationToken ct = default) => new(Engine.Reject(delivery, reason));
    public ValueTask<bool> Renew(Delivery delivery, TimeSpan lockFor, CancellationToken ct = default) => new(Engine.Renew(delivery, lockFor));
    public ValueTask<IReadOnlyList<DeadLetter>> DeadLetters(string queue, int max, CancellationToken ct = default) => new(Engine.DeadLetters(queue, max));
    public ValueTask<IReadOnlyDictionary<string, int>> Depths(CancellationToken ct = default) => new(Engine.Depths());

    public async ValueTask<bool> Replay(string queue, string messageId, CancellationToken ct = default)
    {
        if (Engine.TakeDead(queue, messageId) is not { } letter) return false;
        await Send([letter.Message], ct);
        return true;
    }

    void IQueueJournal.Removed(long sequence) { }
    void IQueueJournal.Delayed(long sequence, int attempts, DateTimeOffset? notBefore) { }
    void IQueueJournal.Died(long sequence, DeadLetter letter) { }
    public void Dispose() => _engine?.Dispose();
}
