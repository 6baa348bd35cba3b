using Cloud.Platform.Bus;
using Cloud.Platform.State;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Sagas;

/// <summary>A store whose commits somebody tampers with.</summary>
public sealed class MutantStore(MemoryStore inner, Func<MemoryStore, string, IReadOnlyList<Op>, IReadOnlyList<Message>, ValueTask> commit, Func<string, string, bool>? hides = null) : IEntityStore
{
    public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default) => hides?.Invoke(partition, key) == true ? default : inner.Get(partition, key, ct);
    public async ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default) =>
        [.. (await inner.List(partition, from, to, limit, ct)).Where(r => hides?.Invoke(r.Partition, r.Key) != true)];
    public IAsyncEnumerable<Row> Scan(string from, string to, CancellationToken ct = default) => inner.Scan(from, to, ct);
    public IAsyncEnumerable<Row> Partitions(string prefix, CancellationToken ct = default) => inner.Partitions(prefix, ct);
    public ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Message>? messages = null, CancellationToken ct = default) => commit(inner, partition, ops, messages ?? []);
}
