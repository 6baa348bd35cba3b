using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Cloud.Platform.State;

/// <summary>How bodies are stored: property names as they are, computed properties left out. Nulls are kept: a property whose default isn't null may be set to it.</summary>
public static class Json
{
    public static readonly JsonSerializerOptions Stored = new()
    {
        IgnoreReadOnlyProperties = true, TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Stored);
    public static T Read<T>(ReadOnlyMemory<byte> json) => JsonSerializer.Deserialize<T>(json.Span, Stored) ?? throw new JsonException("empty row");
}
