using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

public sealed class IdentityAttacks
{
    [Fact]
    public async Task Forged_identity_headers_are_nothing()
    {
        await using var cloud = await TestCloud.Start();
        var (admin, project) = (await cloud.IdOf("users", "admin"), await cloud.IdOf("projects", "admin"));
        (string, string)[] forged = [("X-Roles", "admin"), ("X-Role", "admin"), ("X-User-Id", admin), ("X-User", "admin"), ("X-Project-Id", project), ("X-Tenant-Id", project), ("X-Is-Admin-Project", "True"),
            ("X-System-Scope", "all"), ("OpenStack-System-Scope", "all"), ("X-Identity-Status", "Confirmed"), ("X-Service-Token", "x"), ("X-Auth-Project-Id", project)];
        Assert.Equal(401, (await cloud.Raw("GET", "/identity/v3/users", null, null, forged)).Status);
        Assert.Equal(403, (await cloud.Send("GET", "/identity/v3/users", null, "demo", forged)).Status);
        Assert.Equal(403, (await cloud.Send("GET", "/compute/v2.1/os-hypervisors", null, "demo", forged)).Status);
        var image = (await cloud.Send("POST", "/image/v2/images", new { name = "x" }, "demo", forged)).Body;
        Assert.Equal(await cloud.IdOf("projects", "demo"), image.GetProperty("owner").GetString());
    }

