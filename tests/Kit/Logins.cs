using System.Text.Json;

namespace Cloud.Tests.Kit;

/// <summary>Logging in by other ways than a user's own project, and the ids behind names.</summary>
public static class Logins
{
    /// <param name="scope">Null for unscoped.</param>
    public static Task<Answer> Login(this TestCloud cloud, string user, object? scope, string? password = null, string domain = "default") => cloud.Authenticate(
        new { methods = new[] { "password" }, password = new { user = new { name = user, domain = new { id = domain }, password = password ?? user + "-secret" } } }, scope ?? new { unscoped = new { } });

    public static Task<Answer> Authenticate(this TestCloud cloud, object identity, object? scope = null) =>
        cloud.Raw("POST", "/identity/v3/auth/tokens", null, JsonSerializer.Serialize(new { auth = scope is null ? (object)new { identity } : new { identity, scope } }));

    /// <summary>Logs in with an application credential.</summary>
    public static Task<Answer> Authenticate(this TestCloud cloud, Answer made) => cloud.Authenticate(new
    {
        methods = new[] { "application_credential" },
        application_credential = new { id = made.Id("application_credential"), secret = made.Body.GetProperty("application_credential").GetProperty("secret").GetString() },
    });

    public static string Token(this Answer login) => login.Headers["X-Subject-Token"];

    public static IEnumerable<string> Roles(this Answer login) => login.Body.GetProperty("token").GetProperty("roles").EnumerateArray().Select(r => r.GetProperty("name").GetString()!);

    /// <param name="kind">users, projects, roles, groups...</param>
    public static async Task<string> IdOf(this TestCloud cloud, string kind, string name) =>
        (await cloud.Send("GET", $"/identity/v3/{kind}?name={name}")).Body.GetProperty(kind)[0].GetProperty("id").GetString()!;

    /// <summary>Makes one of an identity collection as administrator; its id.</summary>
    public static async Task<string> Make(this TestCloud cloud, string kind, string one, object body) =>
        (await cloud.Send("POST", $"/identity/v3/{kind}", new Dictionary<string, object> { [one] = body })).Id(one);
}
