using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>One change of an account: objects, who needs which blob, counters and events in one transaction. Prepared anew whenever somebody else was faster.</summary>
internal sealed class Edit(Services s, string project, Change by)
{
    private const int Most = 100;

    private readonly Dictionary<string, Op> _ops = [];
    private readonly List<Message> _messages = [];
    private readonly Dictionary<string, Count> _counts = [];
    private readonly List<DateTimeOffset> _expiring = [];
    private Count _containers;

    public Services Services => s;
    public string Project => project;

    public static ValueTask<T> Run<T>(Call c, string project, Func<Edit, ValueTask<T>> prepare) => Run(c.Services, project, Change.By(c), prepare);

    public static async ValueTask<T> Run<T>(Services s, string project, Change by, Func<Edit, ValueTask<T>> prepare)
    {
        for (var attempt = 1; ; attempt++)
        {
            var edit = new Edit(s, project, by);
            var result = await prepare(edit);
            try
            {
                await edit.Commit();
                return result;
            }
            catch (ConflictException) when (attempt < Most) { /* prepare it from what is there now */ }
        }
    }

    /// <summary>When what it does counts as done, where that isn't now: another cluster's change.</summary>
    public DateTimeOffset? At { get; set; }

    public void Add(Op op) => _ops[op.Key] = op;
    public void TryAdd(Op op) => _ops.TryAdd(op.Key, op);
    public void Send(Message message) => _messages.Add(message);

    /// <summary>The change holds only while the container stays as it was read.</summary>
    public void Within(Loaded<Container> container) => _ops.TryAdd(Shelf.ContainerKey(container.Item.Name), new Op.Check(Shelf.ContainerKey(container.Item.Name), container.ETag));

    /// <summary>The same for an object that is read.</summary>
    public void While(Loaded<StoredObject> source)
    {
        var key = KeyOf(source.Item);
        _ops.TryAdd(key, new Op.Check(key, source.ETag));
    }

    public StoredObject Put(Loaded<Container> container, Loaded<StoredObject>? was, StoredObject item)
    {
        Within(container);
        item = item with
        {
            Id = was?.Item.Id ?? s.Ids.New(),
            ProjectId = project,
            Container = container.Item.Name,
            ContainerId = container.Item.Id,
            Revision = (was?.Item.Revision ?? 0) + 1,
            CreatedAt = was?.Item.CreatedAt ?? s.Now,
            UpdatedAt = was is null ? null : s.Now,
        };
        var key = KeyOf(item);
        Add(was is null ? new Op.Insert(key, Json.Write(item)) : new Op.Replace(key, Json.Write(item), was.ETag));
        Needs(item, was?.Item);
        Expires(item, was?.Item);
        Tell(Shelf.Objects, item, was?.Item);
        if (!item.IsPast) Sync.Log.Note(this, container.Item, new(item.Name, item.Modified));
        _counts[item.ContainerId] = _counts.GetValueOrDefault(item.ContainerId) + CountOf(item) - (was is null ? default : CountOf(was.Item));
        return item;
    }

    public void Remove(Loaded<Container> container, Loaded<StoredObject> was)
    {
        Within(container);
        Add(new Op.Delete(KeyOf(was.Item), was.ETag));
        if (was.Item.Blob is { } blob) Add(new Op.Delete(Shelf.BlobKey(blob.Name, was.Item.Id)));
        if (was.Item.DeleteAt is { } at) Add(new Op.Delete(Shelf.ExpiryKey(at, was.Item.Id)));
        _messages.Add(CloudEvent.Of(s, Shelf.Objects.Service, Shelf.Objects.Name, "deleted", was.Item with { Revision = was.Item.Revision + 1 }, was.Item, by));
        if (!was.Item.IsPast) Sync.Log.Note(this, container.Item, new(was.Item.Name, At ?? Sync.Stamps.After(was.Item.Modified, s.Now), Gone: true));
        _counts[was.Item.ContainerId] = _counts.GetValueOrDefault(was.Item.ContainerId) - CountOf(was.Item);
    }

    public Container Put(Loaded<Container>? was, Container item)
    {
        item = item with { ProjectId = project, Revision = (was?.Item.Revision ?? 0) + 1, UpdatedAt = was is null ? null : s.Now };
        var key = Shelf.ContainerKey(item.Name);
        Add(was is null ? new Op.Insert(key, Json.Write(item)) : new Op.Replace(key, Json.Write(item), was.ETag));
        Tell(Shelf.Containers, item, was?.Item);
        if (was is null) _containers += new Count(0, 0, 0, 1);
        Sync.Log.Follow(this, was?.Item, item);
        return item;
    }

    public void Remove(Loaded<Container> was)
    {
        Add(new Op.Delete(Shelf.ContainerKey(was.Item.Name), was.ETag));
        _containers -= new Count(0, 0, 0, 1);
        Sync.Log.Follow(this, was.Item, null);
        _messages.Add(CloudEvent.Of(s, Shelf.Containers.Service, Shelf.Containers.Name, "deleted", was.Item with { Revision = was.Item.Revision + 1 }, was.Item, by));
    }

    private async ValueTask Commit()
    {
        var slots = new List<(string Container, int Slot)>();
        try
        {
            foreach (var (container, change) in _counts.Append(new(project, _counts.Values.Aggregate(_containers, (a, b) => a + b))))
            {
                if (change == default) continue;
                slots.Add((container, Tally.Rent(s.Store, container)));
                var op = await Tally.Add(s.Store, project, container, slots[^1].Slot, change);
                if (container == project && op is Op.Insert) await Tally.Begin(s.Store, project);
                Add(op);
            }
            await Expiry.Note(s, project, _expiring);
            if (_ops.Count > 0) await s.Store.Commit(Shelf.Of(project), [.. _ops.Values], _messages);
        }
        finally
        {
            foreach (var (container, slot) in slots) Tally.Return(s.Store, container, slot);
        }
    }

    private void Needs(StoredObject item, StoredObject? was)
    {
        if (was?.Blob?.Name == item.Blob?.Name) return;
        if (was?.Blob is { } old) Add(new Op.Delete(Shelf.BlobKey(old.Name, was.Id)));
        if (item.Blob is { } blob) Add(new Op.Insert(Shelf.BlobKey(blob.Name, item.Id), Json.Write(blob)));
    }

    private void Expires(StoredObject item, StoredObject? was)
    {
        if (was?.DeleteAt is { } old && old != item.DeleteAt) Add(new Op.Delete(Shelf.ExpiryKey(old, was.Id)));
        if (item.DeleteAt is not { } at || at == was?.DeleteAt) return;
        Add(new Op.Insert(Shelf.ExpiryKey(at, item.Id), Json.Write(new Expiring(item.Container, KeyOf(item)))));
        _expiring.Add(at);
    }

    private void Tell<T>(Rows<T> rows, T item, T? was) where T : Resource => _messages.Add(CloudEvent.Of(s, rows.Service, rows.Name, was is null ? "created" : "updated", item, was, by));

    private static string KeyOf(StoredObject o) => o.IsPast ? Shelf.PastKey(o.ContainerId, o.Name, o.Version!.Value) : Shelf.ObjectKey(o.ContainerId, o.Name);
    private static Count CountOf(StoredObject o) => o.IsPast ? new(0, o.Bytes, 1) : new(1, o.Bytes);
}
