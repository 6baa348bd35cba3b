using System.Text.RegularExpressions;

namespace Cloud.Identity;

/// <summary>What a mapping makes of somebody.</summary>
public sealed record Mapped(LocalUser User, IReadOnlyList<LocalGroup> Groups, IReadOnlyList<LocalProject> Projects);

/// <summary>What an identity provider says of somebody: values by name.</summary>
public sealed partial class Attributes(IReadOnlyDictionary<string, string[]> values)
{
    /// <summary>All rules that apply, together: the first user that one names, and every group and project.</summary>
    /// <returns>Null when none applies, or none names a user.</returns>
    /// <exception cref="FormatException">A rule wants one value where there are several or none.</exception>
    public Mapped? By(IEnumerable<MappingRule> rules)
    {
        var local = new List<LocalRule>();
        foreach (var rule in rules)
            if (Fillings(rule.Remote) is { } fillings) local.AddRange(rule.Local.SelectMany(l => Filled(l, fillings)));
        var groups = local.Select(l => l.Group).OfType<LocalGroup>().Distinct().ToList();
        return local.Find(l => l.User is not null)?.User is { } user && (user.Id ?? user.Name) is { Length: > 0 } ? new(user, groups, [.. local.SelectMany(l => l.Projects ?? [])]) : null;
    }

    /// <summary>The values for {0}, {1}...; null when a condition isn't met.</summary>
    private List<string[]>? Fillings(RemoteRule[] conditions)
    {
        var fillings = new List<string[]>();
        foreach (var condition in conditions)
        {
            if (!values.TryGetValue(condition.Type, out var have) || have.Length == 0) return null;
            bool In(string[] list, string value) => condition.Regex ? list.Any(p => RemoteRule.Pattern(p).IsMatch(value)) : list.Contains(value);
            if (condition.AnyOneOf is { } any && !have.Any(v => In(any, v)) || condition.NotAnyOf is { } none && have.Any(v => In(none, v))) return null;
            if (!condition.IsCondition) fillings.Add([.. have.Where(v => (condition.Whitelist is not { } white || In(white, v)) && (condition.Blacklist is not { } black || !In(black, v)))]);
        }
        return fillings;
    }

    // Lists become one rule for each of their groups.
    private static IEnumerable<LocalRule> Filled(LocalRule rule, List<string[]> fillings)
    {
        string? Text(string? template) => template is null ? null : Place().Replace(template, m => Values(m.Groups[1].Value) is [var one] ? one : throw new FormatException($"'{template}' needs exactly one value of {m.Value}"));
        string[] Values(string place) => int.TryParse(place, out var i) && i < fillings.Count ? fillings[i] : throw new FormatException($"there is no attribute {{{place}}}");
        string[] List(string template) => Place().Match(template) is { Success: true } m && m.Value == template ? Values(m.Groups[1].Value) : [Text(template)!];
        Ref? Domain(Ref? domain) => domain is null ? null : new() { Id = Text(domain.Id), Name = Text(domain.Name) };

        yield return new()
        {
            User = rule.User is not { } u ? null : new() { Id = Text(u.Id), Name = Text(u.Name), Email = Text(u.Email), Type = u.Type, Domain = Domain(u.Domain ?? rule.Domain) },
            Group = rule.Group is not { } g ? null : new() { Id = Text(g.Id), Name = Text(g.Name), Domain = Domain(g.Domain) },
            Projects = rule.Projects?.Select(p => new LocalProject { Name = Text(p.Name)!, Roles = [.. p.Roles.Select(r => new Ref { Name = Text(r.Name) })] }).ToArray(),
        };
        foreach (var name in rule.Groups is null ? [] : List(rule.Groups)) yield return new() { Group = new() { Name = name, Domain = Domain(rule.Domain) } };
        foreach (var id in rule.GroupIds is null ? [] : List(rule.GroupIds)) yield return new() { Group = new() { Id = id } };
    }

    [GeneratedRegex(@"\{(\d{1,3})\}")]
    private static partial Regex Place();
}
