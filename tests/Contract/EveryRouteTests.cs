using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>What holds for each row of every service's table, whoever calls it with whatever.</summary>
public sealed class EveryRouteTests
{
    private const string Missing = "00000000-0000-4000-8000-000000000000";

    public static TheoryData<string> Services => [.. Slices.All.Select(s => s.Prefix)];

    private static IEnumerable<(Route Route, string Target)> Rows(string prefix, string project) =>
        from route in Slices.All.Single(s => s.Prefix == prefix).Routes
        let path = string.Join('/', route.Path.Split('/').Select(p => p is "{project_id}" ? project : p.StartsWith('{') ? Missing : p))
        select (route, $"/{prefix}{path}");

    private static (string, string)[] Version(string prefix, Route route)
    {
        var versions = Slices.All.Single(s => s.Prefix == prefix).Dialect.Microversions;
        return versions is null ? [] : [("OpenStack-API-Version", $"{versions.Service} {route.Until ?? versions.Max.ToString()}")];
    }

    private static string? Body(Route route, string? inside) => route.Method is "GET" or "HEAD" or "DELETE" ? null : route.Action is { } action ? $"{{\"{action}\":{inside ?? "null"}}}" : inside;

    [Theory, MemberData(nameof(Services))]
    public async Task Without_a_live_token_nothing_but_public_routes_answers(string prefix)
    {
        await using var cloud = await TestCloud.Start();
        var revoked = (await cloud.Login("admin", new { system = new { all = true } })).Token();
        await cloud.Raw("DELETE", "/identity/v3/auth/tokens", revoked, null, ("X-Subject-Token", revoked));
        foreach (var (route, target) in Rows(prefix, Missing))
        {
            if (route.Policy == Policy.Anyone) continue;
            foreach (var token in new[] { null, "", "x", new string('A', 200), revoked })
            {
                var answer = await cloud.Raw(route.Method, target, token, Body(route, "{}"), Version(prefix, route));
                // S3 knows signatures instead of tokens, and no 401.
                Assert.Equal((route.Method, route.Path, prefix == "s3" ? 403 : 401), (route.Method, route.Path, answer.Status));
                Assert.True(prefix == "s3" || answer.Headers.ContainsKey("WWW-Authenticate"));
            }
        }
    }

    [Theory, MemberData(nameof(Services))]
    public async Task A_rule_that_denies_the_callers_own_place_is_403_whatever_is_asked(string prefix)
    {
        await using var cloud = await TestCloud.Start();
        var token = await cloud.Token("demo");
        var caller = (await cloud.Services.Tokens.Verify(token, default))!;
        foreach (var (route, target) in Rows(prefix, caller.ProjectId!))
        {
            var own = new Target(caller.ProjectId, route.Path.Contains("{user_id}", StringComparison.Ordinal) ? Missing : caller.UserId, caller.ProjectDomainId);
            if (cloud.Services.Policy.Allows(route.Policy, caller, own)) continue;
            var answer = await cloud.Raw(route.Method, target, token, Body(route, "{}"), Version(prefix, route));
            // Where one that isn't there is told first, it may be only to those who could read it.
            Assert.True(answer.Status == 403 || (route.Seen is not null && answer.Status == 404), $"{route.Method} {route.Path}: {answer.Status}");
        }
    }

    [Theory, MemberData(nameof(Services))]
    public async Task No_body_and_no_name_breaks_anything(string prefix)
    {
        await using var cloud = await TestCloud.Start();
        foreach (var user in new[] { "admin", "demo" })
        {
            var project = await cloud.IdOf("projects", user);
            foreach (var (route, target) in Rows(prefix, project))
                foreach (var inside in new[] { null, "null", "[]", "{}", "7", "\"x\"", "{\"x\":", "{\"" + One(route) + "\":null}", "{\"" + One(route) + "\":{\"name\":{},\"id\":[],\"unknown\":1}}", "{\"" + One(route) + "\":[]}" })
                {
                    if (inside is not null && route.Method is "GET" or "HEAD" or "DELETE") continue;
                    var answer = await cloud.Raw(route.Method, target + "?limit=x&marker=%00&sort_key=none&unknown=1", await cloud.Token(user), Body(route, inside), Version(prefix, route));
                    Assert.True(answer.Status < 500 || answer.Status == 501, $"{route.Method} {route.Path} with {inside}: {answer.Status} {answer.Text} {string.Join('\n', cloud.Errors)}");
                    cloud.Errors.Clear();
                }
        }
    }

    // The name a body is likely to have around it.
    private static string One(Route route)
    {
        var many = route.Path.Split('/').Last(p => !p.StartsWith('{')).Replace("os-", "", StringComparison.Ordinal);
        return many.EndsWith("ies", StringComparison.Ordinal) ? many[..^3] + "y" : many.TrimEnd('s');
    }

    [Theory, MemberData(nameof(Services))]
    public void Rows_are_unique(string prefix)
    {
        var rows = Slices.All.Single(s => s.Prefix == prefix).Routes.Select(r => $"{r.Method} {string.Join('/', r.Path.Split('/').Select(p => p.StartsWith('{') ? "{}" : p))} {r.Action} {r.Since}-{r.Until}").ToList();
        Assert.Equal(rows.Distinct(), rows);
    }
}