    [Theory]
    [InlineData("unknown", "default", "x")]
    [InlineData("demo", "default", "wrong")]
    [InlineData("demo", "nowhere", "demo-secret")]
    [InlineData("gone", "default", "gone-secret")]
    [InlineData("demo", "default", "")]
    public async Task Nobody_learns_who_exists(string user, string domain, string password)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("gone");
        await cloud.Send("PATCH", "/identity/v3/users/" + await cloud.IdOf("users", "gone"), new { user = new { enabled = false } });
        var reference = await cloud.Login("nobody-at-all", null, "x");
        var answer = await cloud.Login(user, null, password, domain);
        Assert.Equal((401, reference.Text), (answer.Status, answer.Text));
        Assert.Equal(reference.Headers.Keys.Order(), answer.Headers.Keys.Order());
        var scoped = await cloud.Login("demo", new { project = new { id = await cloud.IdOf("projects", "admin") } });
        var missing = await cloud.Login("demo", new { project = new { id = "missing" } });
        Assert.Equal((401, scoped.Text), (missing.Status, missing.Text));
    }

    [Theory]
    [InlineData("user")]
    [InlineData("project")]
    [InlineData("domain")]
    [InlineData("role")]
    [InlineData("password")]
    [InlineData("token")]
    public async Task What_was_taken_away_is_gone_everywhere_within_ten_seconds(string what)
    {
        await using var cloud = await TestCloud.Start();
        var domain = await cloud.Make("domains", "domain", new { name = "acme" });
        var project = await cloud.Make("projects", "project", new { name = "p", domain_id = domain });
        var user = await cloud.Make("users", "user", new { name = "ann", password = "ann-secret", domain_id = domain });
        var role = await cloud.IdOf("roles", "member");
        await cloud.Send("PUT", $"/identity/v3/projects/{project}/users/{user}/roles/{role}");
        var token = (await cloud.Login("ann", new { project = new { id = project } }, domain: domain)).Token();

        // Another process of the same cloud has just seen the token.
        var elsewhere = Composition.Services(cloud.Store, cloud.Bus, cloud.Services.Blobs, cloud.Clock, cloud.Services.Ids, cloud.Services.Settings);
        Assert.NotNull(await elsewhere.Tokens.Verify(token, default));
        Assert.Equal(200, (await cloud.Raw("GET", "/image/v2/images", token, null)).Status);

        var done = what switch
        {
            "user" => await cloud.Send("PATCH", "/identity/v3/users/" + user, new { user = new { enabled = false } }),
            "project" => await cloud.Send("PATCH", "/identity/v3/projects/" + project, new { project = new { enabled = false } }),
            "domain" => await cloud.Send("PATCH", "/identity/v3/domains/" + domain, new { domain = new { enabled = false } }),
            "role" => await cloud.Send("DELETE", $"/identity/v3/projects/{project}/users/{user}/roles/{role}"),
            "password" => await cloud.Send("POST", $"/identity/v3/users/{user}/password", new { user = new { original_password = "ann-secret", password = "new" } }),
            _ => await cloud.Raw("DELETE", "/identity/v3/auth/tokens", token, null, ("X-Subject-Token", token)),
        };
        Assert.InRange(done.Status, 200, 204);
        Assert.Equal(401, (await cloud.Raw("GET", "/image/v2/images", token, null)).Status); // where it was done: at once
        cloud.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(await elsewhere.Tokens.Verify(token, default));
        if (what is "user" or "domain") // enabling again revives no token
        {
            await cloud.Send("PATCH", $"/identity/v3/{what}s/{(what == "user" ? user : domain)}", new Dictionary<string, object> { [what] = new { enabled = true } });
            Assert.Equal(what == "user" ? 401 : 200, (await cloud.Raw("GET", "/image/v2/images", token, null)).Status);
        }
    }

    [Theory]
    [InlineData("user")]
    [InlineData("project")]
    public async Task Every_service_knows_within_ten_seconds_who_was_disabled(string what)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (token, id, project) = (await cloud.Token("ann"), await cloud.IdOf(what + "s", "ann"), await cloud.IdOf("projects", "ann"));
        var elsewhere = new Router(Composition.Services(cloud.Store, cloud.Bus, cloud.Services.Blobs, cloud.Clock, cloud.Services.Ids, cloud.Services.Settings), (_, _) => { });
        // S3 has signatures instead, and a test of its own.
        var targets = Slices.All.Where(s => s.Prefix != "s3").Select(s => (s, Route: s.Routes.First(r => r.Method == "GET" && r.Policy != Policy.Anyone)))
            .Select(x => $"/{x.s.Prefix}{x.Route.Path.Replace("{project_id}", project, StringComparison.Ordinal).Replace("{account}", "AUTH_" + project, StringComparison.Ordinal)}").ToList();
        async Task<int[]> Statuses(Func<string, Task<int>> ask) => await Task.WhenAll(targets.Select(ask));
        async Task<int> Here(string target) => (await cloud.Raw("GET", target, token, null)).Status;
        async Task<int> There(string target) => (await elsewhere.Handle(new("GET", target, [], name => name == "X-Auth-Token" ? token : null, Stream.Null, "http://cloud"))).Status;
        Assert.DoesNotContain(401, (await Statuses(Here)).Concat(await Statuses(There)));
        Assert.Equal(200, (await cloud.Send("PATCH", $"/identity/v3/{what}s/{id}", new Dictionary<string, object> { [what] = new { enabled = false } })).Status);
        Assert.All(await Statuses(Here), s => Assert.Equal(401, s));
        cloud.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.All(await Statuses(There), s => Assert.Equal(401, s));
    }

    [Fact]
    public async Task Being_locked_out_tells_nobody_that_a_user_exists()
    {
        await using var plain = await TestCloud.Start();
        await using var cloud = plain.Copy(settings: plain.Services.Settings with { Passwords = new() { LockoutFailureAttempts = 2, LockoutDuration = 60 } });
        var rows = cloud.Store.All.Count;
        var strangers = new List<Answer>();
        for (var i = 0; i < 4; i++) strangers.Add(await cloud.Login("nobody-at-all", null, "x"));
        Assert.Equal(rows, cloud.Store.All.Count); // nor does trying cost anything to keep
        for (var i = 0; i < 4; i++)
        {
            var answer = await cloud.Login("demo", null, i < 2 ? "x" : "demo-secret");
            Assert.Equal((401, strangers[i].Text), (answer.Status, answer.Text));
            Assert.Equal(strangers[i].Headers.Keys.Order(), answer.Headers.Keys.Order());
        }
    }

    [Fact]
    public async Task Every_kind_of_token_is_short_and_an_expired_one_is_nothing()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var credential = await cloud.Send("POST", $"/identity/v3/users/{await cloud.IdOf("users", "ann")}/application_credentials", new { application_credential = new { name = "a" } }, "ann");
        var project = new { project = new { id = await cloud.IdOf("projects", "ann") } };
        var first = await cloud.Login("ann", project);
        Answer[] logins =
        [
            first, await cloud.Login("ann", null), await cloud.Login("admin", new { domain = new { id = "default" } }), await cloud.Login("admin", new { system = new { all = true } }), await cloud.Authenticate(credential),
            await cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = first.Token() } }, project),
        ];
        foreach (var login in logins)
        {
            Assert.Equal(201, login.Status);
            Assert.InRange(login.Token().Length, 40, 254);
            Assert.Equal(200, (await cloud.Raw("GET", "/identity/v3/auth/projects", login.Token(), null)).Status);
        }
        cloud.Clock.Advance(TimeSpan.FromMinutes(61));
        foreach (var login in logins)
        {
            Assert.Equal(401, (await cloud.Raw("GET", "/identity/v3/auth/projects", login.Token(), null)).Status);
            Assert.Equal(404, (await cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = login.Token() } })).Status);
        }
    }

    [Fact]
    public async Task A_rescoped_token_lives_no_longer_than_the_first()
    {
        await using var cloud = await TestCloud.Start();
        var first = await cloud.Login("demo", null);
        cloud.Clock.Advance(TimeSpan.FromMinutes(50));
        var second = await cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = first.Token() } }, new { project = new { id = await cloud.IdOf("projects", "demo") } });
        Assert.Equal(first.Body.GetProperty("token").GetProperty("expires_at").GetString(), second.Body.GetProperty("token").GetProperty("expires_at").GetString());
    }

    [Theory]
    [InlineData("{\"a\": \"\"}", "a")]
    [InlineData("{\"a\": \"rule:b\"}", "b")]
    [InlineData("{\"a\": \"role:admin or\"}", "a")]
    [InlineData("{\"a\": \"roles:admin\"}", "a")]
    [InlineData("{\"a\": \"role:admin and (role:x\"}", "a")]
    public void A_rule_that_is_empty_or_mistyped_stops_the_start(string rules, string name)
    {
        var parsed = System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, string>>(rules)!;
        Assert.Contains(name, Assert.Throws<InvalidOperationException>(() => new Policy(parsed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_without_a_rule_stops_the_start_and_an_unknown_rule_denies()
    {
        await using var cloud = await TestCloud.Start();
        Assert.False(cloud.Services.Policy.Allows("no:such:rule", new Caller { UserId = "admin", Roles = ["admin"] }, default));
        var slice = Cloud.Identity.Api.Slice with { Routes = [new("GET", "/x", "identity:mistyped", _ => new(Reply.Empty(200)))] };
        Assert.Throws<InvalidOperationException>(() => new Router(Composition.Services(cloud.Store, cloud.Bus, cloud.Services.Blobs, cloud.Clock, cloud.Services.Ids, cloud.Services.Settings, [slice]), (_, _) => { }));
    }

    [Theory]
    [InlineData("id")]
    [InlineData("created_at")]
    [InlineData("password_hash")]
    [InlineData("PasswordHash")]
    [InlineData("valid_from")]
    [InlineData("revision")]
    [InlineData("links")]
    [InlineData("password_expires_at")]
    public async Task Nothing_but_what_a_caller_may_set_is_set(string field)
    {
        await using var cloud = await TestCloud.Start();
        var body = new Dictionary<string, object> { ["name"] = "x", ["password"] = "right", [field] = "forged" };
        var made = await cloud.Send("POST", "/identity/v3/users", new { user = body });
        // What Keystone keeps as an extra attribute is kept beside the record, never in it.
        Assert.True(made.Status == 400 || (await cloud.Login("x", null, "right")).Status == 201);
        if (made.Status == 201) Assert.NotEqual("forged", made.Id("user"));
        var id = await cloud.IdOf("users", "demo");
        var changed = await cloud.Send("PATCH", "/identity/v3/users/" + id, new { user = new Dictionary<string, object> { [field] = "forged" } });
        Assert.True(changed.Status == 400 || (await cloud.Login("demo", null)).Status == 201);
        Assert.Equal(id, await cloud.IdOf("users", "demo"));
    }

    [Theory]
    [InlineData("/volume/v3/{project}/volumes?sort_key=os-vol-host-attr:host", 400)]
    [InlineData("/volume/v3/{project}/volumes?sort=host:asc", 400)]
    [InlineData("/compute/v2.1/servers?sort_key=host", 400)]
    [InlineData("/network/v2.0/ports?sort_key=binding:host_id", 400)]
    [InlineData("/image/v2/images?sort_key=blob", 400)]
    [InlineData("/identity/v3/users?sort_key=password_hash", 403)]
    public async Task What_a_caller_may_not_see_orders_nothing_for_him(string target, int status)
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(status, (await cloud.Send("GET", target.Replace("{project}", await cloud.IdOf("projects", "demo"), StringComparison.Ordinal), user: "demo")).Status);
    }
}
