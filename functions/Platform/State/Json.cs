using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Cloud.Platform.State;

/// <summary>
/// How bodies are stored: property names as they are, computed properties left out, and what is as in a new object left out too: most of a
/// resource is, and every list reads it. So the initial value of a property is part of the format; it may not be changed once there are rows.
/// </summary>
public static class Json
{
    /// <summary>With every property: for whoever hasn't the type.</summary>
    public static readonly JsonSerializerOptions Whole = new() { IgnoreReadOnlyProperties = true, TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
    public static readonly JsonSerializerOptions Stored = new(Whole) { TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutInitial } } };

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Stored);
    public static byte[] WriteWhole<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Whole);
    public static T Read<T>(ReadOnlyMemory<byte> json) => JsonSerializer.Deserialize<T>(json.Span, Stored) ?? throw new JsonException("empty row");

    private static void LeaveOutInitial(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object || type.Type.GetConstructor(Type.EmptyTypes) is not { } make) return;
        var fresh = make.Invoke(null);
        foreach (var property in type.Properties)
            if (property is { Get: { } get, Set: not null, IsRequired: false })
                property.ShouldSerialize = get(fresh) is var initial && initial is ICollection { Count: 0 } ? (_, value) => value is not ICollection { Count: 0 } : (_, value) => !Equals(value, initial);
    }
}
