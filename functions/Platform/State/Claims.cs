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
        var body = Encoding.UTF8.GetBytes(owner);
        while (true)
        {
            var there = await store.Get(partition, row, ct);
            if (there is not null && !there.Body.Span.SequenceEqual(body)) return false;
            try
            {
                // One's own is written again, so that the sweeper sees that it is needed.
                await store.Commit(partition, [there is null ? new Op.Insert(row, body) : new Op.Replace(row, body, there.ETag)], ct: ct);
                return true;
            }
            catch (ConflictException) { /* somebody was first, or it was just swept: look again */ }
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

    /// <summary>Claims of all scopes that begin with <paramref name="scope"/> and that <paramref name="owned"/> (by scope, key and owner) doesn't know.</summary>
    public static async ValueTask<IReadOnlyList<Row>> Unowned(IEntityStore store, string scope, Func<ValueTask<HashSet<(string Scope, string Key, string Owner)>>> owned, CancellationToken ct)
    {
        // Claims first: an owner that comes between the two reads is seen.
        var claims = new List<Row>();
        await foreach (var row in store.Partitions("claims." + scope, ct)) claims.Add(row);
        if (claims.Count == 0) return [];
        var known = await owned();
        return [.. claims.Where(r => !known.Contains((r.Partition["claims.".Length..], r.Key, Encoding.UTF8.GetString(r.Body.Span))))];
    }

    /// <summary>Key and owner of every claim of a scope.</summary>
    public static async ValueTask<IReadOnlyList<(string Key, string Owner)>> All(IEntityStore store, string scope, CancellationToken ct = default) =>
        [.. (await store.List($"claims.{scope}", "", char.MaxValue.ToString(), ct: ct)).Select(r => (r.Key, Encoding.UTF8.GetString(r.Body.Span)))];
}
