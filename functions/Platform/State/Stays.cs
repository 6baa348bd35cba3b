namespace Cloud.Platform.State;

/// <summary>
/// A row as it was read, for whose sake another one of its partition is written. A process that stood still for long and then goes on would
/// otherwise write for a resource that is gone or has moved on.
/// </summary>
public sealed record Stays(string Partition, Op.Check Row)
{
    /// <summary>It is gone or being deleted. Nobody writes for its sake any more, so what was taken for it can be given back.</summary>
    public async ValueTask<bool> Over(IEntityStore store, CancellationToken ct = default) => await store.Get(Partition, Row.Key, ct) is not { } row || Json.Read<Fate>(row.Body).Doomed;

    private sealed record Fate(bool Doomed = false);

    /// <exception cref="ConflictException">It has changed: trying again with it is of no use.</exception>
    public async ValueTask Require(IEntityStore store, CancellationToken ct = default)
    {
        if ((await store.Get(Partition, Row.Key, ct))?.ETag != Row.ETag) throw new ConflictException(Row.Key);
    }
}
