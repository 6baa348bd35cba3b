using System.Globalization;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Events.Webhooks;

/// <summary>What was sent and what became of it, how a webhook is, and sending events once more.</summary>
internal static class Deliveries
{
    private const int MostRead = 2000, MostAgain = 10;

    public static readonly Route[] Routes =
    [
        new("GET", "/v1/webhooks/{id}/status", "events:webhook_get", Status),
        new("GET", "/v1/webhooks/{id}/deliveries", "events:webhook_get", List),
        new("GET", "/v1/webhooks/{id}/deliveries/{number}", "events:webhook_get", Show),
        new("POST", "/v1/webhooks/{id}/redeliver", "events:webhook_write", Redeliver),
    ];

    private static async ValueTask<Reply> Status(Call c)
    {
        var hook = (await Webhooks.Kind.Load(c, "events:webhook_get")).Item;
        var (state, _) = await HookState.Load(c.Store, hook, c.Cancelled);
        var head = (await EventLog.Head(c.Store, hook.Log, c.Cancelled)).Head;
        return Reply.Object(200, w => w.Object("status", () =>
        {
            w.WriteString("cursor", EventBody.Text(state.Cursor));
            w.WriteNumber("unread", head.Last - state.Cursor);
            w.WriteNumber("put_off", state.Late);
            w.WriteNumber("attempts", state.Sent);
            w.WriteBoolean("slow", state.Slow);
            if (state.Outage is { } o) w.Object("outage", () => Failure(o.Since, o.Attempts, o.Next, o.Reason)); else w.WriteNull("outage");
            w.Objects("stuck", state.Stuck, x => { w.WriteString("subject", x.Subject); Failure(x.Since, x.Attempts, x.Next, x.Reason); });
            w.Objects("redeliveries", state.Again, a => { w.WriteString("after", EventBody.Text(a.After)); w.WriteString("until", EventBody.Text(a.Until)); });
            void Failure(DateTimeOffset since, int attempts, DateTimeOffset next, string reason)
            {
                w.WriteString("since", c.Dialect.Time(since));
                w.WriteNumber("attempts", attempts);
                w.WriteString("next_at", c.Dialect.Time(next));
                w.WriteString("reason", reason);
            }
        }));
    }

    private static async ValueTask<Reply> List(Call c)
    {
        OwnService.OnlyKnows(c, "cursor", "limit", "outcome", "event_id", "subject");
        var hook = (await Webhooks.Kind.Load(c, "events:webhook_get")).Item;
        var (limit, outcome, id, subject) = (OwnService.Limit(c), c.First("outcome"), c.First("event_id"), c.First("subject"));
        long? before = c.First("cursor") is not { Length: > 0 } text ? null : EventBody.TryRead(text, out var n) ? n : throw Fault.BadRequest("cursor is not one that this service gave.");
        if (outcome is not (null or DeliveryEntry.Delivered or DeliveryEntry.Failed or DeliveryEntry.GivenUp)) throw Fault.BadRequest("outcome must be delivered, failed or given_up.");
        var (found, read, next) = (new List<DeliveryEntry>(), 0, (string?)null);
        await foreach (var e in DeliveryLog.Before(c.Store, hook.Id, before, c.Cancelled))
        {
            if (found.Count == limit || read++ == MostRead) { next = EventBody.Text(e.Number + 1); break; }
            if ((outcome is null || e.Outcome == outcome) && (id is null || e.EventId == id) && (subject is null || e.Subject == subject)) found.Add(e);
        }
        return Reply.Object(200, w =>
        {
            w.Objects("deliveries", found, e => Write(w, c, e));
            w.WriteString("next", next);
        }).WithNext(c, next);
    }

