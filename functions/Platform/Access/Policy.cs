using System.Reflection;
using System.Text.Json;

namespace Cloud.Platform.Access;

/// <summary>What a rule is asked about. Absent values match nothing.</summary>
public readonly record struct Target(string? ProjectId, string? UserId = null, string? DomainId = null);

/// <summary>
/// Named rules, read from the slices' policy.json in oslo.policy's language:
/// <c>role:R</c>, <c>rule:NAME</c>, <c>project_id:%(project_id)s</c>, <c>user_id:%(user_id)s</c>, <c>domain_id:%(domain_id)s</c>,
/// <c>domain_id:none</c> (no domain scope), <c>project_domain_id:%(domain_id)s</c>, <c>system_scope:all</c>, <c>@</c>, <c>!</c>, and, or, not, parentheses. An unknown rule denies; a wrong one stops the start.
/// </summary>
public sealed class Policy
{
    /// <summary>For operations that need no token at all.</summary>
    public const string Anyone = "public";

    /// <summary>An administrator of any project, who is the whole cloud's where scope isn't enforced: the alternative that rules lose where it is.</summary>
    private const string LegacyAdmin = "legacy_admin";

    private readonly Dictionary<string, Func<Caller, Target, bool>> _rules = [];

    public Policy(IReadOnlyDictionary<string, string> rules)
    {
        foreach (var (name, text) in rules) _rules[name] = PolicyParser.Parse(name, text, Rule);
        foreach (var name in rules.Keys) _rules[name](new Caller { UserId = "probe", Roles = [] }, default); // finds references to rules that don't exist
    }

    public bool Knows(string rule) => rule == Anyone || _rules.ContainsKey(rule);

    public bool Allows(string rule, Caller? caller, Target target) =>
        rule == Anyone || (caller is not null && _rules.TryGetValue(rule, out var f) && f(caller, target));

    private Func<Caller, Target, bool> Rule(string name) => (c, t) =>
        _rules.TryGetValue(name, out var f) ? f(c, t) : throw new InvalidOperationException($"policy rule '{name}' does not exist");

    /// <summary>The rules of every slice, embedded as policy.json, here and in the program that was started; a name defined twice is an error.</summary>
    /// <param name="enforceScope">What is the whole cloud's needs a token whose scope is the system; a project's administrator has no part in it.</param>
    public static Policy Embedded(bool enforceScope)
    {
        var all = new Dictionary<string, string>();
        foreach (var assembly in new[] { Assembly.GetExecutingAssembly(), Assembly.GetEntryAssembly()! }.Distinct())
            foreach (var file in assembly.GetManifestResourceNames().Where(n => n.EndsWith("policy.json", StringComparison.Ordinal)))
            {
                using var stream = assembly.GetManifestResourceStream(file)!;
                foreach (var (name, rule) in JsonSerializer.Deserialize<Dictionary<string, string>>(stream)!)
                    if (!all.TryAdd(name, rule)) throw new InvalidOperationException($"policy rule '{name}' is defined twice (second time in {file})");
            }
        if (enforceScope) all[LegacyAdmin] = "!";
        return new(all);
    }
}
