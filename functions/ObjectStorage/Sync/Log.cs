using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.Sync;

/// <summary>A change that is to be carried over: that an object came or changed then, or went.</summary>
internal sealed record Entry(string Name, DateTimeOffset At, bool Gone = false);

/// <summary>How far a container has come.</summary>
/// <param name="After">Row of the last object that was carried of those that were there at the beginning; null when all were.</param>
/// <param name="Failures">In a row, at the object that is next.</param>
/// <param name="Due">Not tried before.</param>
internal sealed record Progress(string Container, string? After = "", int Failures = 0, DateTimeOffset Due = default, string? Why = null);

internal sealed record Wake(string Project, string Container, string Id);

/// <summary>
/// What is to be carried over, written with the change itself: <c>y|CONTAINER ID|ID</c> an entry, which goes when it was carried; <c>s|CONTAINER ID</c> how far the
/// container is; <c>t|CONTAINER ID|NAME</c> a grave. The entries that are left are the cursor: nothing can slip behind it.
/// </summary>
internal static class Log
{
    public const string Queue = "object-sync", StateRange = "s|", GraveRange = "t|";

    public static string Range(string containerId) => $"y|{containerId}|";
    public static string StateKey(string containerId) => $"{StateRange}{containerId}|";
    public static string GraveKey(string containerId, string name) => $"{GraveRange}{containerId}|{Names.Row(name)}";

    /// <summary>With the change of an object of a container.</summary>
    public static void Note(Edit edit, Container container, Entry entry)
    {
        if (!container.IsSynced) return;
        if (entry.Gone) Bury(edit, container, entry.Name, entry.At);
        else edit.TryAdd(new Op.Delete(GraveKey(container.Id, entry.Name)));
        if (container is not { SyncTo: not null, SyncKey: not null }) return;
        edit.Add(new Op.Insert(Range(container.Id) + edit.Services.Ids.New(), Json.Write(entry)));
        edit.Send(Wake(edit.Services, container));
    }

    /// <summary>What isn't here, but was deleted there, must not come from elsewhere later.</summary>
    public static void Bury(Edit edit, Container container, string name, DateTimeOffset? at = null)
    {
        if (container.IsSynced && (at ?? edit.At) is { } died) edit.Add(new Op.Upsert(GraveKey(container.Id, name), Json.Write(new Grave(died))));
    }

    /// <summary>With the change of a container itself: another target begins anew with all that is there.</summary>
    public static void Follow(Edit edit, Container? was, Container? now)
    {
        if (was?.SyncTo == now?.SyncTo && was?.SyncKey == now?.SyncKey) return;
        var one = (now ?? was)!;
        if (now is { SyncTo: not null, SyncKey: not null }) edit.Add(new Op.Upsert(StateKey(one.Id), Json.Write(new Progress(one.Name))));
        else edit.Add(new Op.Delete(StateKey(one.Id)));
        edit.Send(Wake(edit.Services, one));
    }

    /// <param name="notBefore">What waits must not keep what comes from being heard: it has a session of its own.</param>
    public static Message Wake(Services s, Container container, DateTimeOffset? notBefore = null) =>
        new(Queue, s.Ids.New(), Json.Write(new Wake(container.ProjectId, container.Name, container.Id)), container.Id + (notBefore is null ? "" : ".later"), notBefore);

    public static async ValueTask<(Progress Progress, string ETag)?> State(IEntityStore store, string project, string containerId, CancellationToken ct = default) =>
        await store.Get(Shelf.Of(project), StateKey(containerId), ct) is { } row ? (Json.Read<Progress>(row.Body), row.ETag) : null;

    /// <summary>Of a container that is gone, or goes nowhere any more.</summary>
    public static async ValueTask Forget(IEntityStore store, string project, string containerId, CancellationToken ct)
    {
        while (await store.List(Shelf.Of(project), Range(containerId), Shelf.End(Range(containerId)), 100, ct) is { Count: > 0 } rows)
            await store.Commit(Shelf.Of(project), [.. rows.Select(r => new Op.Delete(r.Key))], ct: ct);
    }
}
