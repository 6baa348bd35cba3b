using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>What somebody is here (<see cref="Local"/>) of whom all of <see cref="Remote"/> is true. https://docs.openstack.org/keystone/latest/admin/federation/mapping_combinations.html</summary>
public sealed record MappingRule
{
    private static readonly JsonSerializerOptions Strict = new(Dialect.Strict) { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    public required LocalRule[] Local { get; init; }
    public required RemoteRule[] Remote { get; init; }

    /// <exception cref="Fault">400 for what isn't a list of rules that make sense.</exception>
    public static MappingRule[] Read(JsonElement rules)
    {
        try
        {
            var read = rules.Deserialize<MappingRule[]>(Strict) ?? [];
            return read.Length > 0 && Array.TrueForAll(read, r => r is { Remote.Length: > 0 } && Array.TrueForAll(r.Remote, x => x is { IsSound: true }) && Array.TrueForAll(r.Local, x => x is { IsSound: true }))
                ? read : throw Fault.BadRequest("Invalid input for field 'rules': there must be at least one rule, each with a 'remote' that isn't empty; groups by name need a domain.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException) { throw Fault.BadRequest("Invalid input for field 'rules': it is not a list of rules with 'local' and 'remote'."); }
    }
}

/// <summary>A condition on one attribute. Without one it must only be there. Its values fill {0}, {1}... unless it is a mere condition.</summary>
public sealed record RemoteRule
{
    public required string Type { get; init; }
    public string[]? AnyOneOf { get; init; }
    public string[]? NotAnyOf { get; init; }
    /// <summary>All values but these.</summary>
    public string[]? Blacklist { get; init; }
    /// <summary>None but these.</summary>
    public string[]? Whitelist { get; init; }
    public bool Regex { get; init; }

    [JsonIgnore] public bool IsCondition => AnyOneOf is not null || NotAnyOf is not null;

    internal bool IsSound
    {
        get
        {
            string[]?[] lists = [AnyOneOf, NotAnyOf, Blacklist, Whitelist];
            if (Regex)
                foreach (var pattern in lists.SelectMany(l => l ?? [])) _ = Pattern(pattern);
            return lists.Count(l => l is not null) <= 1;
        }
    }

    // Such ones take a time that grows no faster than the text, whoever wrote it.
    internal static Regex Pattern(string text) => new(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
}

/// <summary>What it makes of a person; {0} stands for the values of the first attribute.</summary>
public sealed record LocalRule
{
    public LocalUser? User { get; init; }
    public LocalGroup? Group { get; init; }
    /// <summary>Names, in <see cref="Domain"/>.</summary>
    public string? Groups { get; init; }
    public string? GroupIds { get; init; }
    public LocalProject[]? Projects { get; init; }
    public Ref? Domain { get; init; }

    internal bool IsSound => (Groups is null || Domain is not null) && (Group is null || Group.Id is not null || Group is { Name: not null, Domain: not null })
        && User?.Type is null or "ephemeral" or "local" && Array.TrueForAll(Projects ?? [], p => p is not null && Array.TrueForAll(p.Roles, r => r is { Name: not null }));
}

public sealed record LocalUser
{
    public string? Id { get; init; }
    public string? Name { get; init; }
    public string? Email { get; init; }
    public Ref? Domain { get; init; }
    /// <summary>ephemeral (the provider's own, made at the first login), or local: one who must be there.</summary>
    public string? Type { get; init; }
}

public sealed record LocalGroup
{
    public string? Id { get; init; }
    public string? Name { get; init; }
    public Ref? Domain { get; init; }
}

/// <summary>A project that is made when it isn't there, and roles on it.</summary>
public sealed record LocalProject
{
    public required string Name { get; init; }
    public required Ref[] Roles { get; init; }
}
