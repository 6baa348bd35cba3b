using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>The answer to issuing and validating: who, where, with what roles, and the catalog.</summary>
public static class TokenBody
{
    public static async ValueTask<Action<Utf8JsonWriter>> Of(Call c, Caller caller, bool catalog)
    {
        var user = (await Directory.Get(c, Directory.Users, caller.UserId))!;
        var userDomain = (await Directory.Get(c, Directory.Domains, user.DomainId))!;
        var project = caller.ProjectId is null ? null : await Directory.Get(c, Directory.Projects, caller.ProjectId);
        var scopeDomain = (project?.DomainId ?? caller.DomainId) is { } d ? d == userDomain.Id ? userDomain : await Directory.Get(c, Directory.Domains, d) : null;
        var trust = caller.TrustId is null ? null : await Directory.Get(c, Trusts.Rows, caller.TrustId);
        var access = caller.AccessTokenId is null ? null : await Directory.Get(c, AccessTokens.Rows, caller.AccessTokenId);
        var scoped = project is not null || scopeDomain is not null || caller.System;
        var lent = caller.Origin.Length > 0 ? await LentMembers.Of(c.Store, user.Id) : [];
        var others = (await Auth.TokensOf(c).Catalog.Get()).Others.Where(p => p.Enabled).ToList();
        var services = scoped && catalog ? await Catalog.Of(c, caller) : null;
        return w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("token");
            Strings(w, "methods", caller.Methods);
            w.WriteStartObject("user");
            Domain(w, userDomain);
            w.WriteString("id", user.Id);
            w.WriteString("name", user.Name);
            w.WriteString("password_expires_at", user.PasswordExpiresAt is { } end ? IdentityDialect.Value.Time(end) : null);
            if (caller.Origin.Length > 0) OfProvider(w, caller.Origin, lent);
            w.WriteEndObject();
            Strings(w, "audit_ids", [caller.AuditId]);
            w.WriteString("expires_at", IdentityDialect.Value.Time(caller.ExpiresAt));
            w.WriteString("issued_at", IdentityDialect.Value.Time(caller.IssuedAt));
            if (project is not null)
            {
                w.WriteStartObject("project");
                Domain(w, scopeDomain!);
                w.WriteString("id", project.Id);
                w.WriteString("name", project.Name);
                w.WriteEndObject();
                w.WriteBoolean("is_domain", false);
            }
            else if (scopeDomain is not null) Domain(w, scopeDomain);
            else if (caller.System)
            {
                w.WriteStartObject("system");
                w.WriteBoolean("all", true);
                w.WriteEndObject();
            }
            if (scoped) Named(w, "roles", caller.RoleIds.Zip(caller.Roles));
            services?.Invoke(w);
            if (others.Count > 0) w.Objects("service_providers", others, p =>
            {
                w.WriteString("id", p.Id);
                w.WriteString("auth_url", p.AuthUrl);
                w.WriteString("sp_url", p.SpUrl);
            });
            if (caller.AppCredentialId is { } credential) AppCredential(w, credential, caller);
            if (trust is not null) OfTrust(w, trust);
            if (access is not null) w.Object("OS-OAUTH1", () =>
            {
                w.WriteString("access_token_id", access.Id);
                w.WriteString("consumer_id", access.ConsumerId);
            });
            w.WriteEndObject();
            w.WriteEndObject();
        };
    }

    private static void AppCredential(Utf8JsonWriter w, string id, Caller caller)
    {
        w.WriteStartObject("application_credential");
        w.WriteString("id", id);
        w.WriteBoolean("restricted", caller.Restricted);
        if (caller.AccessRules is { } rules)
        {
            w.WriteStartArray("access_rules");
            foreach (var r in rules)
            {
                w.WriteStartObject();
                w.WriteString("service", r.Service);
                w.WriteString("method", r.Method);
                w.WriteString("path", r.Path);
                w.WriteEndObject();
            }
            w.WriteEndArray();
        }
        w.WriteEndObject();
    }

    private static void OfProvider(Utf8JsonWriter w, string origin, IReadOnlyList<LentMember> lent) => w.Object("OS-FEDERATION", () =>
    {
        w.Objects("groups", lent.Where(m => m.Origin == origin), m => w.WriteString("id", m.Group));
        w.Object("identity_provider", () => w.WriteString("id", origin.Split('/')[0]));
        w.Object("protocol", () => w.WriteString("id", origin.Split('/')[1]));
    });

    private static void OfTrust(Utf8JsonWriter w, Trust trust)
    {
        w.WriteStartObject("OS-TRUST:trust");
        w.WriteString("id", trust.Id);
        w.WriteBoolean("impersonation", trust.Impersonation);
        w.WriteStartObject("trustor_user");
        w.WriteString("id", trust.TrustorUserId);
        w.WriteEndObject();
        w.WriteStartObject("trustee_user");
        w.WriteString("id", trust.TrusteeUserId);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Domain(Utf8JsonWriter w, Domain domain)
    {
        w.WriteStartObject("domain");
        w.WriteString("id", domain.Id);
        w.WriteString("name", domain.Name);
        w.WriteEndObject();
    }

    private static void Named(Utf8JsonWriter w, string name, IEnumerable<(string Id, string Name)> values)
    {
        w.WriteStartArray(name);
        foreach (var (id, text) in values)
        {
            w.WriteStartObject();
            w.WriteString("id", id);
            w.WriteString("name", text);
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    private static void Strings(Utf8JsonWriter w, string name, IEnumerable<string> values)
    {
        w.WriteStartArray(name);
        foreach (var v in values) w.WriteStringValue(v);
        w.WriteEndArray();
    }
}
