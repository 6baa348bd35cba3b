using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;

namespace Cloud.Platform.State;

/// <summary>A stored resource together with the ETag it was read at.</summary>
public sealed record Loaded<T>(T Item, string ETag) where T : Resource;

/// <summary>The rows of one kind of resource: where they live and how they are read and written.</summary>
/// <param name="Name">Singular, as on the wire: volume.</param>
/// <param name="Service">Part of event types: block-storage.</param>
public sealed record Rows<T>(string Name, string Service) where T : Resource
{
    /// <summary>Resources of the whole cloud (flavors, users) live in one partition instead of the projects'.</summary>
    public bool Global { get; init; }
    public bool NewestFirst { get; init; }
    /// <summary>Which of a project's resources other projects may see too (public images, shared networks). Kept as pointers.</summary>
    public Func<T, bool> Shared { get; init; } = _ => false;
    /// <summary>Changes leave as events. Off for what is only bookkeeping.</summary>
    public bool Publishes { get; init; } = true;

    public string Prefix => Name + "|";
    public string PartitionOf(string projectId) => Global ? "cloud" : projectId;
    public string Key(string id) => Keys.Of(Name, id, NewestFirst);
    private string IndexPartition => $"index.{Name}";
    private string SharedPartition => $"shared.{Name}";

    public async ValueTask<Loaded<T>?> Get(IEntityStore store, string projectId, string id, CancellationToken ct = default) =>
        await store.Get(PartitionOf(projectId), Key(id), ct) is { } row ? new(Json.Read<T>(row.Body), row.ETag) : null;

    /// <summary>Finds it in whatever project it is in.</summary>
    public async ValueTask<Loaded<T>?> Find(IEntityStore store, string id, string? guess = null, CancellationToken ct = default)
    {
        if (Global) return await Get(store, "", id, ct);
        if (guess is not null && await Get(store, guess, id, ct) is { } here) return here;
        return await store.Get(IndexPartition, Key(id), ct) is { } row ? await Get(store, System.Text.Encoding.UTF8.GetString(row.Body.Span), id, ct) : null;
    }

    public async ValueTask<IReadOnlyList<T>> InProject(IEntityStore store, string projectId, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range(Prefix);
        var rows = await store.List(PartitionOf(projectId), from, to, ct: ct);
        var items = new T[rows.Count];
        for (var i = 0; i < items.Length; i++) items[i] = Json.Read<T>(rows[i].Body);
        return items;
    }

    /// <summary>One page of a project's resources in key order, after the one named <paramref name="marker"/>.</summary>
    public async ValueTask<IReadOnlyList<T>> PageOf(IEntityStore store, string projectId, string? marker, int limit, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range(Prefix);
        var rows = await store.List(PartitionOf(projectId), marker is null ? from : Key(marker) + '\0', to, limit, ct);
        return [.. rows.Select(r => Json.Read<T>(r.Body))];
    }

    /// <summary>All of the cloud's, for administrators and reconcilers.</summary>
    public ValueTask<IReadOnlyList<T>> Everywhere(IEntityStore store, CancellationToken ct = default) =>
        Global ? InProject(store, "", ct) : Pointed(store, IndexPartition, _ => true, ct);

    /// <summary>What projects share with all others.</summary>
    public ValueTask<IReadOnlyList<T>> SharedOnes(IEntityStore store, CancellationToken ct = default) => Pointed(store, SharedPartition, Shared, ct);

    private async ValueTask<IReadOnlyList<T>> Pointed(IEntityStore store, string partition, Func<T, bool> still, CancellationToken ct)
    {
        var items = new List<T>();
        foreach (var pointer in await store.List(partition, "", char.MaxValue.ToString(), ct: ct))
            if (await store.Get(System.Text.Encoding.UTF8.GetString(pointer.Body.Span), pointer.Key, ct) is { } row && Json.Read<T>(row.Body) is var item && still(item))
                items.Add(item);
        return items;
    }

    /// <summary>
    /// Writes <paramref name="item"/> (insert when <paramref name="was"/> is null, else replace at its ETag) with everything that must be true together:
    /// the event, <paramref name="more"/> rows of the same partition and <paramref name="messages"/>. Pointers are written before and removed after, so none is ever missing.
    /// </summary>
    /// <exception cref="ConflictException">Somebody else wrote meanwhile.</exception>
    public async ValueTask<T> Save(Services s, T item, Loaded<T>? was, Change change, IReadOnlyList<Op>? more = null, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        var partition = PartitionOf(item.ProjectId);
        item = item with { Revision = (was?.Item.Revision ?? 0) + 1, UpdatedAt = was is null ? item.UpdatedAt : s.Now };
        var key = Key(item.Id);
        var pointer = System.Text.Encoding.UTF8.GetBytes(partition);
        var index = !Global && was is null ? s.Store.Commit(IndexPartition, [new Op.Upsert(key, pointer)], ct: ct).AsTask() : Task.CompletedTask;
        var share = !Global && Shared(item) && (was is null || !Shared(was.Item)) ? s.Store.Commit(SharedPartition, [new Op.Upsert(key, pointer)], ct: ct).AsTask() : Task.CompletedTask;
        await Task.WhenAll(index, share);
        List<Op> ops = [was is null ? new Op.Insert(key, Json.Write(item)) : new Op.Replace(key, Json.Write(item), was.ETag), .. more ?? []];
        await s.Store.Commit(partition, ops, WithEvent(s, messages, was is null ? "created" : "updated", item, was?.Item, change), ct);
        if (!Global && was is not null && Shared(was.Item) && !Shared(item)) await s.Store.Commit(SharedPartition, [new Op.Delete(key)], ct: ct);
        return item;
    }

    /// <summary>Removes it, with its event; pointers follow.</summary>
    public async ValueTask Remove(Services s, Loaded<T> was, Change change, IReadOnlyList<Op>? more = null, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        var key = Key(was.Item.Id);
        await s.Store.Commit(PartitionOf(was.Item.ProjectId), [new Op.Delete(key, was.ETag), .. more ?? []], WithEvent(s, messages, "deleted", was.Item with { Revision = was.Item.Revision + 1 }, was.Item, change), ct);
        if (Global) return;
        await s.Store.Commit(IndexPartition, [new Op.Delete(key)], ct: ct);
        if (Shared(was.Item)) await s.Store.Commit(SharedPartition, [new Op.Delete(key)], ct: ct);
    }

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
