using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Tests.Sagas;

/// <summary>A store that asks before each call whether it is to fail, and how.</summary>
/// <param name="asks">Told whether the call writes.</param>
public sealed class WalkedStore(IEntityStore inner, Func<bool, Failing?> asks) : IEntityStore
{
    public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default)
    {
        Read();
        return inner.Get(partition, key, ct);
    }

    public ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default)
    {
        Read();
        return inner.List(partition, from, to, limit, ct);
    }

    public IAsyncEnumerable<Row> Scan(string from, string to, CancellationToken ct = default) => inner.Scan(from, to, ct);
    public IAsyncEnumerable<Row> Partitions(string prefix, CancellationToken ct = default) => inner.Partitions(prefix, ct);

    public async ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        var how = asks(true);
        if (how is Failing.Refused or Failing.Throttled) throw Unavailable();
        if (how is Failing.Conflict) throw new ConflictException(nameof(Kit.Injected));
        await inner.Commit(partition, ops, messages, ct);
        if (how is Failing.Unknown) throw Unavailable();
    }

    private void Read()
    {
        if (asks(false) is not null) throw Unavailable();
    }

    public static StoreUnavailableException Unavailable() => new(nameof(Kit.Injected));
}
