using System.Text.Json;

namespace Cloud.Platform.Events;

/// <summary>An event as its readers get it from the queue.</summary>
/// <param name="ProjectId">Empty for what belongs to no project.</param>
/// <param name="Json">The whole event.</param>
public sealed record Event(string Id, string Type, string Subject, DateTimeOffset Time, string ProjectId, JsonElement Json)
{
    public JsonElement Data => Json.GetProperty("data");
    /// <summary>For operators alone, whatever project it is about.</summary>
    public bool IsAlert => Type.StartsWith("cloud.serverless.alert.", StringComparison.Ordinal);

    public static Event Read(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        return Of(document.RootElement.Clone());
    }

    public static Event Of(JsonElement json) =>
        new(json.GetProperty("id").GetString()!, json.GetProperty("type").GetString()!, json.GetProperty("subject").GetString()!, json.GetProperty("time").GetDateTimeOffset(),
            json.GetProperty("data").GetProperty("project_id").GetString() ?? "", json);
}
