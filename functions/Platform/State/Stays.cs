namespace Cloud.Platform.State;

/// <summary>
/// A resource, with its saga where one works for it, as they were read, for whose sake another row of their partition is written. A process that stood still for long and then
/// goes on would otherwise write for a resource that is gone, or for a saga that has turned round. Both are needed: it may have stood still between
/// the one reading and the other.
/// </summary>
public sealed record Stays(string Partition, Op.Check Resource, Op.Check? Saga = null)
{
    public IReadOnlyList<Op.Check> Rows => Saga is null ? [Resource] : [Resource, Saga];

    /// <summary>It is gone or being deleted. Nobody writes for its sake any more, so what was taken for it can be given back.</summary>
    public async ValueTask<bool> Over(IEntityStore store, CancellationToken ct = default) => await store.Get(Partition, Resource.Key, ct) is not { } row || Json.Read<Fate>(row.Body).Doomed;

    private sealed record Fate(bool Doomed = false);

    /// <exception cref="ConflictException">It has changed: trying again with it is of no use.</exception>
    public async ValueTask Require(IEntityStore store, CancellationToken ct = default)
    {
        foreach (var row in Rows)
            if ((await store.Get(Partition, row.Key, ct))?.ETag != row.ETag) throw new ConflictException(row.Key);
    }
}
