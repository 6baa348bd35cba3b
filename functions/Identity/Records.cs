using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

public sealed record Domain : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Required = true), Length(1, 64)] public string Name { get; init; } = "";
    [Field(In.Both), MaxLength(4096)] public string Description { get; init; } = "";
    [Field(In.Both, Filter = true)] public bool Enabled { get; init; } = true;
    [Field(In.Both)] public Dictionary<string, JsonElement> Options { get; init; } = [];
    [Field] public string[] Tags { get; init; } = [];
}

public sealed record Project : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Required = true), Length(1, 64)] public string Name { get; init; } = "";
    [Field(In.Create, Filter = true)] public string DomainId { get; init; } = "";
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; } = "";
    [Field(In.Both, Filter = true)] public bool Enabled { get; init; } = true;
    [Field(In.Create, Filter = true, Nullable = true)] public string? ParentId { get; init; }
    [Field(In.Create)] public bool IsDomain { get; init; }
    [Field(In.Both)] public string[] Tags { get; init; } = [];
    [Field(In.Both)] public Dictionary<string, JsonElement> Options { get; init; } = [];
}

public sealed record User : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Required = true), Length(1, 255)] public string Name { get; init; } = "";
    [Field(In.Create, Filter = true)] public string DomainId { get; init; } = "";
    [Field(In.Both, Filter = true)] public bool Enabled { get; init; } = true;
    [Field(In.Both, Nullable = true, OmitNull = true)] public string? Description { get; init; }
    [Field(In.Both, Nullable = true, OmitNull = true)] public string? Email { get; init; }
    [Field(In.Both, Nullable = true, OmitNull = true)] public string? DefaultProjectId { get; init; }
    [Field(In.Both)] public Dictionary<string, JsonElement> Options { get; init; } = [];
    [Field] public DateTimeOffset? PasswordExpiresAt { get; init; }
    /// <summary>As sent; hashed before anything is stored.</summary>
    [Field(In.Both, WriteOnly = true, Nullable = true), Secret, MaxLength(4096)] public string? Password { get; init; }
    [Secret] public string? PasswordHash { get; init; }
    /// <summary>Tokens issued before are void: the password changed, or the user was disabled.</summary>
    public DateTimeOffset? ValidFrom { get; init; }
}

public sealed record Role : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Required = true), Length(1, 255)] public string Name { get; init; } = "";
    [Field(In.Create, Filter = true, Nullable = true)] public string? DomainId { get; init; }
    [Field(In.Both, Nullable = true)] public string? Description { get; init; }
    [Field(In.Both)] public Dictionary<string, JsonElement> Options { get; init; } = [];
}

public sealed record AppCredential : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Create, Filter = true, Required = true), Length(1, 255)] public string Name { get; init; } = "";
    [Field(In.Create, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Create, Nullable = true)] public DateTimeOffset? ExpiresAt { get; init; }
    [Field(In.Create)] public bool Unrestricted { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true)] public JsonElement Roles { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true), Secret, MaxLength(255)] public string? Secret { get; init; }
    [Secret] public string? SecretHash { get; init; }
    public string UserId { get; init; } = "";
    /// <summary>The project whose token made it; the only scope it has.</summary>
    public string Scope { get; init; } = "";
    public string[] RoleIds { get; init; } = [];
}
