using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloud.Network;

/// <summary>Bodies that hold more than fields.</summary>
internal static class Body
{
    /// <summary>The rest of a body when one member is taken out of it.</summary>
    public static JsonElement Without(JsonElement body, string name, out JsonElement? value)
    {
        value = body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var v) ? v : null;
        if (value is null) return body;
        var rest = JsonObject.Create(body)!;
        rest.Remove(name);
        using var json = JsonDocument.Parse(rest.ToJsonString());
        return json.RootElement.Clone();
    }
}
