using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;

namespace Cloud.Events;

/// <summary>All that happened, to be read again from any point: see docs/events/README.md.</summary>
public static class Api
{
    // A filter that matches little must not make one request read the whole log.
    private const int MostRead = 2000;

    public static readonly Slice Slice = new("events", "events", OwnService.Dialect("events"),
    [
        new("GET", "/", Policy.Anyone, OwnService.Versions), new("GET", "/v1", Policy.Anyone, OwnService.Versions),
        new("GET", "/v1/events", "events:get", List),
        new("GET", "/v1/retention", "events:retention", async c => Days(await Retention.Days(c.Store, c.Cancelled))),
        new("PUT", "/v1/retention", "events:retention", async c =>
        {
            var days = c.Json.ValueKind == JsonValueKind.Object && c.Json.EnumerateObject().Count() == 1 && c.Json.TryGetProperty("days", out var d) && d.ValueKind == JsonValueKind.Number && d.TryGetInt32(out var n) && n is >= 1 and <= 3650 ? n
                : throw Fault.BadRequest("The body must be {\"days\": N} with N from 1 to 3650.");
            await Retention.Set(c.Store, days, c.Cancelled);
            return Days(days);
        }),
    ])
    {
        CatalogName = "events", CatalogPath = "/v1",
        OnEvent = (s, e, _) => Appender.Of(s).Append(e),
        Jobs = [new("trim", TimeSpan.FromHours(1), Retention.Trim)],
    };

    private static Reply Days(int days) => Reply.Of(200, new JsonObject { ["days"] = days });

    private static async ValueTask<Reply> List(Call c)
    {
        OwnService.OnlyKnows(c, "cursor", "limit", "type", "subject", "all_projects");
        var all = OwnService.Flag(c, "all_projects");
        if (all) c.Require("events:get_all", default);
        var (log, limit, type, subject) = (all ? "" : c.ProjectId, OwnService.Limit(c), c.First("type"), c.First("subject"));
        var head = (await EventLog.Head(c.Store, log, c.Cancelled)).Head;
        var cursor = c.First("cursor") is not { Length: > 0 } text ? head.Trimmed
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n <= head.Last ? n : throw Fault.BadRequest("cursor is not one that this service gave.");
        if (cursor < head.Trimmed) throw new Fault(410, $"Events after this cursor are no longer kept. What is kept begins after cursor {Text(head.Trimmed)}.");
        var found = new List<LogEntry>();
        for (var read = 0; found.Count < limit && read < MostRead;)
        {
            var some = await EventLog.After(c.Store, log, cursor, limit, c.Cancelled);
            foreach (var entry in some)
            {
                if (found.Count == limit) break;
                cursor = all ? entry.Number : entry.ProjectNumber;
                if (OwnService.Matches(type, entry.Event!.Value.GetProperty("type").GetString()!) && (subject is null || entry.Event.Value.GetProperty("subject").GetString() == subject)) found.Add(entry);
            }
            read += some.Count;
            if (some.Count < limit) break;
        }
        var reply = new Reply
        {
            Status = 200, ContentType = "application/cloudevents-batch+json",
            Json = w =>
            {
                w.WriteStartArray();
                foreach (var entry in found) Write(w, entry, all);
                w.WriteEndArray();
            },
        };
        return reply.With("Events-Cursor", Text(cursor)).WithNext(c, Text(cursor));
    }

    /// <summary>The event with its place in this log (CloudEvents' sequence extension); tenants don't get what is for operators.</summary>
    private static void Write(Utf8JsonWriter w, LogEntry entry, bool all)
    {
        w.WriteStartObject();
        foreach (var p in entry.Event!.Value.EnumerateObject())
        {
            if (all || p.Name != "data") { p.WriteTo(w); continue; }
            w.WriteStartObject("data");
            foreach (var d in p.Value.EnumerateObject()) if (d.Name != "operator") d.WriteTo(w);
            w.WriteEndObject();
        }
        w.WriteString("sequence", Text(all ? entry.Number : entry.ProjectNumber));
        w.WriteEndObject();
    }

    private static string Text(long number) => number.ToString("D16", CultureInfo.InvariantCulture);
}
