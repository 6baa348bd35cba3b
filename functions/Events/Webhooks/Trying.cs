using System.Text.Json;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;

namespace Cloud.Events.Webhooks;

/// <summary>A test event, signed like any other, sent while the client waits. It is in no log and moves no cursor.</summary>
internal static class Trying
{
    private static readonly Announcement Event = new("/events", "cloud.serverless.events.webhook.test");

    public static readonly Route[] Routes =
    [
        new("POST", "/v1/webhooks/{id}/test", "events:webhook_write", async c =>
        {
            var hook = (await Webhooks.Kind.Load(c, "events:webhook_write")).Item;
            var json = Event.Json(c.Services, c.Services.Ids.New(), hook.Id, new() { ["project_id"] = hook.ProjectId, ["text"] = "A test." });
            var entry = new LogEntry { Number = 0, EventId = (string)json["id"]!, Project = hook.ProjectId, Event = JsonSerializer.SerializeToElement(json) };
            var attempt = await new Courier(c.Services, hook).Send(new Parcel(0, entry), c.Cancelled);
            return Reply.Object(200, w =>
            {
                w.WriteBoolean("delivered", attempt.Verdict == Verdict.Delivered);
                w.WriteString("event_id", entry.EventId);
                w.WriteNumber("status", attempt.Status);
                w.WriteString("error", attempt.Error);
                w.WriteNumber("milliseconds", (int)attempt.Took.TotalMilliseconds);
            });
        }),
    ];
}
