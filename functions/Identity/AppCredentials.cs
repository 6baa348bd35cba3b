using System.Buffers.Text;
using System.Security.Cryptography;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#application-credentials</summary>
public static class AppCredentials
{
    public static readonly Rows<AppCredential> Rows = new("application_credential", "identity") { Global = true };

    private static readonly Kind<AppCredential> Kind = new(Rows, "application_credentials", "/v3/users/{user_id}/application_credentials", IdentityDialect.Value)
    {
        Sees = "identity:get_application_credential",
        TargetOf = a => new(a.Scope, a.UserId),
        Within = (c, a) => a.UserId == c.Args["user_id"],
        CheckDelete = (c, d) =>
        {
            Auth.Unrestricted(c);
            var credential = d.Item;
            d.After.Add(() => Claims.Free(c.Store, Rows.Name, NameOf(credential), credential.Id));
            Directory.ForgetsTokens(c, d);
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, a, _) =>
        {
            w.WriteString("expires_at", a.ExpiresAt is { } end ? IdentityDialect.Value.Time(end).TrimEnd('Z') : null); // alone of all times of this API it has no zone
            w.WriteString("project_id", a.Scope);
            if (a.Rules is { } rules) AccessRules.Write(w, rules);
            IdentityDialect.SelfLink(w, c, $"users/{a.UserId}/application_credentials", a.Id);
        },
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_application_credentials") with
        {
            Run = async c =>
            {
                var (items, page) = await Kind.Select(c, c.Route.Policy);
                return (await WithRoles(c, items)).Page1(c, items, page);
            },
        },
        new("POST", Kind.Path, "identity:create_application_credential", Create),
        (Kind.Show("identity:get_application_credential") with
        {
            Run = async c =>
            {
                var item = (await Kind.Load(c, c.Route.Policy)).Item;
                return (await WithRoles(c, [item])).One1(c, 200, item);
            },
        }).Told(OfOthers),
        Kind.Delete("identity:delete_application_credential").Told(OfOthers),
    ];

    public static string NameOf(AppCredential a) => $"{a.UserId}:{a.Name}";

    /// <summary>Those of a user, or of a project that ends.</summary>
    public static async ValueTask RemoveOf(Call c, Func<AppCredential, bool> gone)
    {
        foreach (var a in (await Rows.InProject(c.Store, "")).Where(gone))
            if (await Rows.Get(c.Store, "", a.Id) is { } row)
            {
                await Rows.Remove(c.Services, row, Change.By(c));
                await Claims.Free(c.Store, Rows.Name, NameOf(a), a.Id);
            }
    }

    private static async ValueTask OfOthers(Call c)
    {
        if (await Directory.Get(c, Rows, c.Args["id"]) is { } a) c.Require(c.Route.Policy, new(a.Scope, a.UserId));
    }

    // Clients show the roles by name, which only their own rows know.
    private static async ValueTask<Kind<AppCredential>> WithRoles(Call c, IEnumerable<AppCredential> shown)
    {
        var roles = (await Directory.Roles.GetMany(c.Store, "", shown.SelectMany(a => a.RoleIds), c.Cancelled)).ToDictionary(r => r.Id);
        return Kind with
        {
            Extend = (w, call, a, detail) =>
            {
                Kind.Extend!(w, call, a, detail);
                w.WriteStartArray("roles");
                foreach (var id in a.RoleIds)
                {
                    if (!roles.TryGetValue(id, out var role)) continue;
                    w.WriteStartObject();
                    w.WriteString("id", role.Id);
                    w.WriteString("name", role.Name);
                    w.WriteString("domain_id", role.DomainId);
                    w.WriteEndObject();
                }
                w.WriteEndArray();
            },
        };
    }

    private static async ValueTask<Reply> Create(Call c)
    {
        Auth.Unrestricted(c);
        var (project, user) = (c.ProjectId, c.Caller.UserId);
        var secret = "";
        var kind = Kind with
        {
            Check = async (_, d) =>
            {
                if (d.Item.ExpiresAt <= c.Now) throw Fault.BadRequest("Invalid input for field 'expires_at': it is in the past.");
                // What an unrestricted credential makes is no wider than itself: its token's roles and rules bound it.
                var held = (await Grants.Effective(c.Store, user, 'p', project)).Where(r => c.Caller.Has(r.Name)).ToList();
                var roles = d.Item.WantedRoles is { } wanted ? [.. wanted.Select(w => Of(held, w)).Distinct()] : held.Select(r => r.Id).ToArray();
                if (roles.Length == 0) throw Fault.BadRequest("Invalid application credential: it needs at least one role.");
                var rules = await AccessRules.For(c, user, d.Item.WantedRules);
                if (c.Caller.AccessRules is not null) throw new Fault(403, "A token that is limited by access rules can't make another credential.");
                secret = d.Item.Secret ?? Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(64));
                d.Item = d.Item with { UserId = user, Scope = project, RoleIds = roles, Rules = rules, Secret = null, WantedRoles = null, WantedRules = null, SecretHash = Passwords.Fingerprint(secret) };
                await Directory.ClaimName(c, d, Rows, NameOf(d.Item), null);
            },
        };
        var made = await kind.Create(c, c.Route.Policy, c.Body("application_credential"), null);
        var shown = await WithRoles(c, [made]);
        return (shown with
        {
            Extend = (w, call, a, detail) =>
            {
                w.WriteString("secret", secret); // shown this once
                shown.Extend!(w, call, a, detail);
            },
        }).One1(c, 201, made);
    }

    /// <summary>The credential and its user, if it can be used now; null for a wrong secret.</summary>
    internal static async ValueTask<(AppCredential Credential, User User)?> Holder(IEntityStore store, AppCredential? found, string secret, DateTimeOffset now)
    {
        var given = Passwords.Fingerprint(secret);
        if (found is null || !CryptographicOperations.FixedTimeEquals(Convert.FromHexString(given), Convert.FromHexString(found.SecretHash!)) || found.ExpiresAt < now) return null;
        return (await Directory.Users.Get(store, "", found.UserId))?.Item is { Enabled: true } user ? (found, user) : null;
    }

    /// <summary>The id of the role among those held that a body names.</summary>
    /// <exception cref="Fault">400.</exception>
    public static string Of(IReadOnlyList<Role> held, Ref wanted) =>
        held.FirstOrDefault(r => wanted.Id is not null ? r.Id == wanted.Id : r.Name == wanted.Name)?.Id ?? throw Fault.BadRequest("Invalid application credential: a role is not assigned to the user on the project.");
}
