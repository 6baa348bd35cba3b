using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;

namespace Cloud.Events.Webhooks;

/// <summary>Tells that an event could not be delivered within a day. Schema: docs/events/events.webhook.gave_up.json.</summary>
internal static class GaveUp
{
    public const string Type = "cloud.serverless.events.webhook.gave_up";
    private static readonly Announcement Event = new("/events", Type);

    public static Message Of(Services s, Webhook hook, LogEntry entry, string reason) =>
        Event.Of(s, s.Ids.New(), hook.Id, new() { ["project_id"] = hook.ProjectId, ["event_id"] = entry.EventId, ["sequence"] = EventBody.Text(EventBody.NumberOf(entry, hook.AllProjects)), ["reason"] = reason });
}
