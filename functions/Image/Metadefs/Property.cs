using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloud.Image.Metadefs;

/// <summary>One property as JSON Schema describes it, as far as Glance takes that.</summary>
public sealed record Property : Part
{
    [Required] public string? Title { get; init; }
    public string? Description { get; init; }
    [Required, AllowedValues("array", "boolean", "integer", "number", "object", "string")] public string? Type { get; init; }
    public string[]? Operators { get; init; }
    public string[]? Required { get; init; }
    public double? Minimum { get; init; }
    public double? Maximum { get; init; }
    [Range(0, int.MaxValue), JsonPropertyName("minLength")] public int? MinLength { get; init; }
    [Range(0, int.MaxValue), JsonPropertyName("maxLength")] public int? MaxLength { get; init; }
    public string? Pattern { get; init; }
    public JsonElement[]? Enum { get; init; }
    public bool? Readonly { get; init; }
    public JsonElement? Default { get; init; }
    public ItemType? Items { get; init; }
    [Range(0, int.MaxValue), JsonPropertyName("minItems")] public int? MinItems { get; init; }
    [Range(0, int.MaxValue), JsonPropertyName("maxItems")] public int? MaxItems { get; init; }
    [JsonPropertyName("uniqueItems")] public bool? UniqueItems { get; init; }
    [JsonPropertyName("additionalItems")] public bool? AdditionalItems { get; init; }

    /// <summary>As collections show them: the name is the key.</summary>
    public static Dictionary<string, Property> ByName(IEnumerable<Property> properties) => properties.ToDictionary(p => p.Name, p => p with { Name = "" });
}

/// <summary>What an array holds.</summary>
public sealed record ItemType
{
    [AllowedValues("array", "boolean", "integer", "number", "object", "string", null)] public string? Type { get; init; }
    public JsonElement[]? Enum { get; init; }
}
