using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#application-credentials</summary>
public static class AppCredentials
{
    private static readonly Kind<AppCredential> Kind = new(Directory.AppCredentials, "application_credentials", "/v3/users/{user_id}/application_credentials", IdentityDialect.Value)
    {
        Sees = "identity:own",
        TargetOf = a => new(a.Scope, a.UserId),
        CheckDelete = (c, _) =>
        {
            Auth.TokensOf(c).Forget();
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, a, _) =>
        {
            w.WriteString("project_id", a.Scope);
            w.WriteStartArray("roles");
            foreach (var id in a.RoleIds)
            {
                w.WriteStartObject();
                w.WriteString("id", id);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            IdentityDialect.SelfLink(w, c, $"users/{a.UserId}/application_credentials", a.Id);
        },
    };

    public static readonly Route[] Routes =
    [
        Kind.List("authenticated", where: (c, a) => a.UserId == c.Args["user_id"] && a.UserId == c.Caller.UserId),
        new("POST", "/v3/users/{user_id}/application_credentials", "authenticated", Create),
        Kind.Show("identity:own"), Kind.Delete("identity:own"),
    ];

    private static async ValueTask<Reply> Create(Call c)
    {
        if (c.Args["user_id"] != c.Caller.UserId) throw Fault.Forbidden("identity:create_application_credential");
        if (c.Caller.AppCredentialId is not null) throw new Fault(403, "An application credential can't make another one.");
        var project = c.ProjectId;
        var body = c.Body("application_credential");
        var held = await Grants.RolesOn(c.Store, c.Caller.UserId, 'p', project);
        var roles = held.Select(r => r.Id).ToArray();
        if (body.TryGetProperty("roles", out var asked) && asked.ValueKind == JsonValueKind.Array)
            roles = [.. asked.EnumerateArray().Select(r => held.FirstOrDefault(h => Matches(r, h))?.Id ?? throw Fault.BadRequest("Invalid application credential: a role is not assigned to the user on the project."))];
        var secret = body.TryGetProperty("secret", out var s) && s.ValueKind == JsonValueKind.String ? s.GetString()! : Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(48));
        if ((await Directory.AppCredentials.InProject(c.Store, "")).Any(a => a.UserId == c.Caller.UserId && body.TryGetProperty("name", out var n) && n.ValueKind == JsonValueKind.String && a.Name == n.GetString()))
            throw Fault.Conflict("Conflict occurred attempting to store application_credential - Duplicate entry found.");
        var kind = Kind with
        {
            Check = (_, d) =>
            {
                d.Item = d.Item with { UserId = c.Caller.UserId, Scope = project, RoleIds = roles, Secret = null, Roles = default, SecretHash = Passwords.Fingerprint(secret) };
                return ValueTask.CompletedTask;
            },
            Extend = (w, call, a, detail) =>
            {
                w.WriteString("secret", secret); // shown this once
                Kind.Extend!(w, call, a, detail);
            },
        };
        return kind.One1(c, 201, await kind.Create(c, "authenticated", body, null));
    }

    private static bool Matches(JsonElement wanted, Role held) =>
        wanted.ValueKind == JsonValueKind.Object && (wanted.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String && id.GetString() == held.Id
            || wanted.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String && name.GetString() == held.Name);
}
