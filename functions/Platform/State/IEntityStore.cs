namespace Cloud.Platform.State;

/// <summary>One stored entity. <paramref name="ETag"/> changes with every write.</summary>
/// <param name="Partition">The unit of atomic writes: a project's id, or a system partition.</param>
/// <param name="Key">Unique in the partition, ordered by ordinal comparison, e.g. <c>volume|0192...</c>. At most 1 KiB; no '/', '\', '#', '?'.</param>
public sealed record Row(string Partition, string Key, string ETag, ReadOnlyMemory<byte> Body);

/// <summary>One write of an entity group.</summary>
public abstract record Op(string Key)
{
    /// <summary>Fails the group with <see cref="ConflictException"/> when the key exists. Uniqueness is an insert of a row keyed by the unique thing.</summary>
    public sealed record Insert(string Key, ReadOnlyMemory<byte> Body) : Op(Key);
    /// <summary>Fails the group when the row is absent or its ETag differs.</summary>
    public sealed record Replace(string Key, ReadOnlyMemory<byte> Body, string ETag) : Op(Key);
    public sealed record Upsert(string Key, ReadOnlyMemory<byte> Body) : Op(Key);
    /// <summary>With an ETag: fails the group when it differs or the row is absent. Without: absent is fine.</summary>
    public sealed record Delete(string Key, string? ETag = null) : Op(Key);
    /// <summary>Writes nothing; fails the group when the row's ETag differs, or when it exists though <paramref name="ETag"/> is null.</summary>
    public sealed record Check(string Key, string? ETag) : Op(Key);
}

/// <summary>What a group may hold, whatever the store.</summary>
public static class EntityGroup
{
    private const int Most = 100;

    /// <exception cref="ArgumentException">It holds too much.</exception>
    public static void Check(IReadOnlyList<Op> ops, IReadOnlyList<Bus.Message>? messages)
    {
        if (ops.Count + (messages is { Count: > 0 } ? 1 : 0) > Most) throw new ArgumentException($"an entity group holds at most {Most} operations, its messages one of them", nameof(ops));
    }
}

/// <summary>An entity group was refused because a row was not as expected. Nothing of the group was written.</summary>
public sealed class ConflictException(string key) : Exception($"row '{key}' is not as expected")
{
    public string Key => key;
}

/// <summary>The store can't answer now; trying again may help. The write may or may not have happened.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Entities in partitions, with the guarantees of Azure Tables: point reads, ordered range reads, atomic writes within one partition.
/// Messages given to <see cref="Commit"/> are promised with the write: they are sent if and only if it happened (at least once).
/// </summary>
public interface IEntityStore
{
    ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default);

    /// <summary>Rows with <paramref name="from"/> &lt;= key &lt; <paramref name="to"/>, in key order, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default);

    /// <summary>The same over all partitions, ordered by partition and key. For sweepers and reconcilers, never for a request.</summary>
    IAsyncEnumerable<Row> Scan(string from, string to, CancellationToken ct = default);

    /// <summary>All rows of partitions whose name begins with <paramref name="prefix"/>, ordered by partition and key. For sweepers and reconcilers as well.</summary>
    IAsyncEnumerable<Row> Partitions(string prefix, CancellationToken ct = default);

    /// <summary>Writes all of <paramref name="ops"/> (at most 100, with messages 99, each key once) or none, and promises <paramref name="messages"/>.</summary>
    /// <exception cref="ConflictException">A row was not as expected.</exception>
    ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Bus.Message>? messages = null, CancellationToken ct = default);
}
