using Cloud.Platform;
using Cloud.Platform.Rest;

namespace Cloud.Events;

/// <summary>What a reader wants of a log, and how far he is.</summary>
/// <param name="all">The whole cloud's log, with what is for operators.</param>
internal sealed class Reading(Services s, string log, bool all, string? type, string? subject, long cursor)
{
    // A filter that matches little must not make one request read the whole log.
    private const int MostRead = 2000;

    public bool All => all;
    public string Log => log;
    public long Cursor { get; private set; } = cursor;

    /// <exception cref="Fault">The question makes no sense, or what it asks for is gone.</exception>
    public static async ValueTask<Reading> Of(Call c)
    {
        OwnService.OnlyKnows(c, "cursor", "limit", "type", "subject", "all_projects", "wait");
        var all = OwnService.Flag(c, "all_projects");
        if (all) c.Require("events:get_all", default);
        var log = all ? "" : c.ProjectId;
        return new(c.Services, log, all, c.First("type"), c.First("subject"), await From(c.Services, log, c.Header("Last-Event-ID") is { Length: > 0 } last ? last : c.First("cursor"), c.Cancelled));
    }

    /// <summary>Where a cursor is: nothing for the oldest that is kept, <c>now</c> for what comes from now on.</summary>
    public static async ValueTask<long> From(Services s, string log, string? cursor, CancellationToken ct)
    {
        var head = (await EventLog.Head(s.Store, log, ct)).Head;
        var from = cursor switch
        {
            null or "" => head.Trimmed,
            "now" => head.Last,
            _ => EventBody.TryRead(cursor, out var n) && n <= head.Last ? n : throw Fault.BadRequest("cursor is not one that this service gave."),
        };
        return from >= head.Trimmed ? from : throw new Fault(410, $"Events after this cursor are no longer kept. What is kept begins after cursor {EventBody.Text(head.Trimmed)}.");
    }

    public async ValueTask<IReadOnlyList<LogEntry>> Next(int limit, CancellationToken ct)
    {
        var found = new List<LogEntry>();
        for (var read = 0; found.Count < limit && read < MostRead;)
        {
            var some = await EventLog.After(s.Store, log, Cursor, limit, ct);
            foreach (var entry in some)
            {
                if (found.Count == limit) break;
                Cursor = EventBody.NumberOf(entry, all);
                if (OwnService.Matches(type, entry.Event!.Value.GetProperty("type").GetString()!) && (subject is null || entry.Event.Value.GetProperty("subject").GetString() == subject)) found.Add(entry);
            }
            read += some.Count;
            if (some.Count < limit) break;
        }
        return found;
    }

    /// <summary>The same, but waits for the first one. Only the wait can be cancelled: what was read would be lost with the cursor already behind it.</summary>
    /// <returns>None when the time has passed.</returns>
    public async ValueTask<IReadOnlyList<LogEntry>> Next(int limit, TimeSpan wait, CancellationToken ct)
    {
        for (var until = s.Now + wait; ;)
        {
            var rings = Bell.Of(s).Next(log);
            var (before, found) = (Cursor, await Next(limit, CancellationToken.None));
            if (found.Count > 0 || until <= s.Now) return found;
            if (Cursor != before) continue; // there may be more
            // What another process wrote meanwhile is found by the look after the wait.
            await rings.WaitAsync(until - s.Now, s.Clock, ct).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            ct.ThrowIfCancellationRequested();
        }
    }
}
