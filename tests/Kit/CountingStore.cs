using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Tests.Kit;

/// <summary>A store that counts: cost that a busy machine can't hide.</summary>
public sealed class CountingStore(IEntityStore inner) : IEntityStore
{
    /// <summary>Rows that were read.</summary>
    public int Reads { get; private set; }
    public int Commits { get; private set; }

    public async ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default)
    {
        Reads++;
        return await inner.Get(partition, key, ct);
    }

    public async ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default)
    {
        var rows = await inner.List(partition, from, to, limit, ct);
        Reads += rows.Count;
        return rows;
    }

    public IAsyncEnumerable<Row> Scan(string from, string to, CancellationToken ct = default) => inner.Scan(from, to, ct);
    public IAsyncEnumerable<Row> Partitions(string prefix, CancellationToken ct = default) => inner.Partitions(prefix, ct);

    public ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        Commits++;
        return inner.Commit(partition, ops, messages, ct);
    }
}
