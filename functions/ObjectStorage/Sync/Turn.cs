using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.Sync;

/// <summary>
/// One container's turn: what is to be carried, one after the other, until the turn is over or the other end refuses. Killed on the way it carries a few once more, which the
/// other end knows by their times. One container has one turn at a time (its messages are a session); should two meet after a rest, one of them finds that it was overtaken.
/// </summary>
internal sealed class Turn(Services s, Container container, Progress progress, string etag, CancellationToken ct)
{
    /// <summary>Objects of a turn, and of one write of what was done.</summary>
    public const int Most = 100;
    private const int Chunk = 20;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20), LongestRest = TimeSpan.FromHours(1);
    /// <summary>Graves are kept until no cluster still sends of before.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(7);

    private readonly DateTimeOffset _until = s.Now + Longest;
    private readonly List<string> _carried = [];
    private bool _moved = progress.Failures > 0;
    private int _left = Most;

    public static async Task Handle(Services s, Delivery delivery, CancellationToken ct)
    {
        var wake = Json.Read<Wake>(delivery.Message.Body);
        var found = await Shelf.Container(s.Store, wake.Project, wake.Container, ct);
        if (found is not { Item: { SyncTo: not null, SyncKey: not null } container } || container.Id != wake.Id) await Log.Forget(s.Store, wake.Project, wake.Id, ct);
        else if (await Log.State(s.Store, wake.Project, wake.Id, ct) is var (progress, etag) && progress.Due <= s.Now) await new Turn(s, container, progress, etag, ct).Go();
    }

    /// <summary>Wakes every container that has somewhere to go, should a message have been given up, and takes away old graves.</summary>
    public static async Task Sweep(Services s, CancellationToken ct)
    {
        await foreach (var row in s.Store.Scan(Log.StateRange, Shelf.End(Log.StateRange), ct))
            if (row.Partition.StartsWith(Shelf.Partitions, StringComparison.Ordinal) && await Shelf.Container(s.Store, row.Partition[Shelf.Partitions.Length..], Json.Read<Progress>(row.Body).Container, ct) is { } container) await s.Bus.Send([Log.Wake(s, container.Item) with { Id = "hourly." + container.Item.Id }], ct);
        await foreach (var row in s.Store.Scan(Log.GraveRange, Shelf.End(Log.GraveRange), ct))
            if (row.Partition.StartsWith(Shelf.Partitions, StringComparison.Ordinal) && Json.Read<Grave>(row.Body).At < s.Now - Remembered)
                try { await s.Store.Commit(row.Partition, [new Op.Delete(row.Key, row.ETag)], ct: ct); }
                catch (ConflictException) { /* another deletion */ }
    }

    private async Task Go()
    {
        try
        {
            var carrier = new Carrier(s, Target.Of(s, container.SyncTo!), container.SyncKey!, ct);
            await All(carrier);
            await Changes(carrier);
            if (_left <= 0 || s.Now >= _until) await Save(progress with { Failures = 0, Why = null }, Log.Wake(s, container));
            else if (_moved) await Save(progress with { Failures = 0, Due = default, Why = null });
        }
        catch (Exception e) when (e is OutboundException or Fault)
        {
            // The other end, or what this container's owner said of it. What was carried counts.
            var rest = TimeSpan.FromMinutes(1 << Math.Min(progress.Failures, 10));
            var due = s.Now + (rest < LongestRest ? rest : LongestRest);
            await Save(progress with { Failures = progress.Failures + 1, Due = due, Why = e.Message }, Log.Wake(s, container, due));
        }
        catch (ConflictException) { /* it goes elsewhere now: there is another message that says so */ }
    }

    /// <summary>What was there before anything was written down.</summary>
    private async Task All(Carrier carrier)
    {
        var range = Shelf.ObjectRange(container.Id);
        while (progress.After is { } after && Goes)
        {
            var rows = await s.Store.List(Shelf.Of(container.ProjectId), after.Length == 0 ? range : after + '\0', Shelf.End(range), Chunk, ct);
            foreach (var row in rows)
            {
                if (!Goes) return;
                await Put(carrier, Json.Read<StoredObject>(row.Body));
                (progress, _left) = (progress with { After = row.Key }, _left - 1);
            }
            if (rows.Count < Chunk) progress = progress with { After = null };
            await Save(progress);
        }
    }

    private async Task Changes(Carrier carrier)
    {
        var range = Log.Range(container.Id);
        while (Goes && await s.Store.List(Shelf.Of(container.ProjectId), range, Shelf.End(range), Chunk, ct) is { Count: > 0 } rows)
        {
            foreach (var row in rows)
            {
                if (!Goes) return;
                await Carry(carrier, Json.Read<Entry>(row.Body));
                _carried.Add(row.Key);
                _left--;
            }
            await Save(progress);
        }
    }

    private bool Goes => _left > 0 && s.Now < _until;

    // Of an object that has changed since, the entry of the last change brings it.
    private async Task Carry(Carrier carrier, Entry entry)
    {
        var now = await Shelf.Object(s.Store, container, entry.Name, ct);
        if (entry.Gone && now is null) await carrier.Delete(entry.Name, entry.At);
        else if (now is not null && now.Item.Modified <= entry.At) await Put(carrier, now.Item);
    }

    private async Task Put(Carrier carrier, StoredObject o)
    {
        if (o.DeleteAt <= s.Now || await carrier.Has(o)) return;
        await carrier.Put(o);
    }

    private async Task Save(Progress now, Message? wake = null)
    {
        var written = await Write([.. _carried.Select(k => (Op)new Op.Delete(k)), new Op.Replace(Log.StateKey(container.Id), Json.Write(now), etag)], wake);
        (progress, etag, _moved) = (now, written, true);
        _carried.Clear();
    }

    private async Task<string> Write(IReadOnlyList<Op> ops, Message? wake)
    {
        await s.Store.Commit(Shelf.Of(container.ProjectId), ops, wake is null ? null : [wake], ct);
        return (await Log.State(s.Store, container.ProjectId, container.Id, ct))?.ETag ?? throw new ConflictException(Log.StateKey(container.Id));
    }
}
