using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>What the three roles may do on the three kinds of scope, with scope enforced and without.</summary>
public sealed class ScopeTests
{
    private const string Cloudwide = "POST /identity/v3/regions", ReadCloudwide = "GET /identity/v3/services", OfDomain = "POST /identity/v3/users", ReadDomain = "GET /identity/v3/groups", OtherDomain = "GET /identity/v3/users/{other}", Queues = "GET /ops/v1/queues";

    [Theory]
    [InlineData("system", "admin", Cloudwide, ReadCloudwide, OfDomain, ReadDomain, OtherDomain, Queues)]
    [InlineData("system", "member", ReadCloudwide, ReadDomain, OtherDomain, Queues)]
    [InlineData("system", "reader", ReadCloudwide, ReadDomain, OtherDomain, Queues)]
    [InlineData("domain", "admin", OfDomain, ReadDomain)]
    [InlineData("domain", "member", ReadDomain)]
    [InlineData("domain", "reader", ReadDomain)]
    [InlineData("project", "admin")]
    [InlineData("project", "member")]
    [InlineData("project", "reader")]
    public async Task What_is_the_whole_clouds_needs_a_token_for_the_system(string scope, string role, params string[] allowed) => Assert.Equal(allowed, await AllowedTo(scope, role, enforced: true));

    [Theory]
    [InlineData("project", "admin", Cloudwide, ReadCloudwide, OfDomain, ReadDomain, OtherDomain, Queues)]
    [InlineData("project", "member")]
    [InlineData("domain", "admin", OfDomain, ReadDomain)]
    [InlineData("system", "reader", ReadCloudwide, ReadDomain, OtherDomain, Queues)]
    public async Task A_projects_administrator_is_the_clouds_unless_scope_is_enforced(string scope, string role, params string[] allowed) => Assert.Equal(allowed, await AllowedTo(scope, role, enforced: false));

    [Theory]
    [InlineData(true, 404, 404)]
    [InlineData(false, 200, 204)]
    public async Task Images_are_for_projects_where_scope_is_enforced(bool enforced, int shown, int deleted)
    {
        await using var plain = await TestCloud.Start();
        await using var cloud = plain.Copy(settings: plain.Services.Settings with { EnforceScope = enforced });
        var image = "/image/v2/images/" + (await cloud.Send("POST", "/image/v2/images", new { visibility = "public" })).Id("");
        var token = (await cloud.Login("admin", new { system = new { all = true } })).Token();
        Assert.Equal(shown, (await cloud.Raw("GET", image, token, null)).Status);
        Assert.Equal(deleted, (await cloud.Raw("DELETE", image, token, null)).Status);
    }

    private static async Task<IReadOnlyList<string>> AllowedTo(string scope, string role, bool enforced)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann", "reader");
        var (other, ann, project, id) = (await cloud.Make("domains", "domain", new { name = "other" }), await cloud.IdOf("users", "ann"), await cloud.IdOf("projects", "ann"), await cloud.IdOf("roles", role));
        var stranger = await cloud.Make("users", "user", new { name = "stranger", domain_id = other });
        var (place, named) = scope switch { "system" => ("system", (object)new { system = new { all = true } }), "domain" => ("domains/default", new { domain = new { id = "default" } }), _ => ("projects/" + project, new { project = new { id = project } }) };
        Assert.Equal(204, (await cloud.Send("PUT", $"/identity/v3/{place}/users/{ann}/roles/{id}")).Status);
        await using var told = cloud.Copy(settings: cloud.Services.Settings with { EnforceScope = enforced });
        var token = (await told.Login("ann", named)).Token();
        var allowed = new List<string>();
        foreach (var operation in (string[])[Cloudwide, ReadCloudwide, OfDomain, ReadDomain, OtherDomain, Queues])
        {
            var (method, target) = (operation.Split(' ')[0], operation.Split(' ')[1].Replace("{other}", stranger, StringComparison.Ordinal));
            var body = method == "GET" ? null : target.EndsWith("regions", StringComparison.Ordinal) ? """{"region":{}}""" : """{"user":{"name":"new"}}""";
            var status = (await told.Raw(method, target, token, body)).Status;
            Assert.Contains(status, (int[])[200, 201, 403]);
            if (status != 403) allowed.Add(operation);
        }
        return allowed;
    }
}
