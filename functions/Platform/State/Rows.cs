using System.Runtime.CompilerServices;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;

namespace Cloud.Platform.State;

/// <summary>Another resource's change for a transaction of the same partition, with its events.</summary>
public sealed record Along(IReadOnlyList<Op> Ops, IReadOnlyList<Message> Messages);

/// <summary>A stored resource together with the ETag it was read at.</summary>
public sealed record Loaded<T>(T Item, string ETag) where T : Resource;

/// <summary>The rows of one kind of resource: where they live and how they are read and written.</summary>
/// <param name="Name">Singular, as on the wire: volume.</param>
/// <param name="Service">Part of event types: block-storage.</param>
public sealed partial record Rows<T>(string Name, string Service) where T : Resource
{
    /// <summary>Resources of the whole cloud (flavors, users) live in one partition instead of the projects'.</summary>
    public bool Global { get; init; }
    public bool NewestFirst { get; init; }
    /// <summary>Which of a project's resources other projects may see too (public images, shared networks). Kept as pointers.</summary>
    public Func<T, bool> Shared { get; init; } = Nothing;
    private static readonly Func<T, bool> Nothing = _ => false;
    public bool CanShare => !ReferenceEquals(Shared, Nothing);
    /// <summary>Changes leave as events. Off for what is only bookkeeping.</summary>
    public bool Publishes { get; init; } = true;

    private const int Chunk = 1000;
    private static int More(int chunk) => Math.Max(chunk, Math.Min(2 * chunk, Chunk));

    public string Prefix => Name + "|";
    public string PartitionOf(string projectId) => Global ? "cloud" : projectId;
    public string Key(string id) => Keys.Of(Name, id, NewestFirst);
    private string IndexPartition => $"index.{Name}";
    private string SharedPartition => $"shared.{Name}";

    public async ValueTask<Loaded<T>?> Get(IEntityStore store, string projectId, string id, CancellationToken ct = default) =>
        await store.Get(PartitionOf(projectId), Key(id), ct) is { } row ? new(Json.Read<T>(row.Body), row.ETag) : null;

    /// <summary>Finds it in whatever project it is in.</summary>
    public ValueTask<Loaded<T>?> Find(IEntityStore store, string id, string? guess = null, CancellationToken ct = default) => Find(store, id, guess, null, ct);

    /// <summary>Finds it in whatever project it is in; where <paramref name="reads"/> doesn't let one's be read, it isn't there unless it is shared.</summary>
    public async ValueTask<Loaded<T>?> Find(IEntityStore store, string id, string? guess, Func<string, bool>? reads, CancellationToken ct)
    {
        if (Global) return await Get(store, "", id, ct);
        if (guess is not null && await Get(store, guess, id, ct) is { } here) return here;
        var project = await Pointer(store, IndexPartition, id, ct);
        if (reads is not null && (project is null || !reads(project))) project = CanShare ? await Pointer(store, SharedPartition, id, ct) : null;
        // What never was is looked for as well, where nothing is: time shall not tell it from what is another's.
        return await Get(store, project ?? "nowhere", id, ct);
    }

    private async ValueTask<string?> Pointer(IEntityStore store, string partition, string id, CancellationToken ct) =>
        await store.Get(partition, Key(id), ct) is { } row ? System.Text.Encoding.UTF8.GetString(row.Body.Span) : null;

    public async ValueTask<IReadOnlyList<T>> InProject(IEntityStore store, string projectId, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range(Prefix);
        var rows = await store.List(PartitionOf(projectId), from, to, ct: ct);
        var items = new T[rows.Count];
        for (var i = 0; i < items.Length; i++) items[i] = Json.Read<T>(rows[i].Body);
        return items;
    }

    public async ValueTask<int> Count(IEntityStore store, string projectId, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range(Prefix);
        return (await store.List(PartitionOf(projectId), from, to, ct: ct)).Count;
    }

