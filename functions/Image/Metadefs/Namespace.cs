using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image.Metadefs;

/// <summary>What may be said of some kinds of resources: their properties, alone and in groups, and their tags. Its name is its id.</summary>
public sealed record Namespace : Resource
{
    [Field(In.Create, Required = true, Sort = true, Wire = "namespace"), Length(1, 80), NoSlash] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Create, Nullable = true, OmitNull = true), MaxLength(80)] public string? DisplayName { get; init; }
    [Field(In.Create, Nullable = true, OmitNull = true), MaxLength(500)] public string? Description { get; init; }
    [Field(In.Create, Filter = true), AllowedValues("public", "private")] public string Visibility { get; init; } = "private";
    [Field(In.Create)] public bool Protected { get; init; }
    [Field(In.Create), Length(1, 255)] public string Owner { get; init; } = "";
    [Field(Sort = true, Wire = "created_at")] public DateTimeOffset Made => CreatedAt;
    [Field(Sort = true, Wire = "updated_at")] public DateTimeOffset Changed => UpdatedAt ?? CreatedAt;
    [Field(In.Create, WriteOnly = true)] public Association[] ResourceTypeAssociations { get; init; } = [];
    [Field(In.Create, WriteOnly = true)] public MetadefObject[] Objects { get; init; } = [];
    [Field(In.Create, WriteOnly = true)] public Tag[] Tags { get; init; } = [];
    /// <summary>On the wire, where the name is the key.</summary>
    [Field(In.Create, WriteOnly = true, Wire = "properties"), JsonIgnore] public Dictionary<string, Property> ByName { get => Property.ByName(Properties); init => Properties = [.. value.Select(p => p.Value with { Name = p.Key })]; }
    public Property[] Properties { get; init; } = [];
}

/// <summary>One of the things in a namespace, known by its name.</summary>
public abstract record Part
{
    [Length(1, 80), NoSlash] public string Name { get; init; } = "";
}

/// <summary>One that says since when; the times are as on the wire, and ours.</summary>
public abstract record DatedPart : Part
{
    public string? CreatedAt { get; init; }
    public string? UpdatedAt { get; init; }
}

public sealed record Tag : DatedPart;

/// <summary>A kind of resource that the namespace is for.</summary>
public sealed record Association : DatedPart
{
    /// <summary>What properties' names begin with on this kind.</summary>
    [MaxLength(80)] public string? Prefix { get; init; }
    [MaxLength(80)] public string? PropertiesTarget { get; init; }
}

/// <summary>Properties that belong together.</summary>
public sealed record MetadefObject : DatedPart
{
    public string? Description { get; init; }
    public string[]? Required { get; init; }
    public Dictionary<string, Property>? Properties { get; init; }
}

/// <summary>More than a path's segment can hold.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NoSlashAttribute() : ValidationAttribute("{0} must not hold a slash.")
{
    public override bool IsValid(object? value) => value is not string s || !s.Contains('/', StringComparison.Ordinal);
}
