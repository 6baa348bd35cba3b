namespace Cloud.Platform.State;

/// <summary>Rows of one kind that nobody needs: left by a kill between writes to two partitions.</summary>
/// <param name="Find">All that look so now; some may be about to be needed.</param>
/// <param name="Remove">How one goes; null when deleting its row is all.</param>
public sealed record Leftovers(string Name, Func<Services, CancellationToken, ValueTask<IReadOnlyList<Row>>> Find, Func<Services, Row, ValueTask>? Remove = null);

/// <summary>
/// Removes what has been a leftover, unwritten, for longer than any write takes. Whoever still needs such a row writes it again
/// (<see cref="Claims.Take"/>), which changes its ETag and saves it.
/// </summary>
public static class Sweeper
{
    /// <summary>Seldom: it reads the whole state, and what it looks for is only left by a kill in the middle of a request.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(10);
    private const string Partition = "system", Key = "sweeper";

    private sealed record Suspect(string Partition, string Key, string ETag, DateTimeOffset Since);

    public static async Task Run(Services s, CancellationToken ct)
    {
        var known = await s.Store.Get(Partition, Key, ct) is { } row ? Json.Read<Suspect[]>(row.Body) : [];
        var since = known.ToDictionary(k => (k.Partition, k.Key, k.ETag), k => k.Since);
        var suspects = new List<Suspect>();
        foreach (var leftovers in s.Slices.SelectMany(x => x.Leftovers))
            foreach (var found in await leftovers.Find(s, ct))
            {
                var first = since.GetValueOrDefault((found.Partition, found.Key, found.ETag), s.Now);
                if (s.Now - first < Grace) suspects.Add(new(found.Partition, found.Key, found.ETag, first));
                else await Remove(s, leftovers, found, ct);
            }
        if (suspects.Count + known.Length > 0) await s.Store.Commit(Partition, [suspects.Count > 0 ? new Op.Upsert(Key, Json.Write(suspects)) : new Op.Delete(Key)], ct: ct);
    }

    private static async ValueTask Remove(Services s, Leftovers leftovers, Row row, CancellationToken ct)
    {
        if (leftovers.Remove is { } remove) { await remove(s, row); return; }
        try { await s.Store.Commit(row.Partition, [new Op.Delete(row.Key, row.ETag)], ct: ct); }
        catch (ConflictException) { /* it is needed after all */ }
    }
}