    /// <summary>A project's resources in key order, after the one named <paramref name="after"/>, read as they are wanted: <paramref name="chunk"/> first, then more at a time.</summary>
    public async IAsyncEnumerable<T> InOrder(IEntityStore store, string projectId, string? after, int chunk, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var (from, to) = Keys.Range(Prefix);
        if (after is not null) from = Key(after) + '\0';
        while (true)
        {
            var rows = await store.List(PartitionOf(projectId), from, to, chunk, ct);
            foreach (var row in rows) yield return Json.Read<T>(row.Body);
            if (rows.Count < chunk) yield break;
            from = rows[^1].Key + '\0';
            chunk = More(chunk);
        }
    }

    /// <summary>All of the cloud's, in the same way.</summary>
    public IAsyncEnumerable<T> EverywhereInOrder(IEntityStore store, string? after, int chunk, CancellationToken ct = default) =>
        Global ? InOrder(store, "", after, chunk, ct) : Pointed(store, IndexPartition, _ => true, after, chunk, ct);

    /// <summary>What projects share with all others, in the same way.</summary>
    public IAsyncEnumerable<T> SharedInOrder(IEntityStore store, string? after, int chunk, CancellationToken ct = default) => Pointed(store, SharedPartition, Shared, after, chunk, ct);

    /// <summary>All of the cloud's, for administrators and reconcilers.</summary>
    public async ValueTask<IReadOnlyList<T>> Everywhere(IEntityStore store, CancellationToken ct = default) => await EverywhereInOrder(store, null, Chunk, ct).ToListAsync(ct);

    /// <summary>What projects share with all others.</summary>
    public async ValueTask<IReadOnlyList<T>> SharedOnes(IEntityStore store, CancellationToken ct = default) => await SharedInOrder(store, null, Chunk, ct).ToListAsync(ct);

    /// <summary>Those of a project that have these ids; what isn't there is left out.</summary>
    public async ValueTask<IReadOnlyList<T>> GetMany(IEntityStore store, string projectId, IEnumerable<string> ids, CancellationToken ct = default) =>
        [.. (await Find(store, PartitionOf(projectId), [.. ids.Select(Key)], ct)).Select(r => Json.Read<T>(r.Body))];

    private async IAsyncEnumerable<T> Pointed(IEntityStore store, string partition, Func<T, bool> still, string? after, int chunk, [EnumeratorCancellation] CancellationToken ct)
    {
        var from = after is null ? "" : Key(after) + '\0';
        while (true)
        {
            var pointers = await store.List(partition, from, char.MaxValue.ToString(), chunk, ct);
            var found = new Dictionary<string, Row>();
            foreach (var at in pointers.GroupBy(p => System.Text.Encoding.UTF8.GetString(p.Body.Span), p => p.Key))
                foreach (var row in await Find(store, at.Key, [.. at], ct)) found[row.Key] = row;
            foreach (var pointer in pointers)
                if (found.TryGetValue(pointer.Key, out var row) && Json.Read<T>(row.Body) is var item && still(item)) yield return item;
            if (pointers.Count < chunk) yield break;
            from = pointers[^1].Key + '\0';
            chunk = More(chunk);
        }
    }

    // Keys follow the time of making, so rows that are wanted together lie together: one read finds them, unless many others are in between.
    private static async ValueTask<IReadOnlyList<Row>> Find(IEntityStore store, string partition, HashSet<string> keys, CancellationToken ct)
    {
        if (keys.Count > 3)
        {
            var most = keys.Count * 2;
            var near = await store.List(partition, keys.Min(StringComparer.Ordinal)!, keys.Max(StringComparer.Ordinal) + '\0', most, ct);
            if (near.Count < most) return [.. near.Where(r => keys.Contains(r.Key))];
        }
        var rows = new List<Row>(keys.Count);
        foreach (var key in keys)
            if (await store.Get(partition, key, ct) is { } row) rows.Add(row);
        return rows;
    }

