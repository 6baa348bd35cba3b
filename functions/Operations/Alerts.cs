using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Operations;

/// <summary>Something to look at. It stays until an operator says it is done, or for 90 days.</summary>
public sealed record Alert(string Id, string Name, string Subject, string ProjectId, string Text, DateTimeOffset At);

/// <summary>The alerts among the events, kept apart so that none has to be searched for.</summary>
public static class Alerts
{
    private const string Partition = "alerts";
    private static readonly TimeSpan Kept = TimeSpan.FromDays(90);

    public static async Task OnEvent(Services s, Event e, CancellationToken ct)
    {
        if (!e.IsAlert) return;
        var alert = new Alert(e.Id, e.Type.Split('.')[^1], e.Subject, e.ProjectId, e.Data.GetProperty("text").GetString()!, e.Time);
        await s.Store.Commit(Partition, [new Op.Upsert(Key(e.Id), Json.Write(alert))], ct: ct);
    }

    /// <summary>Newest first.</summary>
    public static async ValueTask<IReadOnlyList<Alert>> List(IEntityStore store, int most, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range("alert|");
        return [.. (await store.List(Partition, from, to, most, ct)).Select(r => Json.Read<Alert>(r.Body))];
    }

    /// <returns>False when there is none.</returns>
    public static async ValueTask<bool> Done(IEntityStore store, string id, CancellationToken ct = default)
    {
        if (await store.Get(Partition, Key(id), ct) is null) return false;
        await store.Commit(Partition, [new Op.Delete(Key(id))], ct: ct);
        return true;
    }

    public static async Task Forget(Services s, CancellationToken ct)
    {
        foreach (var alert in await List(s.Store, int.MaxValue, ct))
            if (alert.At < s.Now - Kept) await Done(s.Store, alert.Id, ct);
    }

    private static string Key(string id) => Keys.Of("alert", id, newestFirst: true);
}
