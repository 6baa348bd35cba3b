using System.Globalization;
using System.Runtime.CompilerServices;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Tests.Kit;

/// <summary>
/// The store's contract in memory, with a hook before and after every commit where a test can let the process die. A copy costs nothing:
/// partitions are shared until one of the two writes there.
/// </summary>
public sealed class MemoryStore(MemoryBus bus) : IEntityStore
{
    private readonly SortedDictionary<string, Shelf> _partitions = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _tag;

    /// <summary>Rows of one partition in order.</summary>
    private sealed class Shelf(List<Row> rows)
    {
        private static readonly Comparer<Row> s_byKey = Comparer<Row>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

        public List<Row> Rows { get; } = rows;
        public bool Shared { get; set; }

        /// <summary>Where the key is, or the complement of where it would be.</summary>
        public int At(string key) => Rows.BinarySearch(new("", key, "", default), s_byKey);

        public int From(string key) => At(key) is var at && at < 0 ? ~at : at;
    }

    /// <summary>Called before (false) and after (true) each commit; what it throws goes to the caller.</summary>
    public Action<bool>? OnCommit { get; set; }

    /// <summary>Where the last commit went or was about to go, for reports.</summary>
    public string Last => _last.First is { } op ? $"{_last.Partition}/{op.GetType().Name} {op.Key}" : _last.Partition;
    private (string Partition, Op? First) _last = ("", null);

    public IReadOnlyList<Row> All { get { lock (_gate) return [.. _partitions.Values.SelectMany(p => p.Rows)]; } }

    /// <summary>Whether there is such a row; without a list of all.</summary>
    public bool Any(Func<Row, bool> such)
    {
        lock (_gate)
            foreach (var shelf in _partitions.Values)
                foreach (var row in shelf.Rows)
                    if (such(row)) return true;
        return false;
    }

    public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default)
    {
        lock (_gate) return new(_partitions.TryGetValue(partition, out var p) && p.At(key) is >= 0 and var at ? p.Rows[at] : null);
    }

    public ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default)
    {
        lock (_gate)
        {
            if (!_partitions.TryGetValue(partition, out var p)) return new([]);
            var (first, end) = (p.From(from), p.From(to));
            return new(first < end ? p.Rows.GetRange(first, Math.Min(end - first, limit)) : []);
        }
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
        Allowed(partition);
        foreach (var op in ops) Allowed(op.Key);
        _last = (partition, ops.Count > 0 ? ops[0] : null);
        OnCommit?.Invoke(false);
        lock (_gate)
        {
            if (!_partitions.TryGetValue(partition, out var shelf) || shelf.Shared) _partitions[partition] = shelf = new(shelf is null ? [] : [.. shelf.Rows]);
            var keys = new HashSet<string>();
            foreach (var op in ops)
            {
                if (!keys.Add(op.Key)) throw new ConflictException(op.Key);
                var there = shelf.At(op.Key) is >= 0 and var at ? shelf.Rows[at].ETag : null;
                if (op is Op.Upsert or Op.Delete { ETag: null }) continue;
                if (there != op switch { Op.Replace r => r.ETag, Op.Delete d => d.ETag, Op.Check c => c.ETag, _ => null }) throw new ConflictException(op.Key);
            }
            foreach (var op in ops)
            {
                if (op is Op.Check) continue;
                var (at, body) = (shelf.At(op.Key), op switch { Op.Insert i => i.Body, Op.Replace r => r.Body, Op.Upsert u => u.Body, _ => default });
                var row = new Row(partition, op.Key, (++_tag).ToString(CultureInfo.InvariantCulture), body.ToArray());
                if (op is not Op.Delete && at >= 0) shelf.Rows[at] = row;
                else if (op is not Op.Delete) shelf.Rows.Insert(~at, row);
                else if (at >= 0) shelf.Rows.RemoveAt(at);
            }
            bus.Add(messages ?? []);
        }
        OnCommit?.Invoke(true);
        return ValueTask.CompletedTask;
    }

    private static void Allowed(string key)
    {
        if (key.AsSpan().ContainsAny("/\\#?")) throw new ArgumentException($"Azure Tables refuses '{key}'", nameof(key));
    }

    /// <summary>Makes it hold exactly these rows, with their ETags.</summary>
    public void Load(IEnumerable<Row> rows)
    {
        lock (_gate)
        {
            _partitions.Clear();
            foreach (var group in rows.GroupBy(r => r.Partition)) _partitions[group.Key] = new([.. group.OrderBy(r => r.Key, StringComparer.Ordinal)]);
            _tag = Math.Max(_tag, _partitions.Values.SelectMany(p => p.Rows).Select(r => long.Parse(r.ETag, CultureInfo.InvariantCulture)).DefaultIfEmpty().Max());
        }
    }

    /// <summary>Makes it hold what another one holds now.</summary>
    public void Load(MemoryStore other)
    {
        lock (other._gate)
            lock (_gate)
            {
                _partitions.Clear();
                foreach (var (name, shelf) in other._partitions)
                {
                    shelf.Shared = true;
                    _partitions[name] = shelf;
                }
                _tag = Math.Max(_tag, other._tag);
            }
    }
}