    private static async ValueTask<Reply> Show(Call c)
    {
        var hook = (await Webhooks.Kind.Load(c, "events:webhook_get")).Item;
        var e = await Find(c, hook, long.TryParse(c.Args["number"], NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0);
        var kept = await EventLog.After(c.Store, hook.Log, e.Event - 1, 1, c.Cancelled) is [var entry] && entry.EventId == e.EventId ? entry : null;
        return Reply.Object(200, w => w.Object("delivery", () =>
        {
            Write(w, c, e);
            // The body as it was sent; null when the event is no longer kept.
            if (kept is null) w.WriteNull("request");
            else w.Object("request", () =>
            {
                w.Map("headers", [new("content-type", EventBody.One), new("webhook-id", e.EventId), new("webhook-timestamp", e.At.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)), new("webhook-signature", "***")]);
                w.WriteString("body", Encoding.UTF8.GetString(EventBody.Of(kept, hook.AllProjects).Span));
            });
        }));
    }

    /// <summary><c>{"delivery": 7}</c> or <c>{"after": CURSOR, "until": CURSOR}</c>; without until, all up to now.</summary>
    private static async ValueTask<Reply> Redeliver(Call c)
    {
        var hook = (await Webhooks.Kind.Load(c, "events:webhook_write")).Item;
        var head = (await EventLog.Head(c.Store, hook.Log, c.Cancelled)).Head;
        var names = c.Json.ValueKind == JsonValueKind.Object ? c.Json.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal).ToArray() : [];
        var span = names switch
        {
            ["delivery"] => c.Json.GetProperty("delivery") is { ValueKind: JsonValueKind.Number } d && d.TryGetInt64(out var number) ? (await Find(c, hook, number)) is var e ? new Span(e.Event - 1, e.Event) : null! : throw Bad(),
            ["after"] => new Span(Cursor("after"), head.Last),
            ["after", "until"] => new Span(Cursor("after"), Cursor("until")),
            _ => throw Bad(),
        };
        if (span.Until <= span.After) throw Fault.BadRequest("until must be behind after.");
        if (span.After < head.Trimmed) throw new Fault(410, $"Events after this cursor are no longer kept. What is kept begins after cursor {EventBody.Text(head.Trimmed)}.");
        if (hook.Status != Webhook.Active) throw Fault.Conflict($"The webhook is {hook.Status}; resume it first.");
        if ((await HookState.Load(c.Store, hook, c.Cancelled)).State.Again.Length >= MostAgain) throw Fault.Conflict($"{MostAgain} redeliveries are under way; wait for them.");
        await c.Services.Bus.Send([(Wake.Of(hook) with { Again = span }).Now(c.Services)], c.Cancelled);
        return Reply.Object(202, w =>
        {
            w.WriteString("after", EventBody.Text(span.After));
            w.WriteString("until", EventBody.Text(span.Until));
        });

        long Cursor(string name) => c.Json.GetProperty(name) is { ValueKind: JsonValueKind.String } p && EventBody.TryRead(p.GetString()!, out var n) && n <= head.Last ? n : throw Fault.BadRequest($"{name} is not a cursor that this service gave.");
    }

    private static Fault Bad() => Fault.BadRequest("The body must be {\"delivery\": NUMBER} or {\"after\": CURSOR, \"until\": CURSOR}.");

    private static async ValueTask<DeliveryEntry> Find(Call c, Webhook hook, long number) =>
        await DeliveryLog.Find(c.Store, hook.Id, number, c.Cancelled) ?? throw Fault.NotFound("delivery", number.ToString(CultureInfo.InvariantCulture));

    private static void Write(Utf8JsonWriter w, Call c, DeliveryEntry e)
    {
        w.WriteNumber("number", e.Number);
        w.WriteString("event_id", e.EventId);
        w.WriteString("sequence", EventBody.Text(e.Event));
        w.WriteString("type", e.Type);
        w.WriteString("subject", e.Subject);
        w.WriteNumber("attempt", e.Attempt);
        w.WriteString("at", c.Dialect.Time(e.At));
        w.WriteNumber("milliseconds", e.Milliseconds);
        w.WriteNumber("status", e.Status);
        w.WriteString("error", e.Error);
        w.WriteString("outcome", e.Outcome);
        w.WriteBoolean("redelivery", e.Again);
    }
}
