using Cloud.Identity;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>Application credentials, trusts and EC2 keys: rights that a user lends.</summary>
public sealed class LentRightsTests
{
    private static async Task<Answer> Make(TestCloud cloud, string user, object body, string? token = null) =>
        await cloud.Raw("POST", $"/identity/v3/users/{await cloud.IdOf("users", user)}/application_credentials", token ?? await cloud.Token(user), System.Text.Json.JsonSerializer.Serialize(new { application_credential = body }));

    [Fact]
    public async Task A_credential_opens_its_project_with_its_roles_until_it_is_deleted()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var made = await Make(cloud, "ann", new { name = "ci", roles = new[] { new { name = "reader" } } });
        Assert.Equal(201, made.Status);
        var login = await cloud.Authenticate(made);
        Assert.Equal(["reader"], login.Roles());
        Assert.Equal("reader", made.Body.GetProperty("application_credential").GetProperty("roles")[0].GetProperty("name").GetString());
        Assert.Equal(409, (await Make(cloud, "ann", new { name = "ci" })).Status);
        var one = $"/identity/v3/users/{await cloud.IdOf("users", "ann")}/application_credentials/{made.Id("application_credential")}";
        Assert.DoesNotContain("secret", (await cloud.Send("GET", one, user: "ann")).Text, StringComparison.Ordinal);
        Assert.Equal(403, (await cloud.Raw("DELETE", one, login.Token(), null)).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", one, user: "ann")).Status);
        Assert.Equal(401, (await cloud.Authenticate(made)).Status);
        Assert.Equal(401, (await cloud.Raw("GET", "/identity/v3/auth/projects", login.Token(), null)).Status);
        Assert.Equal(201, (await Make(cloud, "ann", new { name = "ci" })).Status);
    }

