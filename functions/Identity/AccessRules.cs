using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#access-rules; made with the credentials that need them.</summary>
public static class AccessRules
{
    private const int Max = 100;
    private static readonly Rows<Rule> Rows = new("access_rule", "identity") { Global = true };

    private static readonly Kind<Rule> Kind = new(Rows, "access_rules", "/v3/users/{user_id}/access_rules", IdentityDialect.Value)
    {
        Sees = "identity:get_access_rule",
        TargetOf = r => new(null, r.UserId),
        Within = (c, r) => r.UserId == c.Args["user_id"],
        CheckDelete = async (c, d) =>
        {
            Auth.Unrestricted(c);
            if ((await AppCredentials.Rows.InProject(c.Store, "")).Any(a => a.Rules?.Any(r => r.Id == d.Item.Id) == true)) throw new Fault(403, $"The access rule {d.Item.Id} is in use by an application credential.");
        },
        Extend = (w, c, r, _) => IdentityDialect.SelfLink(w, c, $"users/{r.UserId}/access_rules", r.Id),
    };

    public static readonly Route[] Routes = [Kind.List("identity:list_access_rules"), Kind.Show("identity:get_access_rule"), Kind.Delete("identity:delete_access_rule")];

    /// <summary>The user's rules that a body asks for: those he has already, and new ones.</summary>
    public static async ValueTask<StoredRule[]?> For(Call c, string user, RuleBody[]? wanted)
    {
        if (wanted is null) return null;
        if (wanted.Length > Max) throw Fault.BadRequest($"Invalid input for field 'access_rules': at most {Max} are kept.");
        var has = (await Rows.InProject(c.Store, "")).Where(r => r.UserId == user).ToList();
        var rules = new List<StoredRule>();
        foreach (var w in wanted)
        {
            var rule = w.Id is not null ? has.Find(r => r.Id == w.Id) ?? throw Fault.BadRequest($"Could not find access rule: {w.Id}.") : has.Find(r => (r.Service, r.Method, r.Path) == (w.Service, w.Method, w.Path));
            if (rule is null)
            {
                if (w.Service is not { Length: > 0 and < 256 } service || w.Method is not ("GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "COPY") || w.Path is not ['/', ..] || w.Path.Length > 1024)
                    throw Fault.BadRequest("Invalid input for field 'access_rules': each needs a service, a method and a path that begins with '/'.");
                rule = await Rows.Save(c.Services, new Rule { Id = c.Services.Ids.Plain(), UserId = user, Service = service, Method = w.Method, Path = w.Path, CreatedAt = c.Now }, null, Change.By(c));
                has.Add(rule);
            }
            rules.Add(new(rule.Id, rule.Service, rule.Method, rule.Path));
        }
        return [.. rules];
    }

    public static async ValueTask RemoveOf(Call c, string user)
    {
        foreach (var r in (await Rows.InProject(c.Store, "")).Where(r => r.UserId == user))
            if (await Rows.Get(c.Store, "", r.Id) is { } row) await Rows.Remove(c.Services, row, Change.By(c));
    }

    public static void Write(Utf8JsonWriter w, IEnumerable<StoredRule> rules)
    {
        w.WriteStartArray("access_rules");
        foreach (var r in rules)
        {
            w.WriteStartObject();
            w.WriteString("id", r.Id);
            w.WriteString("service", r.Service);
            w.WriteString("method", r.Method);
            w.WriteString("path", r.Path);
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }
}
