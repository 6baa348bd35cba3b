using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloud.Platform.Rest;

/// <summary>An answer: a status, and a body written when it is sent.</summary>
public sealed class Reply
{
    public required int Status { get; init; }
    public List<(string Name, string Value)> Headers { get; } = [];
    public Action<Utf8JsonWriter>? Json { get; init; }
    public string? Text { get; init; }
    public Stream? Stream { get; init; }
    /// <summary>Content type of the body.</summary>
    public string ContentType { get; init; } = "application/json";

    public static Reply Of(int status, Action<Utf8JsonWriter> json) => new() { Status = status, Json = json };
    public static Reply Of(int status, JsonNode json) => new() { Status = status, Json = w => json.WriteTo(w) };
    /// <summary>An object of these members.</summary>
    public static Reply Object(int status, Action<Utf8JsonWriter> members) => Of(status, w =>
    {
        w.WriteStartObject();
        members(w);
        w.WriteEndObject();
    });

    public static Reply Empty(int status) => new() { Status = status };

    public Reply With(string header, string value)
    {
        Headers.Add((header, value));
        return this;
    }
}
