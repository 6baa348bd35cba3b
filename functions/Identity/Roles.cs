using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Roles and what they imply: https://docs.openstack.org/api-ref/identity/v3/#roles</summary>
public static class Roles
{
    public static readonly Kind<Role> Kind = new(Directory.Roles, "roles", "/v3/roles", IdentityDialect.Value)
    {
        Sees = "identity:get_role", KnownToAll = true,
        TargetOf = r => new(null, null, r.DomainId),
        Check = async (c, d) =>
        {
            if (d.Old is null && d.Item.DomainId is { } domain) await Directory.DomainFor(c, domain, "identity:create_role");
            d.Item = d.Item with { Options = Options.Merge(d.Old?.Options, d.Item.Options, Options.Immutable) };
            Options.Guard(d, d.Old?.Options, d.Item.Options, "role");
            await Directory.ClaimName(c, d, Directory.Roles, Directory.NameOf(d.Item.DomainId, d.Item.Name), d.Old is null ? null : Directory.NameOf(d.Old.DomainId, d.Old.Name));
            Directory.ForgetsTokens(c, d);
        },
        CheckDelete = async (c, d) =>
        {
            var role = d.Item;
            Options.Guard(d, role.Options, null, "role");
            await Grants.RemoveWhere(c.Store, g => g.RoleId == role.Id);
            foreach (var rules in await Implications.All(c.Store))
                foreach (var implied in rules.Where(i => i == role.Id || rules.Key == role.Id)) await Implications.Remove(c.Store, rules.Key, implied);
            d.After.Add(() => Claims.Free(c.Store, "role", Directory.NameOf(role.DomainId, role.Name), role.Id));
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, r, _) => IdentityDialect.SelfLink(w, c, "roles", r.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_roles", where: (c, r) => r.DomainId is null || c.First("domain_id") is not null),
        Kind.Create("identity:create_role"), .. Kind.SeenFirst([Kind.Show("identity:get_role"), Kind.Update("identity:update_role"), Kind.Delete("identity:delete_role")]),
        new("GET", "/v3/role_inferences", "identity:list_role_inference_rules", async c =>
        {
            var (rules, roles) = (await Implications.All(c.Store), await ById(c));
            return Reply.Of(200, w => Enveloped(w, c, "role_inferences", () =>
            {
                w.WriteStartArray("role_inferences");
                foreach (var rule in rules.Where(r => roles.ContainsKey(r.Key))) Rule(w, c, roles[rule.Key], [.. rule.Where(roles.ContainsKey).Select(i => roles[i])]);
                w.WriteEndArray();
            }));
        }),
        new("GET", "/v3/roles/{id}/implies", "identity:list_implied_roles", async c =>
        {
            var prior = (await Kind.Load(c, c.Route.Policy)).Item;
            var (rules, roles) = (await Implications.All(c.Store), await ById(c));
            return Reply.Of(200, w => Enveloped(w, c, "implies", () =>
            {
                w.WritePropertyName("role_inference");
                Rule(w, c, prior, [.. rules[prior.Id].Where(roles.ContainsKey).Select(i => roles[i])]);
            }));
        }),
        new("GET", "/v3/roles/{id}/implies/{implied}", "identity:get_implied_role", async c => Inference(c, 200, await Existing(c))),
        new("HEAD", "/v3/roles/{id}/implies/{implied}", "identity:check_implied_role", async c => { await Existing(c); return Reply.Empty(204); }),
        new("PUT", "/v3/roles/{id}/implies/{implied}", "identity:create_implied_role", async c =>
        {
            var (prior, implied) = await Pair(c);
            if (implied.DomainId is not null && prior.DomainId is null) throw new Fault(403, $"Role {implied.Id} of a domain cannot be implied by a role of the whole cloud.");
            if (implied.Name == "admin" || Implications.Expand([implied.Id], await Implications.All(c.Store)).Contains(prior.Id)) throw new Fault(403, $"Role {implied.Id} cannot be an implied role of {prior.Id}.");
            await Implications.Add(c.Store, prior.Id, implied.Id);
            Auth.TokensOf(c).Forget();
            return Inference(c, 201, (prior, implied));
        }),
        new("DELETE", "/v3/roles/{id}/implies/{implied}", "identity:delete_implied_role", async c =>
        {
            var (prior, implied) = await Existing(c);
            await Implications.Remove(c.Store, prior.Id, implied.Id);
            Auth.TokensOf(c).Forget();
            return Reply.Empty(204);
        }),
    ];

    /// <summary>The role that the path names, if it is one of those lent.</summary>
    internal static async ValueTask<Reply> OneOf(Call c, string[] lent) =>
        lent.Contains(c.Args["role"]) ? Kind.One1(c, 200, await Directory.Need(c, Directory.Roles, c.Args["role"])) : throw Fault.NotFound("role", c.Args["role"]);

    private static async ValueTask<(Role Prior, Role Implied)> Pair(Call c) => ((await Kind.Load(c, c.Route.Policy)).Item, (await Kind.Load(c, c.Route.Policy, c.Args["implied"])).Item);

    private static async ValueTask<(Role Prior, Role Implied)> Existing(Call c)
    {
        var (prior, implied) = await Pair(c);
        return await Implications.Has(c.Store, prior.Id, implied.Id) ? (prior, implied) : throw new Fault(404, $"{prior.Id} does not imply {implied.Id}.");
    }

    private static async ValueTask<Dictionary<string, Role>> ById(Call c) => (await Directory.Roles.InProject(c.Store, "")).ToDictionary(r => r.Id);

    private static Reply Inference(Call c, int status, (Role Prior, Role Implied) rule) => Reply.Of(status, w => Enveloped(w, c, "implies", () =>
    {
        w.WriteStartObject("role_inference");
        Short(w, c, "prior_role", rule.Prior);
        Short(w, c, "implies", rule.Implied);
        w.WriteEndObject();
    }));

    private static void Rule(Utf8JsonWriter w, Call c, Role prior, IReadOnlyList<Role> implied)
    {
        w.WriteStartObject();
        Short(w, c, "prior_role", prior);
        w.WriteStartArray("implies");
        foreach (var r in implied) Short(w, c, null, r);
        w.WriteEndArray();
        w.WriteEndObject();
    }

    private static void Short(Utf8JsonWriter w, Call c, string? name, Role role)
    {
        if (name is null) w.WriteStartObject(); else w.WriteStartObject(name);
        w.WriteString("id", role.Id);
        w.WriteString("name", role.Name);
        IdentityDialect.SelfLink(w, c, "roles", role.Id);
        w.WriteEndObject();
    }

    private static void Enveloped(Utf8JsonWriter w, Call c, string name, Action body)
    {
        w.WriteStartObject();
        body();
        IdentityDialect.Value.Links(w, c, new(name, 0, false, null, null));
        w.WriteEndObject();
    }
}
