namespace Cloud.Platform.Access;

/// <summary>Recursive descent over one rule's text. Precedence: not, and, or.</summary>
internal sealed class PolicyParser
{
    private readonly string _name;
    private readonly Func<string, Func<Caller, Target, bool>> _rule;
    private readonly Queue<string> _tokens;

    private PolicyParser(string name, string text, Func<string, Func<Caller, Target, bool>> rule)
    {
        (_name, _rule) = (name, rule);
        // "%(project_id)s" holds parentheses of its own, so it is folded before splitting.
        var flat = text.Replace("%(", "%", StringComparison.Ordinal).Replace(")s", "%", StringComparison.Ordinal);
        _tokens = new(flat.Replace("(", " ( ", StringComparison.Ordinal).Replace(")", " ) ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    public static Func<Caller, Target, bool> Parse(string name, string text, Func<string, Func<Caller, Target, bool>> rule)
    {
        var p = new PolicyParser(name, text, rule);
        var f = p.Or();
        return p._tokens.Count == 0 ? f : throw p.Bad($"'{p._tokens.Peek()}' was not expected");
    }

    private Func<Caller, Target, bool> Or()
    {
        var left = And();
        while (Take("or")) { var (l, r) = (left, And()); left = (c, t) => l(c, t) | r(c, t); }
        return left;
    }

    private Func<Caller, Target, bool> And()
    {
        var left = Not();
        while (Take("and")) { var (l, r) = (left, Not()); left = (c, t) => l(c, t) & r(c, t); }
        return left;
    }

    private Func<Caller, Target, bool> Not()
    {
        if (!Take("not")) return Atom();
        var f = Not();
        return (c, t) => !f(c, t);
    }

    private Func<Caller, Target, bool> Atom()
    {
        if (!_tokens.TryDequeue(out var token)) throw Bad("it ends too early");
        if (token == "(")
        {
            var inner = Or();
            return Take(")") ? inner : throw Bad("a ) is missing");
        }
        var (kind, value) = token.Split(':', 2) is [var k, var v] ? (k, v) : (token, "");
        return (kind, value) switch
        {
            ("@", "") => (_, _) => true,
            ("!", "") => (_, _) => false,
            ("role", not "") => (c, _) => c.Has(value),
            ("rule", not "") => _rule(value),
            ("system_scope", "all") => (c, _) => c.System,
            ("project_id", "%project_id%") => (c, t) => c.ProjectId is not null && c.ProjectId == t.ProjectId,
            ("user_id", "%user_id%") => (c, t) => c.UserId == t.UserId,
            ("domain_id", "%domain_id%") => (c, t) => c.DomainId is not null && c.DomainId == t.DomainId,
            ("domain_id", "none") => (c, _) => c.DomainId is null,
            ("project_domain_id", "%domain_id%") => (c, t) => c.ProjectDomainId is not null && c.ProjectDomainId == t.DomainId,
            _ => throw Bad($"'{token}' is not a check"),
        };
    }

    private bool Take(string word)
    {
        if (!_tokens.TryPeek(out var next) || next != word) return false;
        _tokens.Dequeue();
        return true;
    }

    private InvalidOperationException Bad(string why) => new($"policy rule '{_name}': {why}");
}
