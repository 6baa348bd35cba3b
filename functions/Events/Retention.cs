using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Events;

/// <summary>How long events are kept; what is older is trimmed.</summary>
public static class Retention
{
    private const string Key = "retention|";
    private const int Batch = 24;
    private sealed record Row { public int Days { get; init; } = 30; }

    public static async ValueTask<int> Days(IEntityStore store, CancellationToken ct = default) =>
        (await store.Get(EventLog.Partition, Key, ct) is { } row ? Json.Read<Row>(row.Body) : new()).Days;

    public static ValueTask Set(IEntityStore store, int days, CancellationToken ct = default) =>
        store.Commit(EventLog.Partition, [new Op.Upsert(Key, Json.Write(new Row { Days = days }))], ct: ct);

    public static async Task Trim(Services s, CancellationToken ct)
    {
        var before = s.Now - TimeSpan.FromDays(await Days(s.Store, ct));
        while (await TrimSome(s.Store, before, ct)) ct.ThrowIfCancellationRequested();
    }

    /// <returns>True when there may be more.</returns>
    private static async ValueTask<bool> TrimSome(IEntityStore store, DateTimeOffset before, CancellationToken ct)
    {
        var old = (await EventLog.After(store, "", (await EventLog.Head(store, "", ct)).Head.Trimmed, Batch, ct)).TakeWhile(e => e.LoggedAt < before).ToList();
        if (old.Count == 0) return false;
        var ops = new List<Op>();
        foreach (var e in old)
        {
            ops.Add(new Op.Delete(EventLog.EntryKey("", e.Number)));
            ops.Add(new Op.Delete(EventLog.IdKey(e.EventId)));
            if (e.Project.Length > 0) ops.Add(new Op.Delete(EventLog.EntryKey(e.Project, e.ProjectNumber)));
        }
        foreach (var (log, number) in old.Where(e => e.Project.Length > 0).GroupBy(e => e.Project).Select(g => (g.Key, g.Max(e => e.ProjectNumber))).Append(("", old[^1].Number)))
        {
            var (head, tag) = await EventLog.Head(store, log, ct);
            ops.Add(new Op.Replace(EventLog.HeadKey(log), Json.Write(head with { Trimmed = number }), tag!));
        }
        try { await store.Commit(EventLog.Partition, ops, ct: ct); }
        catch (ConflictException) { /* events came meanwhile: look again */ }
        return true;
    }
}
