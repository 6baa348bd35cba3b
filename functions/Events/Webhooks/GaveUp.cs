using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;

namespace Cloud.Events.Webhooks;

/// <summary>Tells that an event could not be delivered within a day. Schema: docs/events/events.webhook.gave_up.json.</summary>
internal static class GaveUp
{
    public const string Type = "cloud.serverless.events.webhook.gave_up";

    public static Message Of(Services s, Webhook hook, LogEntry entry, string reason)
    {
        var data = new JsonObject { ["project_id"] = hook.ProjectId, ["event_id"] = entry.EventId, ["sequence"] = EventBody.Text(EventBody.NumberOf(entry, hook.AllProjects)), ["reason"] = reason };
        var json = New(s, hook, Type, data);
        return new(CloudEvent.Queue, (string)json["id"]!, JsonSerializer.SerializeToUtf8Bytes(json), Session: hook.Id);
    }

    /// <summary>An event about the webhook itself, not of a change.</summary>
    public static JsonObject New(Services s, Webhook hook, string type, JsonObject data) => new()
    {
        ["specversion"] = "1.0", ["id"] = s.Ids.New(), ["source"] = "/events", ["type"] = type, ["subject"] = hook.Id,
        ["time"] = s.Now.UtcDateTime.ToString("O"), ["datacontenttype"] = "application/json", ["data"] = data,
    };
}
