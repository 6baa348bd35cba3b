using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Events;

/// <summary>How far one log goes. The log of a project is named by its id, that of the whole cloud by the empty text.</summary>
public sealed record LogHead
{
    /// <summary>Number of the newest entry; the first is 1 and there are no holes.</summary>
    public long Last { get; init; }
    /// <summary>Number of the newest entry that was trimmed away.</summary>
    public long Trimmed { get; init; }
}

/// <summary>One entry: the event itself, or (in the cloud's log, for events of a project) where it is.</summary>
public sealed record LogEntry
{
    public required long Number { get; init; }
    public required string EventId { get; init; }
    public required string Project { get; init; }
    /// <summary>Number in the project's log, 0 for events of no project.</summary>
    public long ProjectNumber { get; init; }
    public DateTimeOffset LoggedAt { get; init; }
    public JsonElement? Event { get; init; }
}

/// <summary>Where an event is: its number in the whole cloud's log.</summary>
internal sealed record EventPlace(long Number);

/// <summary>
/// Events in the order in which they became readable. Numbers are given in the very write that makes an entry readable,
/// so whoever has read up to a number has seen all below it, however late an event was committed.
/// </summary>
public static class EventLog
{
    public const string Partition = "events";

    public static string HeadKey(string log) => "head|" + log;
    public static string IdKey(string eventId) => "id|" + Keys.Safe(eventId);
    public static string EntryKey(string log, long number) => $"entry|{log}|{number.ToString("D16", CultureInfo.InvariantCulture)}";

    public static async ValueTask<(LogHead Head, string? ETag)> Head(IEntityStore store, string log, CancellationToken ct = default) =>
        await store.Get(Partition, HeadKey(log), ct) is { } row ? (Json.Read<LogHead>(row.Body), row.ETag) : (new(), null);

    /// <summary>Up to <paramref name="most"/> entries after <paramref name="number"/>, in order, with their events.</summary>
    public static async ValueTask<IReadOnlyList<LogEntry>> After(IEntityStore store, string log, long number, int most, CancellationToken ct = default)
    {
        var rows = await store.List(Partition, EntryKey(log, number + 1), EntryKey(log, 9_999_999_999_999_999), most, ct);
        var entries = new List<LogEntry>(rows.Count);
        foreach (var row in rows)
        {
            var entry = Json.Read<LogEntry>(row.Body);
            if (entry.Event is null && await store.Get(Partition, EntryKey(entry.Project, entry.ProjectNumber), ct) is { } there) entry = entry with { Event = Json.Read<LogEntry>(there.Body).Event };
            if (entry.Event is not null) entries.Add(entry);
        }
        return entries;
    }

    /// <summary>Adds events in the order given; one that is there already is left out.</summary>
    /// <param name="along">What is sent along with entries, in their transaction.</param>
    public static async Task Append(IEntityStore store, IReadOnlyList<Event> events, DateTimeOffset now, Func<IReadOnlyList<LogEntry>, ValueTask<IReadOnlyList<Message>>>? along = null, CancellationToken ct = default)
    {
        var fresh = events.DistinctBy(e => e.Id).ToList();
        while (fresh.Count > 0)
        {
            var heads = new Dictionary<string, (LogHead Head, string? ETag)> { [""] = await Head(store, "", ct) };
            foreach (var project in fresh.Select(LogOf).Distinct())
                if (project.Length > 0) heads[project] = await Head(store, project, ct);
            var (ops, entries) = (new List<Op>(), new List<LogEntry>());
            foreach (var e in fresh)
            {
                var project = LogOf(e);
                var entry = new LogEntry { Number = Next(heads, ""), EventId = e.Id, Project = project, LoggedAt = now, Event = e.Json };
                if (project.Length > 0) entry = entry with { ProjectNumber = Next(heads, project) };
                entries.Add(entry);
                if (project.Length > 0)
                {
                    ops.Add(new Op.Insert(EntryKey(project, entry.ProjectNumber), Json.Write(entry)));
                    entry = entry with { Event = null };
                }
                ops.Add(new Op.Insert(EntryKey("", entry.Number), Json.Write(entry)));
                ops.Add(new Op.Insert(IdKey(e.Id), Json.Write(new EventPlace(entry.Number))));
            }
            foreach (var (log, (head, tag)) in heads)
                ops.Add(tag is null ? new Op.Insert(HeadKey(log), Json.Write(head)) : new Op.Replace(HeadKey(log), Json.Write(head), tag));
            try
            {
                await store.Commit(Partition, ops, along is null ? null : await along(entries), ct);
                return;
            }
            catch (ConflictException)
            {
                // Another process moved a head, or one of these is there already.
                for (var i = fresh.Count - 1; i >= 0; i--)
                    if (await store.Get(Partition, IdKey(fresh[i].Id), ct) is not null) fresh.RemoveAt(i);
            }
        }
    }

    /// <summary>One event; null when it isn't there, or no longer.</summary>
    public static async ValueTask<LogEntry?> Find(IEntityStore store, string id, CancellationToken ct = default) =>
        await store.Get(Partition, IdKey(id), ct) is { Body.Length: > 0 } row && await After(store, "", Json.Read<EventPlace>(row.Body).Number - 1, 1, ct) is [{ } entry] && entry.EventId == id ? entry : null;

    /// <summary>The log that has the event itself. Alerts are for operators even when they are about a project's resource.</summary>
    public static string LogOf(Event e) => e.IsAlert ? "" : e.ProjectId;

    private static long Next(Dictionary<string, (LogHead Head, string? ETag)> heads, string log)
    {
        var (head, tag) = heads[log];
        heads[log] = (head with { Last = head.Last + 1 }, tag);
        return head.Last + 1;
    }
}
