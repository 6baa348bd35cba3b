using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

public sealed record Region : Resource
{
    [Field(In.Create), MaxLength(255)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both), MaxLength(4096)] public string Description { get; init; } = "";
    [Field(In.Both, Filter = true, Nullable = true), MaxLength(255)] public string? ParentRegionId { get; init; }
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
}

public sealed record Service : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Required = true), Length(1, 255), NotBlank] public string Type { get; init; } = "";
    [Field(In.Both, Filter = true, Nullable = true, OmitNull = true), MaxLength(255)] public string? Name { get; init; }
    [Field(In.Both, Nullable = true, OmitNull = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Both)] public bool Enabled { get; init; } = true;
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
}

public sealed record Endpoint : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Required = true)] public string ServiceId { get; init; } = "";
    [Field(In.Both, Filter = true, Required = true), AllowedValues("public", "internal", "admin")] public string Interface { get; init; } = "";
    /// <summary>May hold %(project_id)s; $(root)s stands for the address the client came by.</summary>
    [Field(In.Both, Required = true), Length(1, 1024)] public string Url { get; init; } = "";
    [Field(In.Both, Filter = true, Nullable = true), MaxLength(255)] public string? RegionId { get; init; }
    /// <summary>An older name of <see cref="RegionId"/>.</summary>
    [Field(In.Both, Nullable = true), MaxLength(255)] public string? Region { get => RegionId; init => RegionId = value; }
    [Field(In.Both, Nullable = true, OmitNull = true), MaxLength(255)] public string? Name { get; init; }
    [Field(In.Both, Nullable = true, OmitNull = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Both)] public bool Enabled { get; init; } = true;
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
}
