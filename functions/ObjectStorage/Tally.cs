using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>How many objects, bytes of theirs and of their older versions, and how many of those; and in an account's sums, how many containers.</summary>
public readonly record struct Count(long Objects, long Bytes, long Past = 0, long Containers = 0)
{
    public static Count operator +(Count a, Count b) => new(a.Objects + b.Objects, a.Bytes + b.Bytes, a.Past + b.Past, a.Containers + b.Containers);
    public static Count operator -(Count a, Count b) => new(a.Objects - b.Objects, a.Bytes - b.Bytes, a.Past - b.Past, a.Containers - b.Containers);
}

/// <summary>
/// Exact counters of containers without a row that all writers meet at: each writes into a slot that no other writer of this process uses just then, in the transaction of
/// its object; the sum of the slots is the truth. One writer alone makes one slot. An account has such counters too, as if it were a container with the project's id.
/// </summary>
internal static class Tally
{
    public const int Slots = 16;
    private static readonly ConditionalWeakTable<IEntityStore, ConcurrentDictionary<string, int>> Taken = [];

    public static string Range(string containerId) => $"n|{containerId}|";
    private static string Key(string containerId, int slot) => $"{Range(containerId)}{slot:x}";

    public static async ValueTask<Count> Of(IEntityStore store, string project, string containerId, CancellationToken ct = default) =>
        (await store.List(Shelf.Of(project), Range(containerId), Shelf.End(Range(containerId)), ct: ct)).Aggregate(default(Count), (sum, row) => sum + Json.Read<Count>(row.Body));

    /// <summary>Of every container of an account, by id.</summary>
    public static async ValueTask<Dictionary<string, Count>> All(IEntityStore store, string project, CancellationToken ct = default)
    {
        var all = new Dictionary<string, Count>();
        foreach (var row in await store.List(Shelf.Of(project), "n|", Shelf.End("n|"), ct: ct))
        {
            var id = row.Key.Split('|')[1];
            if (id == project) continue;
            all[id] = all.GetValueOrDefault(id) + Json.Read<Count>(row.Body);
        }
        return all;
    }

    /// <summary>Of some of an account's containers, by id.</summary>
    /// <param name="containers">How many it has: of most of them, all are read at once.</param>
    public static async ValueTask<Dictionary<string, Count>> Of(IEntityStore store, string project, IReadOnlyList<string> ids, long containers, CancellationToken ct)
    {
        if (ids.Count * 2 > containers) return await All(store, project, ct);
        var some = new Dictionary<string, Count>();
        foreach (var id in ids) some[id] = await Of(store, project, id, ct);
        return some;
    }

    /// <summary>Of a whole account: so many rows, whatever is in it.</summary>
    public static async ValueTask<Count> OfAccount(IEntityStore store, string project, CancellationToken ct = default) =>
        await store.List(Shelf.Of(project), Range(project), Shelf.End(Range(project)), ct: ct) is { Count: > 0 } rows ? rows.Aggregate(default(Count), (sum, row) => sum + Json.Read<Count>(row.Body)) : await Whole(store, project, ct);

    /// <summary>Before an account's first slot is made: what was there when nobody summed up yet. Whoever adds has seen to that first, so nothing comes in between.</summary>
    public static async ValueTask Begin(IEntityStore store, string project)
    {
        var key = Range(project) + "start";
        if (await store.Get(Shelf.Of(project), key) is not null) return;
        try { await store.Commit(Shelf.Of(project), [new Op.Insert(key, Json.Write(await Whole(store, project, default)))]); }
        catch (ConflictException) { /* somebody else has begun */ }
    }

    private static async ValueTask<Count> Whole(IEntityStore store, string project, CancellationToken ct) =>
        (await All(store, project, ct)).Values.Aggregate(new Count(0, 0, 0, (await store.List(Shelf.Of(project), Shelf.ContainerRange, Shelf.End(Shelf.ContainerRange), ct: ct)).Count), (a, b) => a + b);

    /// <summary>Takes a slot for one change. <see cref="Return"/> it afterwards.</summary>
    public static int Rent(IEntityStore store, string containerId)
    {
        var taken = Taken.GetValue(store, _ => new());
        while (true)
        {
            var bits = taken.GetOrAdd(containerId, 0);
            // All in use: two writers may meet, and one of them tries again.
            var slot = Math.Min(Slots - 1, System.Numerics.BitOperations.TrailingZeroCount(~bits));
            if (taken.TryUpdate(containerId, bits | 1 << slot, bits)) return slot;
        }
    }

    public static void Return(IEntityStore store, string containerId, int slot)
    {
        var taken = Taken.GetValue(store, _ => new());
        for (int bits; !taken.TryUpdate(containerId, (bits = taken.GetOrAdd(containerId, 0)) & ~(1 << slot), bits);) { }
        ((ICollection<KeyValuePair<string, int>>)taken).Remove(new(containerId, 0));
    }

    public static async ValueTask<Op> Add(IEntityStore store, string project, string containerId, int slot, Count change)
    {
        var key = Key(containerId, slot);
        return await store.Get(Shelf.Of(project), key) is { } row ? new Op.Replace(key, Json.Write(Json.Read<Count>(row.Body) + change), row.ETag) : new Op.Insert(key, Json.Write(change));
    }

    /// <summary>What removes the counters of an empty container, and fails when anybody writes into it meanwhile. Null when it isn't empty.</summary>
    public static async ValueTask<IReadOnlyList<Op>?> Remove(IEntityStore store, string project, string containerId)
    {
        var rows = await store.List(Shelf.Of(project), Range(containerId), Shelf.End(Range(containerId)));
        if (rows.Aggregate(default(Count), (sum, r) => sum + Json.Read<Count>(r.Body)) is not { Objects: 0, Past: 0 }) return null;
        return [.. Enumerable.Range(0, Slots).Select(slot => Key(containerId, slot)).Select(key => rows.FirstOrDefault(r => r.Key == key) is { } row ? (Op)new Op.Delete(key, row.ETag) : new Op.Check(key, null))];
    }
}