    /// <summary>
    /// Writes <paramref name="item"/> (insert when <paramref name="was"/> is null, else replace at its ETag) with everything that must be true together:
    /// the event, <paramref name="more"/> rows of the same partition and <paramref name="messages"/>. Pointers are written before and removed after, so none is ever missing.
    /// </summary>
    /// <exception cref="ConflictException">Somebody else wrote meanwhile.</exception>
    public async ValueTask<T> Save(Services s, T item, Loaded<T>? was, Change change, IReadOnlyList<Op>? more = null, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        var partition = PartitionOf(item.ProjectId);
        item = Next(s, item, was);
        var key = Key(item.Id);
        var pointer = System.Text.Encoding.UTF8.GetBytes(partition);
        var index = !Global && was is null ? s.Store.Commit(IndexPartition, [new Op.Upsert(key, pointer)], ct: ct).AsTask() : Task.CompletedTask;
        var share = !Global && Shared(item) && (was is null || !Shared(was.Item)) ? s.Store.Commit(SharedPartition, [new Op.Upsert(key, pointer)], ct: ct).AsTask() : Task.CompletedTask;
        await Task.WhenAll(index, share);
        var stale = !Global && was is not null && Shared(was.Item) && !Shared(item) ? await s.Store.Get(SharedPartition, key, ct) : null;
        List<Op> ops = [was is null ? new Op.Insert(key, Json.Write(item)) : new Op.Replace(key, Json.Write(item), was.ETag), .. Names(item, was?.Item), .. more ?? []];
        await s.Store.Commit(partition, ops, WithEvent(s, messages, was is null ? "created" : "updated", item, was?.Item, change), ct);
        if (stale is not null)
        {
            try { await s.Store.Commit(SharedPartition, [new Op.Delete(key, stale.ETag)], ct: ct); }
            catch (ConflictException) { /* it is shared again already, or the pointer went another way */ }
        }
        return item;
    }

    /// <summary>Inserts <paramref name="item"/> along with another row of its partition.</summary>
    public async ValueTask<Along> Insertion(Services s, T item, Change change, CancellationToken ct = default)
    {
        item = item with { Revision = 1 };
        await s.Store.Commit(IndexPartition, [new Op.Upsert(Key(item.Id), System.Text.Encoding.UTF8.GetBytes(PartitionOf(item.ProjectId)))], ct: ct);
        return new([new Op.Insert(Key(item.Id), Json.Write(item)), .. Names(item, null)], WithEvent(s, null, "created", item, null, change));
    }

    /// <summary>Replaces one along with another row of its partition.</summary>
    public Along Replacement(Services s, T item, Loaded<T> was, Change change)
    {
        item = Next(s, item, was);
        return new([new Op.Replace(Key(item.Id), Json.Write(item), was.ETag), .. Names(item, was.Item)], WithEvent(s, null, "updated", item, was.Item, change));
    }

    /// <summary>Removes one along with another row of its partition. <see cref="Forget"/> follows.</summary>
    public Along Deletion(Services s, Loaded<T> was, Change change) => new([new Op.Delete(Key(was.Item.Id), was.ETag), .. Names(null, was.Item)], WithEvent(s, null, "deleted", was.Item with { Revision = was.Item.Revision + 1 }, was.Item, change));

    /// <summary>Removes the pointer of one whose row went with the transaction of another.</summary>
    public ValueTask Forget(IEntityStore store, string id, CancellationToken ct = default) => store.Commit(IndexPartition, [new Op.Delete(Key(id))], ct: ct);

    private static T Next(Services s, T item, Loaded<T>? was) => item with { Revision = (was?.Item.Revision ?? 0) + 1, UpdatedAt = was is null ? item.UpdatedAt : s.Now };

