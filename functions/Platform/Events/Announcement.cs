using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Bus;

namespace Cloud.Platform.Events;

/// <summary>A type of event that tells of something else than a change of a resource. Each is a static field, and has its schema in docs/events: a test looks for both.</summary>
public sealed record Announcement(string Source, string Type)
{
    /// <param name="id">The same again for what is the same again.</param>
    /// <param name="data">Holds project_id, empty for what belongs to none.</param>
    public Message Of(Services s, string id, string subject, JsonObject data, string? session = null) => new(CloudEvent.Queue, id, JsonSerializer.SerializeToUtf8Bytes(Json(s, id, subject, data)), Session: session ?? subject);

    public JsonObject Json(Services s, string id, string subject, JsonObject data) => new()
    {
        ["specversion"] = "1.0", ["id"] = id, ["source"] = Source, ["type"] = Type, ["subject"] = subject, ["time"] = s.Now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), ["datacontenttype"] = "application/json", ["data"] = data,
    };
}
