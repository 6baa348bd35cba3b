using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloud.Platform.Rest;

/// <summary>Reads what OpenStack's services take for a boolean or a number: clients send "True" and "10" as text.</summary>
public static class Lenient
{
    public static readonly JsonSerializerOptions Json = new(Dialect.Strict) { NumberHandling = JsonNumberHandling.AllowReadingFromString, Converters = { new Flag() } };

    /// <summary>Null for what is not a boolean.</summary>
    public static bool? Boolean(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => Boolean(value.GetString()!),
        JsonValueKind.Number when value.TryGetInt32(out var n) && n is 0 or 1 => n == 1,
        _ => null,
    };

    public static bool? Boolean(string text) => text.ToLowerInvariant() switch
    {
        "true" or "t" or "1" or "on" or "yes" or "y" => true,
        "false" or "f" or "0" or "off" or "no" or "n" => false,
        _ => null,
    };

    private sealed class Flag : JsonConverter<bool>
    {
        public override bool Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            using var value = JsonDocument.ParseValue(ref reader);
            return Boolean(value.RootElement) ?? throw new JsonException("not a boolean");
        }

        public override void Write(Utf8JsonWriter writer, bool value, JsonSerializerOptions options) => writer.WriteBooleanValue(value);
    }
}
