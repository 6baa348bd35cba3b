using System.Globalization;
using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Metering;

/// <summary>An interval with whose it is.</summary>
public sealed record Entry(string Id, string Project, string Resource, Interval Interval);

/// <summary>
/// Where the ledger is kept: a partition per project with one row for each live resource, one for each closed interval in order of its end,
/// and for a while one for each resource that is gone, so that an event that comes again opens nothing anew.
/// </summary>
public static class Accounts
{
    private static readonly Announcement Ended = new("/metering", "cloud.serverless.metering.interval.closed");
    private const string Projects = "metering";
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(60);
    private sealed record Gone(DateTimeOffset At);

    internal static string PartitionOf(string project) => "metering." + project;

    /// <summary>Takes part in the cloud's events. One transaction for each; repeats harmlessly.</summary>
    /// <exception cref="InvalidOperationException">The event is older than what is remembered: whether it was counted can't be known.</exception>
    public static async Task OnEvent(Services s, Event e, CancellationToken ct)
    {
        if (e.ProjectId.Length == 0 || Meters.Read(e) is not var (resource, created, reading)) return;
        // A client may choose an image's id again after it is gone; the time of making tells the two apart.
        var name = $"{Stamp(created)}|{Keys.Safe(resource)}";
        var (partition, live, gone) = (PartitionOf(e.ProjectId), "live|" + name, "gone|" + name);
        while (true)
        {
            var row = await s.Store.Get(partition, live, ct);
            if (row is null)
            {
                if (await s.Store.Get(partition, gone, ct) is not null) return;
                if (e.Time < s.Now - Remembered) throw new InvalidOperationException($"event {e.Id} is too old to be metered: whether it was already is forgotten");
                await Know(s.Store, e.ProjectId, ct);
            }
            var was = row is null ? null : Json.Read<Account>(row.Body);
            var (account, closed) = Ledger.Apply(was, reading);
            if (account == was) return;
            var entries = closed.Select(i => new Entry(IdOf(resource, i), e.ProjectId, resource, i)).ToList();
            List<Op> ops = [.. entries.Select(x => new Op.Insert(EndKey(x), Json.Write(x)))];
            if (!account.Ended) ops.Add(row is null ? new Op.Insert(live, Json.Write(account)) : new Op.Replace(live, Json.Write(account), row.ETag));
            else if (row is not null) ops.Add(new Op.Delete(live, row.ETag));
            ops.Add(account.Ended ? new Op.Insert(gone, Json.Write(new Gone(account.At))) : new Op.Check(gone, null));
            try
            {
                await s.Store.Commit(partition, ops, [.. entries.Select(x => Closed(s, x))], ct);
                return;
            }
            catch (ConflictException) { /* another delivery of it was first: look again */ }
        }
    }

    /// <summary>Everything that lasted at some time between the two, what goes on first, then by end. One that ends meanwhile may come twice, with the same id.</summary>
    public static async IAsyncEnumerable<Entry> Between(IEntityStore store, string project, DateTimeOffset from, DateTimeOffset to, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct = default)
    {
        var (first, end) = Keys.Range("live|");
        foreach (var row in await store.List(PartitionOf(project), first, end, ct: ct))
            foreach (var i in Ledger.Pending(Json.Read<Account>(row.Body)))
                if (i.From < to && (i.To is null || i.To > from) && ResourceIn(row.Key) is var resource) yield return new(IdOf(resource, i), project, resource, i);
        (first, end) = ($"interval|{Stamp(from < DateTimeOffset.UnixEpoch ? DateTimeOffset.UnixEpoch : from)}", Keys.Range("interval|").To);
        foreach (var row in await store.List(PartitionOf(project), first, end, ct: ct))
            if (Json.Read<Entry>(row.Body) is var entry && entry.Interval.From < to && entry.Interval.To > from) yield return entry;
    }

    /// <summary>Before something of a project is written: it is among those that have a ledger.</summary>
    internal static async ValueTask Know(IEntityStore store, string project, CancellationToken ct)
    {
        if (await store.Get(Projects, project, ct) is null) await store.Commit(Projects, [new Op.Upsert(project, ReadOnlyMemory<byte>.Empty)], ct: ct);
    }

    /// <summary>Every project that ever had something metered.</summary>
    public static async ValueTask<IReadOnlyList<string>> AllProjects(IEntityStore store, CancellationToken ct = default) =>
        [.. (await store.List(Projects, "", char.MaxValue.ToString(), ct: ct)).Select(r => r.Key)];

    /// <summary>Forgets resources that have been gone for long.</summary>
    public static async Task Forget(Services s, CancellationToken ct)
    {
        var before = s.Now - Remembered;
        foreach (var project in await AllProjects(s.Store, ct))
            foreach (var row in await s.Store.List(PartitionOf(project), "gone|", "gone|" + Stamp(before), ct: ct))
                if (Json.Read<Gone>(row.Body).At < before) await s.Store.Commit(PartitionOf(project), [new Op.Delete(row.Key, row.ETag)], ct: ct);
    }

    private static string IdOf(string resource, Interval i) => $"{resource[(resource.IndexOf('|', StringComparison.Ordinal) + 1)..]}.{i.Meter}.{i.From.ToUnixTimeMilliseconds()}";
    private static string EndKey(Entry e) => $"interval|{Stamp(e.Interval.To!.Value)}|{Keys.Safe(e.Id)}";
    internal static string Stamp(DateTimeOffset t) => t.ToUnixTimeMilliseconds().ToString("D15", CultureInfo.InvariantCulture);
    private static string ResourceIn(string liveKey) => Uri.UnescapeDataString(liveKey.Split('|', 3)[2]);

    private static Message Closed(Services s, Entry e) =>
        Ended.Of(s, "interval:" + e.Id, e.Resource.Split('|')[1], new() { ["project_id"] = e.Project, ["interval"] = JsonSerializer.SerializeToNode(EntryView.Of(e, s.Now), EntryView.Wire) });
}
