namespace Cloud.Platform.Access;

/// <summary>Who asks. Made from a token alone; nothing in it comes from other headers.</summary>
public sealed record Caller
{
    public required string UserId { get; init; }
    public string UserDomainId { get; init; } = "default";
    /// <summary>Project scope, or null.</summary>
    public string? ProjectId { get; init; }
    /// <summary>Domain of the project scope, or null.</summary>
    public string? ProjectDomainId { get; init; }
    /// <summary>Domain scope, or null.</summary>
    public string? DomainId { get; init; }
    public bool System { get; init; }
    /// <summary>Names of the effective roles on the scope, implied ones included.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];
    /// <summary>Ids of <see cref="Roles"/>, in their order.</summary>
    public IReadOnlyList<string> RoleIds { get; init; } = [];
    public DateTimeOffset IssuedAt { get; init; }
    public DateTimeOffset ExpiresAt { get; init; }
    public IReadOnlyList<string> Methods { get; init; } = [];
    public string AuditId { get; init; } = "";
    /// <summary>The application credential the token came from, or null.</summary>
    public string? AppCredentialId { get; init; }
    /// <summary>The identity provider and protocol that vouched for the user: corp/openid. Empty when he spoke for himself.</summary>
    public string Origin { get; init; } = "";
    /// <summary>The trust the token came from, or null.</summary>
    public string? TrustId { get; init; }
    /// <summary>OAuth's access token that the token came from, or null.</summary>
    public string? AccessTokenId { get; init; }
    /// <summary>The token may not make credentials, trusts or other tokens that outlive or exceed it: it came from a trust, OAuth or a restricted application credential.</summary>
    public bool Restricted { get; init; }
    /// <summary>All that the token may be used for; null for anything.</summary>
    public IReadOnlyList<AccessRule>? AccessRules { get; init; }

    public bool Has(string role) => Roles.Contains(role);
}

/// <summary>Tokens are signed and verified locally; revocation and disabling take effect within 10 seconds.</summary>
public interface ITokens
{
    /// <summary>The caller, or null for anything but a live token.</summary>
    ValueTask<Caller?> Verify(string token, CancellationToken ct);
}
