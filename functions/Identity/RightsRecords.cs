using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>A thing as a body names it: by id, or by name and domain.</summary>
public sealed record Ref
{
    public string? Id { get; init; }
    public string? Name { get; init; }
}

/// <summary>A rule as a body gives it; one that exists may be given by its id alone.</summary>
public sealed record RuleBody
{
    public string? Id { get; init; }
    public string? Service { get; init; }
    public string? Method { get; init; }
    public string? Path { get; init; }
}

public sealed record AppCredential : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Create, Filter = true, Required = true), Length(1, 255), NotBlank] public string Name { get; init; } = "";
    [Field(In.Create, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true)] public DateTimeOffset? ExpiresAt { get; init; }
    [Field(In.Create)] public bool Unrestricted { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true, Wire = "roles")] public Ref[]? WantedRoles { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true, Wire = "access_rules")] public RuleBody[]? WantedRules { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true), Secret, Length(1, 255)] public string? Secret { get; init; }
    [Secret] public string? SecretHash { get; init; }
    public string UserId { get; init; } = "";
    /// <summary>The project whose token made it; the only scope it has.</summary>
    public string Scope { get; init; } = "";
    public string[] RoleIds { get; init; } = [];
    /// <summary>All it may be used for; null for anything.</summary>
    public StoredRule[]? Rules { get; init; }
}

/// <summary>An access rule within the credential that has it.</summary>
public sealed record StoredRule(string Id, string Service, string Method, string Path);

/// <summary>An access rule by itself: it outlives the credential it was made with.</summary>
public sealed record Rule : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(Filter = true)] public string Service { get; init; } = "";
    [Field(Filter = true)] public string Method { get; init; } = "";
    [Field(Filter = true)] public string Path { get; init; } = "";
    public string UserId { get; init; } = "";
}

public sealed record Trust : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Create, Filter = true, Required = true)] public string TrustorUserId { get; init; } = "";
    [Field(In.Create, Filter = true, Required = true)] public string TrusteeUserId { get; init; } = "";
    [Field(In.Create, Nullable = true, Wire = "project_id")] public string? Project { get; init; }
    [Field(In.Create, Required = true)] public bool Impersonation { get; init; }
    [Field(In.Create, Nullable = true)] public DateTimeOffset? ExpiresAt { get; init; }
    [Field] public DateTimeOffset? DeletedAt { get; init; }
    /// <summary>How many more tokens it is good for; null for any number.</summary>
    [Field(In.Create, Nullable = true), Range(1, int.MaxValue)] public int? RemainingUses { get; init; }
    /// <summary>How many times more it can be handed on.</summary>
    [Field(In.Create, Nullable = true), Range(0, int.MaxValue)] public int? RedelegationCount { get; init; }
    /// <summary>The trust that it hands on.</summary>
    [Field] public string? RedelegatedTrustId { get; init; }
    [Field(In.Create, WriteOnly = true)] public bool AllowRedelegation { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true, Wire = "roles")] public Ref[]? WantedRoles { get; init; }
    public string[] RoleIds { get; init; } = [];
}

/// <summary>Something secret that Keystone keeps for others: EC2 keys, TOTP seeds, certificates.</summary>
public sealed record Credential : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Required = true), Secret, Length(1, 65536)] public string Blob { get; init; } = "";
    [Field(In.Both, Filter = true, Required = true), Length(1, 255)] public string Type { get; init; } = "";
    [Field(In.Create, Filter = true)] public string UserId { get; init; } = "";
    [Field(In.Both, Nullable = true, Wire = "project_id")] public string? Project { get; init; }
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
    /// <summary>The trust or application credential whose token made it; what it opens is no more than that.</summary>
    public string? MadeBy { get; init; }
}