    [Fact]
    public async Task A_credential_dies_with_a_role_its_expiry_or_its_user()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (ann, project, member) = (await cloud.IdOf("users", "ann"), await cloud.IdOf("projects", "ann"), await cloud.IdOf("roles", "member"));
        var made = await Make(cloud, "ann", new { name = "a" });
        var brief = await Make(cloud, "ann", new { name = "b", expires_at = "2030-01-01T00:10:00" });
        Assert.Equal("2030-01-01T00:10:00.000000", brief.Body.GetProperty("application_credential").GetProperty("expires_at").GetString());
        Assert.Equal("2030-01-01T00:10:00.000000Z", (await cloud.Authenticate(brief)).Body.GetProperty("token").GetProperty("expires_at").GetString());
        Assert.Equal(400, (await Make(cloud, "ann", new { name = "c", expires_at = "2029-12-31T00:00:00Z" })).Status);
        cloud.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(401, (await cloud.Authenticate(brief)).Status);
        Assert.Equal(201, (await cloud.Authenticate(made)).Status);
        await cloud.Send("DELETE", $"/identity/v3/projects/{project}/users/{ann}/roles/{member}");
        Assert.Equal(401, (await cloud.Authenticate(made)).Status);
    }

    [Fact]
    public async Task Access_rules_are_all_that_a_token_may_be_used_for()
    {
        await using var cloud = await TestCloud.Start();
        var made = await Make(cloud, "demo", new { name = "watch", access_rules = new[] { new { service = "compute", method = "GET", path = "/v2.1/servers" }, new { service = "image", method = "GET", path = "/v2/images/*/file" } } });
        var token = (await cloud.Authenticate(made)).Token();
        Assert.Equal(200, (await cloud.Raw("GET", "/compute/v2.1/servers", token, null)).Status);
        Assert.Equal(401, (await cloud.Raw("POST", "/compute/v2.1/servers", token, "{}")).Status);
        Assert.Equal(401, (await cloud.Raw("GET", "/compute/v2.1/servers/detail", token, null)).Status);
        Assert.Equal(401, (await cloud.Raw("GET", "/network/v2.0/networks", token, null)).Status);
        Assert.Equal(404, (await cloud.Raw("GET", "/image/v2/images/nothing/file", token, null)).Status);
        Assert.Equal(400, (await Make(cloud, "demo", new { name = "x", access_rules = new[] { new { service = "compute", method = "FETCH", path = "/" } } })).Status);
    }

    [Fact]
    public async Task What_is_lent_makes_nothing_that_exceeds_it()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var ann = await cloud.IdOf("users", "ann");
        var token = (await cloud.Authenticate(await Make(cloud, "ann", new { name = "a" }))).Token();
        Assert.Equal(403, (await Make(cloud, "ann", new { name = "b" }, token)).Status);
        Assert.Equal(403, (await cloud.Raw("POST", $"/identity/v3/users/{ann}/credentials/OS-EC2", token, $$"""{"tenant_id":"{{await cloud.IdOf("projects", "ann")}}"}""")).Status);
        Assert.Equal(403, (await cloud.Raw("POST", "/identity/v3/credentials", token, """{"credential":{"type":"totp","blob":"x"}}""")).Status);
        Assert.Equal(403, (await cloud.Raw("POST", "/identity/v3/OS-TRUST/trusts", token, System.Text.Json.JsonSerializer.Serialize(new { trust = new { trustor_user_id = ann, trustee_user_id = ann, impersonation = true } }))).Status);
        Assert.Equal(403, (await cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = token } })).Status);

        // An unrestricted one may, but not with roles that it lacks itself.
        var wide = (await cloud.Authenticate(await Make(cloud, "ann", new { name = "w", unrestricted = true, roles = new[] { new { name = "reader" } } }))).Token();
        Assert.Equal(201, (await Make(cloud, "ann", new { name = "r" }, wide)).Status);
        Assert.Equal(400, (await Make(cloud, "ann", new { name = "m", roles = new[] { new { name = "member" } } }, wide)).Status);
    }

    [Fact]
    public async Task A_trust_lends_some_roles_some_times()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        await cloud.AddUser("bob");
        var (ann, bob, project) = (await cloud.IdOf("users", "ann"), await cloud.IdOf("users", "bob"), await cloud.IdOf("projects", "ann"));
        object Trust(string role, bool impersonate = false) => new { trust = new { trustor_user_id = ann, trustee_user_id = bob, project_id = project, impersonation = impersonate, remaining_uses = 2, roles = new[] { new { name = role } } } };
        Assert.Equal(403, (await cloud.Send("POST", "/identity/v3/OS-TRUST/trusts", Trust("admin"), "ann")).Status);
        Assert.Equal(403, (await cloud.Send("POST", "/identity/v3/OS-TRUST/trusts", Trust("reader"), "bob")).Status);
        var id = (await cloud.Send("POST", "/identity/v3/OS-TRUST/trusts", Trust("reader", true), "ann")).Id("trust");
        var scope = new Dictionary<string, object> { ["OS-TRUST:trust"] = new { id } };
        Assert.Equal(401, (await cloud.Login("demo", scope)).Status);
        var login = await cloud.Login("bob", scope);
        Assert.Equal(["reader"], login.Roles());
        Assert.True(login.Token().Length < 255);
        Assert.Equal(ann, login.Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString());
        Assert.Equal(403, (await cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = login.Token() } })).Status);
        Assert.Equal(201, (await cloud.Login("bob", scope)).Status);
        Assert.Equal(401, (await cloud.Login("bob", scope)).Status);
        Assert.Equal((403, 404), ((await cloud.Send("GET", "/identity/v3/OS-TRUST/trusts/" + id, user: "demo")).Status, (await cloud.Send("GET", "/identity/v3/OS-TRUST/trusts/gone", user: "ann")).Status));
        await cloud.Send("DELETE", $"/identity/v3/projects/{project}/users/{ann}/roles/{await cloud.IdOf("roles", "member")}");
        Assert.Equal(401, (await cloud.Raw("GET", "/identity/v3/auth/projects", login.Token(), null)).Status);
    }

    [Fact]
    public async Task A_credential_stays_its_owners()
    {
        await using var cloud = await TestCloud.Start();
        var id = (await cloud.Send("POST", "/identity/v3/credentials", new { credential = new { type = "t", blob = "b" } }, "demo")).Id("credential");
        await cloud.Send("PATCH", "/identity/v3/credentials/" + id, new { credential = new { user_id = await cloud.IdOf("users", "admin") } }, "demo");
        Assert.Equal(await cloud.IdOf("users", "demo"), (await cloud.Send("GET", "/identity/v3/credentials/" + id)).Body.GetProperty("credential").GetProperty("user_id").GetString());
    }

    [Fact]
    public async Task Ec2_keys_are_for_projects_the_user_is_in()
    {
        await using var cloud = await TestCloud.Start();
        var (demo, admin) = (await cloud.IdOf("users", "demo"), await cloud.IdOf("users", "admin"));
        var path = $"/identity/v3/users/{demo}/credentials/OS-EC2";
        foreach (var project in (string[])[await cloud.IdOf("projects", "admin"), "missing"])
        {
            // Neither opens anything, and nobody is told which of them exists.
            var other = await cloud.Send("POST", path, new { tenant_id = project }, "demo");
            Assert.Equal(201, other.Status);
            Assert.Null(await Ec2Keys.Holder(cloud.Services, other.Body.GetProperty("credential").GetProperty("access").GetString()!));
        }
        Assert.Equal(403, (await cloud.Send("GET", $"/identity/v3/users/{admin}/credentials/OS-EC2", user: "demo")).Status);
        var made = await cloud.Send("POST", path, new { tenant_id = await cloud.IdOf("projects", "demo") }, "demo");
        var access = made.Body.GetProperty("credential").GetProperty("access").GetString();
        Assert.Equal(200, (await cloud.Send("GET", $"{path}/{access}", user: "demo")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", $"{path}/{access}", user: "demo")).Status);
        Assert.Equal(404, (await cloud.Send("GET", $"{path}/{access}", user: "demo")).Status);
    }
}
