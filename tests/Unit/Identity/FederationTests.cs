using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>OS-FEDERATION: people of other places.</summary>
public sealed class FederationTests : IDisposable
{
    private const string Providers = "/identity/v3/OS-FEDERATION/identity_providers", OneRule = """[{"local":[{"user":{"name":"{0}"}}],"remote":[{"type":"sub"}]}]""";
    private readonly OpenIdProvider _corp = new("http://corp.example");

    public void Dispose() => _corp.Dispose();

    [Fact]
    public async Task An_identity_provider_has_a_domain_and_issuers_of_its_own()
    {
        await using var cloud = await TestCloud.Start();
        var made = await cloud.Send("PUT", Providers + "/corp", new { identity_provider = new { description = "x", remote_ids = new[] { "http://a" } } });
        var shown = made.Body.GetProperty("identity_provider");
        Assert.Equal((201, "corp", false, "http://cloud" + Providers + "/corp/protocols"), (made.Status, shown.GetProperty("id").GetString(), shown.GetProperty("enabled").GetBoolean(), shown.GetProperty("links").GetProperty("protocols").GetString()));
        Assert.Equal(200, (await cloud.Send("GET", "/identity/v3/domains/" + shown.GetProperty("domain_id").GetString())).Status);
        Assert.Equal(409, (await cloud.Send("PUT", Providers + "/corp", new { identity_provider = new { } })).Status);
        Assert.Equal(409, (await cloud.Send("PUT", Providers + "/other", new { identity_provider = new { remote_ids = new[] { "http://a" } } })).Status);
        Assert.Equal(404, (await cloud.Send("PUT", Providers + "/other", new { identity_provider = new { domain_id = "missing" } })).Status);
        Assert.Equal(400, (await cloud.Send("PUT", Providers + "/a%20b", new { identity_provider = new { } })).Status);
        var changed = await cloud.Send("PATCH", Providers + "/corp", new { identity_provider = new { enabled = true, remote_ids = new[] { "http://b" } } });
        Assert.True(changed.Body.GetProperty("identity_provider").GetProperty("enabled").GetBoolean());
        Assert.Equal(400, (await cloud.Send("PATCH", Providers + "/corp", new { identity_provider = new { domain_id = "default" } })).Status);
        Assert.Equal("corp", (await cloud.Send("GET", Providers + "?enabled=true")).Body.GetProperty("identity_providers")[0].GetProperty("id").GetString());
        Assert.Equal(204, (await cloud.Send("DELETE", Providers + "/corp")).Status);
        Assert.Equal(404, (await cloud.Send("GET", Providers + "/corp")).Status);
    }

