using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>A property that resources of a type have.</summary>
internal sealed record ResourceAttribute
{
    public string Name { get; init; } = "";
    /// <summary>string, uuid, number, bool or datetime.</summary>
    public string Type { get; init; } = "string";
    public bool Required { get; init; }
    /// <summary>Bounds of a text's length.</summary>
    public int Shortest { get; init; }
    public int Longest { get; init; } = 255;
    /// <summary>Bounds of a number.</summary>
    public double? Min { get; init; }
    public double? Max { get; init; }
    /// <summary>What resources show that were there before the attribute was.</summary>
    public JsonElement? Fill { get; init; }
    /// <summary>Key of the value in stored resources: not the name, so that an attribute that is removed and added again begins empty.</summary>
    public string Slot { get; init; } = "";

    /// <summary>The value as it is kept.</summary>
    /// <exception cref="FormatException">With the checker's words.</exception>
    public JsonElement Check(JsonElement value, DateTimeOffset now)
    {
        switch (Type)
        {
            case "string":
                if (value.ValueKind != JsonValueKind.String) throw new FormatException("expected str");
                var length = new StringInfo(value.GetString()!).LengthInTextElements;
                return length < Shortest ? throw new FormatException($"length of value must be at least {Shortest}") : length > Longest ? throw new FormatException($"length of value must be at most {Longest}") : value;
            case "uuid": return JsonSerializer.SerializeToElement(Ids.Uuid(value.ValueKind == JsonValueKind.String ? value.GetString()! : "") ?? throw new FormatException("badly formed hexadecimal UUID string"));
            case "datetime": return JsonSerializer.SerializeToElement(Times.Show(Times.Microsecond(Times.At(Times.Parse(value.ValueKind is JsonValueKind.String ? value.GetString()! : value.GetRawText(), now)))));
            case "bool": return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value : throw new FormatException("expected bool");
            default:
                if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var n)) throw new FormatException("expected Real");
                return n < Min ? throw new FormatException($"value must be at least {Min}") : n > Max ? throw new FormatException($"value must be at most {Max}") : value;
        }
    }

    public void Write(Utf8JsonWriter w)
    {
        w.WriteStartObject(Name);
        w.WriteString("type", Type);
        w.WriteBoolean("required", Required);
        if (Type == "string") { w.WriteNumber("max_length", Longest); w.WriteNumber("min_length", Shortest); }
        if (Type == "number") { Bound("min", Min); Bound("max", Max); }
        w.WriteEndObject();

        void Bound(string name, double? v)
        {
            if (v is { } n) w.WriteNumber(name, n);
            else w.WriteNull(name);
        }
    }
}

/// <summary>A kind of resource. Every resource is generic too.</summary>
internal sealed record ResourceType
{
    public static readonly ResourceType Generic = new() { Name = "generic" };

    public string Name { get; init; } = "";
    public ResourceAttribute[] Attributes { get; init; } = [];
    /// <summary>Counts the attributes that were ever added later.</summary>
    public int Added { get; init; }

    [JsonIgnore] public bool IsGeneric => Name == "generic";

    public void Write(Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteString("name", Name);
        w.WriteStartObject("attributes");
        foreach (var a in Attributes) a.Write(w);
        w.WriteEndObject();
        w.WriteString("state", "active");
        w.WriteEndObject();
    }
}
