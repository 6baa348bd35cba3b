using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>The answer to issuing and validating: who, where, with what roles, and the catalog.</summary>
public static class TokenBody
{
    public static async ValueTask<Action<Utf8JsonWriter>> Of(Call c, Caller caller, bool catalog)
    {
        var user = (await Directory.Users.Get(c.Store, "", caller.UserId))!.Item;
        var userDomain = (await Directory.Domains.Get(c.Store, "", user.DomainId))!.Item;
        var project = caller.ProjectId is null ? null : (await Directory.Projects.Get(c.Store, "", caller.ProjectId))!.Item;
        var scopeDomain = (project?.DomainId ?? caller.DomainId) is { } d ? (await Directory.Domains.Get(c.Store, "", d))!.Item : null;
        var roles = new List<Role>();
        foreach (var name in caller.Roles) if (await Directory.RoleNamed(c.Store, name) is { } role) roles.Add(role);
        return w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("token");
            Strings(w, "methods", caller.Methods);
            w.WriteStartObject("user");
            Domain(w, userDomain);
            w.WriteString("id", user.Id);
            w.WriteString("name", user.Name);
            w.WriteNull("password_expires_at");
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
            else if (caller.DomainId is not null) Domain(w, scopeDomain!);
            else if (caller.System)
            {
                w.WriteStartObject("system");
                w.WriteBoolean("all", true);
                w.WriteEndObject();
            }
            if (caller.ProjectId is not null || caller.DomainId is not null || caller.System)
            {
                w.WriteStartArray("roles");
                foreach (var r in roles)
                {
                    w.WriteStartObject();
                    w.WriteString("id", r.Id);
                    w.WriteString("name", r.Name);
                    w.WriteEndObject();
                }
                w.WriteEndArray();
                if (catalog) Catalog.Write(w, c, caller.ProjectId);
            }
            if (caller.AppCredentialId is { } credential)
            {
                w.WriteStartObject("application_credential");
                w.WriteString("id", credential);
                w.WriteBoolean("restricted", true);
                w.WriteEndObject();
            }
            w.WriteEndObject();
            w.WriteEndObject();
        };
    }

    private static void Domain(Utf8JsonWriter w, Domain domain)
    {
        w.WriteStartObject("domain");
        w.WriteString("id", domain.Id);
        w.WriteString("name", domain.Name);
        w.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter w, string name, IEnumerable<string> values)
    {
        w.WriteStartArray(name);
        foreach (var v in values) w.WriteStringValue(v);
        w.WriteEndArray();
    }
}