    [Fact]
    public async Task A_protocol_binds_a_provider_to_a_mapping()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.Send("PUT", Providers + "/corp", new { identity_provider = new { } });
        foreach (var map in (string[])["m1", "m2"]) Assert.Equal(201, (await cloud.Send("PUT", "/identity/v3/OS-FEDERATION/mappings/" + map, "{\"mapping\":{\"rules\":" + OneRule + "}}")).Status);
        var made = await cloud.Send("PUT", Providers + "/corp/protocols/openid", new { protocol = new { mapping_id = "m1" } });
        Assert.Equal((201, "openid", "m1"), (made.Status, made.Id("protocol"), made.Body.GetProperty("protocol").GetProperty("mapping_id").GetString()));
        Assert.Equal(409, (await cloud.Send("PUT", Providers + "/corp/protocols/openid", new { protocol = new { mapping_id = "m1" } })).Status);
        Assert.Equal(400, (await cloud.Send("PUT", Providers + "/corp/protocols/x", new { protocol = new { mapping_id = "missing" } })).Status);
        Assert.Equal(404, (await cloud.Send("PUT", Providers + "/missing/protocols/x", new { protocol = new { mapping_id = "m1" } })).Status);
        Assert.Equal("m2", (await cloud.Send("PATCH", Providers + "/corp/protocols/openid", new { protocol = new { mapping_id = "m2" } })).Body.GetProperty("protocol").GetProperty("mapping_id").GetString());
        Assert.Equal(1, (await cloud.Send("GET", Providers + "/corp/protocols")).Body.GetProperty("protocols").GetArrayLength());
        Assert.Equal(204, (await cloud.Send("DELETE", Providers + "/corp/protocols/openid")).Status);
        Assert.Equal(404, (await cloud.Send("GET", Providers + "/corp/protocols/openid")).Status);
        Assert.Equal(200, (await cloud.Send("PATCH", "/identity/v3/OS-FEDERATION/mappings/m1", "{\"mapping\":{\"rules\":" + OneRule + "}}")).Status);
        Assert.Equal(400, (await cloud.Send("PUT", "/identity/v3/OS-FEDERATION/mappings/m3", """{"mapping":{"rules":[]}}""")).Status);
    }

    [Fact]
    public async Task Enabled_service_providers_are_in_every_token()
    {
        await using var cloud = await TestCloud.Start();
        const string at = "/identity/v3/OS-FEDERATION/service_providers/";
        var made = await cloud.Send("PUT", at + "sp", new { service_provider = new { auth_url = "https://sp.example/v3", sp_url = "https://sp.example/acs" } });
        Assert.Equal((201, "ss:mem:"), (made.Status, made.Body.GetProperty("service_provider").GetProperty("relay_state_prefix").GetString()));
        Assert.Equal(400, (await cloud.Send("PUT", at + "bad", new { service_provider = new { auth_url = "no url", sp_url = "https://sp.example/acs" } })).Status);
        Assert.False((await cloud.Login("demo", null)).Body.GetProperty("token").TryGetProperty("service_providers", out _));
        await cloud.Send("PATCH", at + "sp", new { service_provider = new { enabled = true } });
        Assert.Equal("https://sp.example/acs", (await cloud.Login("demo", null)).Body.GetProperty("token").GetProperty("service_providers")[0].GetProperty("sp_url").GetString());
        Assert.Equal(204, (await cloud.Send("DELETE", at + "sp")).Status);
    }

    [Fact]
    public async Task Whoever_a_provider_vouches_for_enters_as_a_member_of_his_groups()
    {
        await using var origin = await TestCloud.Start();
        await using var cloud = origin.Knowing(_corp);
        var (project, domain) = (await cloud.IdOf("projects", "demo"), await cloud.Federate("corp", _corp.Issuer));
        var group = await cloud.Team("dev", project);
        var login = await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "ann", ("groups", new[] { "dev", "unknown" })));
        Assert.Equal(201, login.Status);
        var token = login.Body.GetProperty("token");
        var user = token.GetProperty("user");
        Assert.Equal(("ann", domain, "openid"), (user.GetProperty("name").GetString(), user.GetProperty("domain").GetProperty("id").GetString(), token.GetProperty("methods")[0].GetString()));
        var federation = user.GetProperty("OS-FEDERATION");
        Assert.Equal(("corp", "openid", group), (federation.GetProperty("identity_provider").GetProperty("id").GetString(), federation.GetProperty("protocol").GetProperty("id").GetString(), federation.GetProperty("groups")[0].GetProperty("id").GetString()));
        foreach (var list in (string[])["OS-FEDERATION/projects", "auth/projects"])
            Assert.Equal(project, (await cloud.Raw("GET", "/identity/v3/" + list, login.Token(), null)).Body.GetProperty("projects")[0].GetProperty("id").GetString());
        var scoped = await cloud.Scope(login, project);
        Assert.Equal((201, "member,reader"), (scoped.Status, string.Join(',', scoped.Roles())));
        Assert.Equal(["openid", "token"], scoped.Body.GetProperty("token").GetProperty("methods").EnumerateArray().Select(m => m.GetString()));
        Assert.Equal("corp", scoped.Body.GetProperty("token").GetProperty("user").GetProperty("OS-FEDERATION").GetProperty("identity_provider").GetProperty("id").GetString());

        var shown = (await cloud.Send("GET", "/identity/v3/users/" + user.GetProperty("id").GetString())).Body.GetProperty("user").GetProperty("federated")[0];
        Assert.Equal(("corp", "ann"), (shown.GetProperty("idp_id").GetString(), shown.GetProperty("protocols")[0].GetProperty("unique_id").GetString()));
        Assert.Equal(user.GetProperty("id").GetString(), (await cloud.Send("GET", "/identity/v3/users?idp_id=corp&unique_id=ann")).Body.GetProperty("users")[0].GetProperty("id").GetString());

        // The same person again, whose groups are others now.
        var again = await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "ann", ("email", "x")));
        Assert.Equal(user.GetProperty("id").GetString(), again.Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString());
        Assert.Equal(401, (await cloud.Scope(again, project)).Status);
        Assert.Equal(401, (await cloud.Raw("GET", "/compute/v2.1/servers", scoped.Token(), null)).Status);
    }

    [Fact]
    public async Task Groups_last_as_long_as_the_login_or_as_the_provider_is_trusted_for()
    {
        await using var origin = await TestCloud.Start();
        await using var cloud = origin.Knowing(_corp);
        var project = await cloud.IdOf("projects", "demo");
        await cloud.Federate("corp", _corp.Issuer, ttl: 90);
        var group = await cloud.Team("dev", project);
        var login = await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "ann", ("groups", "dev")));
        var scoped = await cloud.Scope(login, project);
        var user = login.Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString();
        var made = await cloud.Raw("POST", $"/identity/v3/users/{user}/application_credentials", scoped.Token(), """{"application_credential":{"name":"ci"}}""");
        await Minutes(cloud, 85);
        Assert.Equal(201, (await cloud.Authenticate(made)).Status);
        await Minutes(cloud, 10);
        Assert.Equal(401, (await cloud.Authenticate(made)).Status);
        Assert.Equal(0, (await cloud.Send("GET", $"/identity/v3/groups/{group}/users")).Body.GetProperty("users").GetArrayLength());
        await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "ann", ("groups", "dev")));
        Assert.Equal(201, (await cloud.Authenticate(made)).Status);
    }

    // What timers do meanwhile.
    private static async Task Minutes(TestCloud cloud, int minutes)
    {
        cloud.Clock.Advance(TimeSpan.FromMinutes(minutes));
        foreach (var job in cloud.Services.Slices.SelectMany(s => s.Jobs).Where(j => j.Name == "sweep-members")) await job.Run(cloud.Services, default);
        cloud.Forget();
    }

    [Fact]
    public async Task A_mapping_makes_projects_and_finds_local_users()
    {
        await using var origin = await TestCloud.Start();
        await using var cloud = origin.Knowing(_corp);
        var domain = await cloud.Federate("corp", _corp.Issuer, new object[]
        {
            new { local = new object[] { new { user = new { name = "{0}" } }, new { projects = new[] { new { name = "home of {0}", roles = new[] { new { name = "member" } } } } } }, remote = new object[] { new { type = "sub" }, new { type = "kind", any_one_of = new[] { "guest" } } } },
            new { local = new[] { new { user = new { name = "{0}", type = "local", domain = new { id = "default" } } } }, remote = new object[] { new { type = "sub" }, new { type = "kind", any_one_of = new[] { "staff" } } } },
        });
        var guest = await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "ann", ("kind", "guest")));
        var project = (await cloud.Raw("GET", "/identity/v3/auth/projects", guest.Token(), null)).Body.GetProperty("projects")[0];
        Assert.Equal(("home of ann", domain), (project.GetProperty("name").GetString(), project.GetProperty("domain_id").GetString()));
        Assert.Equal(["member", "reader"], (await cloud.Scope(guest, project.GetProperty("id").GetString()!)).Roles());
        var staff = await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "demo", ("kind", "staff")));
        Assert.Equal(await cloud.IdOf("users", "demo"), staff.Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString());
        Assert.Equal(401, (await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "nobody", ("kind", "staff")))).Status);
        Assert.Equal(401, (await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "ann", ("kind", "other")))).Status);
    }

    [Fact]
    public async Task An_administrator_may_say_beforehand_who_somebody_will_be()
    {
        await using var origin = await TestCloud.Start();
        await using var cloud = origin.Knowing(_corp);
        var domain = await cloud.Federate("corp", _corp.Issuer);
        object User(string name, string provider, string protocol, string? inside) => new { user = new { name, domain_id = inside, federated = new[] { new { idp_id = provider, protocols = new[] { new { protocol_id = protocol, unique_id = "ann" } } } } } };
        Assert.Equal(400, (await cloud.Send("POST", "/identity/v3/users", User("a", "missing", "openid", domain))).Status);
        Assert.Equal(400, (await cloud.Send("POST", "/identity/v3/users", User("a", "corp", "missing", domain))).Status);
        Assert.Equal(400, (await cloud.Send("POST", "/identity/v3/users", User("a", "corp", "openid", null))).Status);
        var made = await cloud.Send("POST", "/identity/v3/users", User("a", "corp", "openid", domain));
        Assert.Equal(201, made.Status);
        Assert.Equal(409, (await cloud.Send("POST", "/identity/v3/users", User("b", "corp", "openid", domain))).Status);
        Assert.Equal(made.Id("user"), (await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "ann"))).Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString());
        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/users/" + made.Id("user"))).Status);
        Assert.NotEqual(made.Id("user"), (await cloud.Federated("corp", _corp.Token(cloud.Clock.GetUtcNow(), "ann"))).Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString());
    }
}
