using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Somebody outside who vouches for people.</summary>
public sealed record IdentityProvider : Resource
{
    [Field(In.Create, Filter = true), FederationId] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Both, Filter = true)] public bool Enabled { get; init; }
    /// <summary>The names by which it calls itself in what it signs: OpenID's issuers.</summary>
    [Field(In.Both)] public string[] RemoteIds { get; init; } = [];
    /// <summary>Where the people are whom it vouches for.</summary>
    [Field(In.Create, Nullable = true)] public string? DomainId { get; init; }
    /// <summary>Minutes for which groups outlast the login that brought them, for application credentials and trusts.</summary>
    [Field(In.Both, Nullable = true), Range(0, 525_600)] public int? AuthorizationTtl { get; init; }
}

/// <summary>How an identity provider is spoken to, and what its words mean here.</summary>
public sealed record FederationProtocol : Resource
{
    [Field(Wire = "id")] public string Name { get; init; } = "";
    [Field(In.Both, Required = true), Length(1, 64)] public string MappingId { get; init; } = "";
    /// <summary>Kept for clients; what is looked at is always the issuer that signed.</summary>
    [Field(In.Both, Nullable = true, OmitNull = true), MaxLength(64)] public string? RemoteIdAttribute { get; init; }
    public string Provider { get; init; } = "";
}

public sealed record Mapping : Resource
{
    [Field(In.Create), FederationId] public new string Id { get => base.Id; init => base.Id = value; }
    /// <summary>As they came; <see cref="MappingRule"/> reads them.</summary>
    [Field(In.Both, Required = true)] public JsonElement Rules { get; init; }
}

/// <summary>Another cloud that takes our word for our users.</summary>
public sealed record ServiceProvider : Resource
{
    [Field(In.Create, Filter = true), FederationId] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Required = true), Url, MaxLength(256)] public string AuthUrl { get; init; } = "";
    [Field(In.Both, Required = true), Url, MaxLength(256)] public string SpUrl { get; init; } = "";
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Both, Filter = true)] public bool Enabled { get; init; }
    [Field(In.Both, Nullable = true), MaxLength(256)] public string? RelayStatePrefix { get; init; } = "ss:mem:";
}

/// <summary>An id that stands in paths and in tokens as it is.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FederationIdAttribute() : RegularExpressionAttribute("^[A-Za-z0-9._~-]{1,64}$");
