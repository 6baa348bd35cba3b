using System.Text;

namespace Cloud.Platform.State;

/// <summary>
/// Uniqueness across partitions: a row keyed by the unique thing (an address, a name, a VXLAN id) that names its owner.
/// Taken before the owner's row is written, freed after it is gone; a claim whose owner never came to be is swept.
/// </summary>
public static class Claims
{
    /// <returns>True when <paramref name="owner"/> holds it now (a repeat finds itself).</returns>
    public static async ValueTask<bool> Take(IEntityStore store, string scope, string key, string owner, CancellationToken ct = default)
    {
        var (partition, row) = ($"claims.{scope}", Keys.Safe(key));
        if (await store.Get(partition, row, ct) is { } there) return Encoding.UTF8.GetString(there.Body.Span) == owner;
        try
        {
            await store.Commit(partition, [new Op.Insert(row, Encoding.UTF8.GetBytes(owner))], ct: ct);
            return true;
        }
        catch (ConflictException)
        {
            return await OwnerOf(store, scope, key, ct) == owner;
        }
    }

    public static async ValueTask Free(IEntityStore store, string scope, string key, string owner, CancellationToken ct = default)
    {
        if (await store.Get($"claims.{scope}", Keys.Safe(key), ct) is not { } row || Encoding.UTF8.GetString(row.Body.Span) != owner) return;
        try { await store.Commit($"claims.{scope}", [new Op.Delete(row.Key, row.ETag)], ct: ct); }
        catch (ConflictException) { /* somebody freed it and it was taken anew */ }
    }

    public static async ValueTask<string?> OwnerOf(IEntityStore store, string scope, string key, CancellationToken ct = default) =>
        await store.Get($"claims.{scope}", Keys.Safe(key), ct) is { } row ? Encoding.UTF8.GetString(row.Body.Span) : null;

    /// <summary>Key and owner of every claim of a scope.</summary>
    public static async ValueTask<IReadOnlyList<(string Key, string Owner)>> All(IEntityStore store, string scope, CancellationToken ct = default) =>
        [.. (await store.List($"claims.{scope}", "", char.MaxValue.ToString(), ct: ct)).Select(r => (r.Key, Encoding.UTF8.GetString(r.Body.Span)))];
}
