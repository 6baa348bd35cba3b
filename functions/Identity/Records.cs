using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

public sealed record Domain : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Required = true), Length(1, 64), NotBlank] public string Name { get; init; } = "";
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; } = "";
    [Field(In.Both, Filter = true)] public bool Enabled { get; init; } = true;
    [Field(In.Both)] public Dictionary<string, JsonElement> Options { get; init; } = [];
    [Field(In.Both)] public string[] Tags { get; init; } = [];
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
}

public sealed record Project : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Required = true), Length(1, 64), NotBlank] public string Name { get; init; } = "";
    [Field(In.Create, Filter = true, Nullable = true)] public string? DomainId { get; init; }
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; } = "";
    [Field(In.Both, Filter = true)] public bool Enabled { get; init; } = true;
    [Field(In.Create, Filter = true, Nullable = true)] public string? ParentId { get; init; }
    [Field(In.Create)] public bool IsDomain { get; init; }
    [Field(In.Both)] public string[] Tags { get; init; } = [];
    [Field(In.Both)] public Dictionary<string, JsonElement> Options { get; init; } = [];
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
}

public sealed record User : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Required = true), Length(1, 255), NotBlank] public string Name { get; init; } = "";
    [Field(In.Create, Filter = true)] public string DomainId { get; init; } = "";
    [Field(In.Both, Filter = true)] public bool Enabled { get; init; } = true;
    [Field(In.Both, Nullable = true, OmitNull = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Both, Nullable = true, OmitNull = true), MaxLength(255)] public string? Email { get; init; }
    [Field(In.Both, Nullable = true, OmitNull = true), MaxLength(64)] public string? DefaultProjectId { get; init; }
    [Field(In.Both)] public Dictionary<string, JsonElement> Options { get; init; } = [];
    [Field] public DateTimeOffset? PasswordExpiresAt { get; init; }
    /// <summary>Who he is to identity providers.</summary>
    [Field(In.Both, OmitNull = true)] public FederatedLink[]? Federated { get; init; }
    /// <summary>As sent; hashed before anything is stored.</summary>
    [Field(In.Both, WriteOnly = true, Nullable = true), Secret, MaxLength(4096)] public string? Password { get; init; }
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
    [Secret] public string? PasswordHash { get; init; }
    /// <summary>Hashes of the last ones that may not come back, the present one included.</summary>
    [Secret] public string[] OldPasswords { get; init; } = [];
    public DateTimeOffset? PasswordSetAt { get; init; }
    /// <summary>Goes up when the password changes or the user is disabled; tokens of earlier eras are void.</summary>
    public int Era { get; init; }
}

public sealed record Group : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Required = true), Length(1, 64), NotBlank] public string Name { get; init; } = "";
    [Field(In.Create, Filter = true)] public string DomainId { get; init; } = "";
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; } = "";
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
}

public sealed record Role : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Required = true), Length(1, 255), NotBlank] public string Name { get; init; } = "";
    /// <summary>A role of one domain is never in a token by itself; it only implies others.</summary>
    [Field(In.Create, Filter = true, Nullable = true)] public string? DomainId { get; init; }
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Both)] public Dictionary<string, JsonElement> Options { get; init; } = [];
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
}

/// <summary>More than white space.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotBlankAttribute() : ValidationAttribute("{0} must not be blank.")
{
    public override bool IsValid(object? value) => value is not string s || s.AsSpan().Trim().Length > 0;
}
