using System.Globalization;
using System.Runtime.CompilerServices;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Tests.Kit;

/// <summary>The store's contract in memory, with a hook before and after every commit where a test can let the process die.</summary>
public sealed class MemoryStore(MemoryBus bus) : IEntityStore
{
    private readonly SortedDictionary<string, SortedDictionary<string, Row>> _partitions = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _tag;

    /// <summary>Called before (false) and after (true) each commit; what it throws goes to the caller.</summary>
    public Action<bool>? OnCommit { get; set; }

    /// <summary>Where the last commit went or was about to go, for reports.</summary>
    public string Last { get; private set; } = "";

    public IReadOnlyList<Row> All { get { lock (_gate) return [.. _partitions.Values.SelectMany(p => p.Values)]; } }

    public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default)
    {
        lock (_gate) return new(_partitions.GetValueOrDefault(partition)?.GetValueOrDefault(key));
    }

    public ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default)
    {
        lock (_gate)
            return new(_partitions.TryGetValue(partition, out var p) ? [.. Within(p, from, to).Take(limit)] : []);
    }

    public async IAsyncEnumerable<Row> Scan(string from, string to, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await Task.CompletedTask;
        foreach (var row in All)
            if (string.CompareOrdinal(row.Key, from) >= 0 && string.CompareOrdinal(row.Key, to) < 0) yield return row;
    }

    public async IAsyncEnumerable<Row> Partitions(string prefix, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await Task.CompletedTask;
        foreach (var row in All)
            if (row.Partition.StartsWith(prefix, StringComparison.Ordinal)) yield return row;
    }

    public ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        EntityGroup.Check(ops, messages);
        if (ops.Select(o => o.Key).Prepend(partition).FirstOrDefault(k => k.AsSpan().ContainsAny("/\\#?")) is { } refused) throw new ArgumentException($"Azure Tables refuses '{refused}'", nameof(ops));
        Last = ops.Count > 0 ? $"{partition}/{ops[0].GetType().Name} {ops[0].Key}" : partition;
        OnCommit?.Invoke(false);
        lock (_gate)
        {
            if (!_partitions.TryGetValue(partition, out var rows)) _partitions[partition] = rows = new(StringComparer.Ordinal);
            var keys = new HashSet<string>();
            foreach (var op in ops)
            {
                if (!keys.Add(op.Key)) throw new ConflictException(op.Key);
                var there = rows.GetValueOrDefault(op.Key)?.ETag;
                if (op is Op.Upsert or Op.Delete { ETag: null }) continue;
                if (there != op switch { Op.Replace r => r.ETag, Op.Delete d => d.ETag, Op.Check c => c.ETag, _ => null }) throw new ConflictException(op.Key);
            }
            foreach (var op in ops)
            {
                var body = op switch { Op.Insert i => i.Body, Op.Replace r => r.Body, Op.Upsert u => u.Body, _ => default };
                if (op is Op.Delete) rows.Remove(op.Key);
                else if (op is not Op.Check) rows[op.Key] = new(partition, op.Key, (++_tag).ToString(CultureInfo.InvariantCulture), body.ToArray());
            }
            bus.Add(messages ?? []);
        }
        OnCommit?.Invoke(true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Makes it hold exactly these rows, with their ETags.</summary>
    public void Load(IEnumerable<Row> rows)
    {
        lock (_gate)
        {
            _partitions.Clear();
            foreach (var row in rows)
            {
                if (!_partitions.TryGetValue(row.Partition, out var p)) _partitions[row.Partition] = p = new(StringComparer.Ordinal);
                p[row.Key] = row;
                _tag = Math.Max(_tag, long.Parse(row.ETag, CultureInfo.InvariantCulture));
            }
        }
    }

    private static IEnumerable<Row> Within(SortedDictionary<string, Row> rows, string from, string to) =>
        rows.SkipWhile(r => string.CompareOrdinal(r.Key, from) < 0).TakeWhile(r => string.CompareOrdinal(r.Key, to) < 0).Select(r => r.Value);
}
