using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Events;

/// <summary>All that happened, to be read again from any point: see docs/events/README.md.</summary>
public static class Api
{
    /// <summary>Seconds; proxies end what is silent for longer.</summary>
    private const int MostWait = 60;

    public static readonly Slice Slice = new("events", "events", OwnService.Dialect("events"),
    [
        new("GET", "/", Policy.Anyone, OwnService.Versions), new("GET", "/v1", Policy.Anyone, OwnService.Versions),
        new("GET", "/v1/events", "events:get", List), new("GET", "/v1/events/{id}", "events:get", One),
        new("GET", "/v1/retention", "events:retention", async c => Days(await Retention.Days(c.Store, c.Cancelled))),
        new("PUT", "/v1/retention", "events:retention", async c =>
        {
            var days = c.Json.ValueKind == JsonValueKind.Object && c.Json.EnumerateObject().Count() == 1 && c.Json.TryGetProperty("days", out var d) && d.ValueKind == JsonValueKind.Number && d.TryGetInt32(out var n) && n is >= 1 and <= 3650 ? n
                : throw Fault.BadRequest("The body must be {\"days\": N} with N from 1 to 3650.");
            await Retention.Set(c.Store, days, c.Cancelled);
            return Days(days);
        }),
        .. Webhooks.Webhooks.Routes, .. Subscriptions.Routes, .. OwnQuotas.Of(Webhooks.Webhooks.Quota, "events:webhook_get", "events:quotas"),
    ])
    {
        CatalogName = "events", CatalogPath = "/v1",
        OnEvent = async (s, e, ct) =>
        {
            await Appender.Of(s).Append(e);
            await Webhooks.Webhooks.OnEvent(s, e, ct);
            await Subscriptions.OnEvent(s, e, ct);
        },
        // Waiting for receivers takes neither a thread nor a processor.
        Queues =
        [
            new("queue-webhooks", Webhooks.Wake.Queue, 64, Sessions: true, Webhooks.Runner.Handle),
            new("queue-webhooks-due", Webhooks.Wake.DueQueue, 16, Sessions: false, Webhooks.Wake.Due),
            new("queue-webhooks-slow", Webhooks.Wake.SlowQueue, 256, Sessions: true, Webhooks.Runner.Handle),
        ],
        Jobs = [new("trim", TimeSpan.FromHours(1), Retention.Trim), new("webhooks", TimeSpan.FromHours(1), Webhooks.Janitor.Run)],
    };

    private static Reply Days(int days) => Reply.Of(200, new JsonObject { ["days"] = days });

    private static async ValueTask<Reply> List(Call c)
    {
        var (reading, limit, wait) = (await Reading.Of(c), OwnService.Limit(c), Wait(c));
        var streams = c.Header("Accept")?.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;
        var place = !streams && wait == TimeSpan.Zero ? null : Bell.Of(c.Services).Place(reading.Log) ?? throw new Fault(429, "Too many wait for events already.") { Headers = [("Retry-After", "10")] };
        if (streams) return ServerSent.Of(c, reading, place!);
        using var _ = place;
        using var both = CancellationTokenSource.CreateLinkedTokenSource(c.Cancelled, c.Stopping);
        IReadOnlyList<LogEntry> found;
        try { found = await reading.Next(limit, wait, both.Token); }
        catch (OperationCanceledException) when (!c.Cancelled.IsCancellationRequested) { found = []; }
        var reply = new Reply
        {
            Status = 200, ContentType = EventBody.Batch,
            Json = w =>
            {
                w.WriteStartArray();
                foreach (var entry in found) EventBody.Write(w, entry, reading.All);
                w.WriteEndArray();
            },
        };
        return reply.With("Events-Cursor", EventBody.Text(reading.Cursor)).WithNext(c, EventBody.Text(reading.Cursor));
    }

    private static TimeSpan Wait(Call c) => c.First("wait") is not { } text ? TimeSpan.Zero
        : EventBody.TryRead(text, out var seconds) && seconds <= MostWait ? TimeSpan.FromSeconds(seconds) : throw Fault.BadRequest($"wait must be a number of seconds from 0 to {MostWait}.");

    private static async ValueTask<Reply> One(Call c)
    {
        OwnService.OnlyKnows(c);
        var all = c.Allows("events:get_all", default);
        if (await EventLog.Find(c.Store, c.Args["id"], c.Cancelled) is not { } entry || !(all || (entry.Project.Length > 0 && c.Allows("events:get", new(entry.Project))))) throw Fault.NotFound("event", c.Args["id"]);
        return new() { Status = 200, ContentType = "application/cloudevents+json", Json = w => EventBody.Write(w, entry, all) };
    }
}