    /// <summary>
    /// Gives it to another project: the row is copied, the pointer turned over (that is the moment, and carries the events), the old row removed.
    /// What a kill on the way leaves are <see cref="Strays"/>.
    /// </summary>
    public async ValueTask<T> Move(Services s, string id, string project, Change change, CancellationToken ct = default)
    {
        var was = await Find(s.Store, id, ct: ct) ?? throw new ConflictException(Key(id));
        if (was.Item.ProjectId == project) return was.Item;
        var (key, partition) = (Key(id), PartitionOf(project));
        var item = was.Item with { ProjectId = project, Revision = was.Item.Revision + 1, UpdatedAt = s.Now };
        await s.Store.Commit(partition, [new Op.Upsert(key, Json.Write(item))], ct: ct);
        var pointer = System.Text.Encoding.UTF8.GetBytes(partition);
        if (Shared(item)) await s.Store.Commit(SharedPartition, [new Op.Upsert(key, pointer)], ct: ct);
        await s.Store.Commit(IndexPartition, [new Op.Upsert(key, pointer)], WithEvent(s, WithEvent(s, null, "deleted", was.Item with { Revision = item.Revision }, was.Item, change), "created", item, null, change), ct);
        await s.Store.Commit(PartitionOf(was.Item.ProjectId), [new Op.Delete(key, was.ETag)], ct: ct);
        return item;
    }

    /// <summary>Copies that a move left: the pointer names another partition.</summary>
    public Leftovers Strays => new(Name + "-strays", async (s, ct) =>
    {
        var strays = new List<Row>();
        var (from, to) = Keys.Range(Prefix);
        await foreach (var row in s.Store.Scan(from, to, ct))
            if (row.Partition != IndexPartition && row.Partition != SharedPartition && await s.Store.Get(IndexPartition, row.Key, ct) is { } at && System.Text.Encoding.UTF8.GetString(at.Body.Span) != row.Partition) strays.Add(row);
        return strays;
    });

    /// <summary>Removes it, with its event; pointers follow.</summary>
    public async ValueTask Remove(Services s, Loaded<T> was, Change change, IReadOnlyList<Op>? more = null, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        var key = Key(was.Item.Id);
        await s.Store.Commit(PartitionOf(was.Item.ProjectId), [new Op.Delete(key, was.ETag), .. Names(null, was.Item), .. more ?? []], WithEvent(s, messages, "deleted", was.Item with { Revision = was.Item.Revision + 1 }, was.Item, change), ct);
        if (Global) return;
        await s.Store.Commit(IndexPartition, [new Op.Delete(key)], ct: ct);
        if (Shared(was.Item)) await s.Store.Commit(SharedPartition, [new Op.Delete(key)], ct: ct);
    }

    /// <summary>Pointers to what isn't there, or isn't shared any more.</summary>
    public Leftovers Pointers => new(Name + "-pointers", async (s, ct) =>
    {
        var stale = new List<Row>();
        foreach (var (partition, needed) in new (string, Func<T, bool>?)[] { (IndexPartition, null), (SharedPartition, Shared) })
            foreach (var pointer in await s.Store.List(partition, "", char.MaxValue.ToString(), ct: ct))
                if (await s.Store.Get(System.Text.Encoding.UTF8.GetString(pointer.Body.Span), pointer.Key, ct) is not { } row || needed?.Invoke(Json.Read<T>(row.Body)) is false) stale.Add(pointer);
        return stale;
    });

    private List<Message> WithEvent(Services s, IReadOnlyList<Message>? messages, string verb, T item, T? before, Change change)
    {
        List<Message> all = [.. messages ?? []];
        if (Publishes) all.Add(CloudEvent.Of(s, Service, Name, verb, item, before, change));
        return all;
    }
}

/// <summary>Who changed something and in which request; goes into the event.</summary>
public sealed record Change(string Actor, string RequestId)
{
    public static Change By(Call call) => new(call.User?.UserId ?? "", call.RequestId);
}
