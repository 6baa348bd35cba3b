using System.Text;
using Cloud.Tests.Kit;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>What can be tried with the words of identity providers.</summary>
public sealed class FederationAttacks : IAsyncLifetime
{
    private readonly OpenIdProvider _corp = new("http://corp.example"), _other = new("http://other.example"), _thief = new("http://corp.example");
    private TestCloud _origin = null!, _cloud = null!;

    private DateTimeOffset Now => _cloud.Clock.GetUtcNow();

    public async ValueTask InitializeAsync()
    {
        _origin = await TestCloud.Start();
        _cloud = _origin.Knowing(_corp, _other);
        await _cloud.Federate("corp", _corp.Issuer);
        await _cloud.Federate("other", _other.Issuer);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var provider in (OpenIdProvider[])[_corp, _other, _thief]) provider.Dispose();
        await _cloud.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Theory]
    [InlineData("genuine", 201)]
    [InlineData("another issuer", 401)]
    [InlineData("an issuer of nobody", 401)]
    [InlineData("wrong audience", 401)]
    [InlineData("no audience", 401)]
    [InlineData("expired", 401)]
    [InlineData("not yet valid", 401)]
    [InlineData("endless", 401)]
    [InlineData("alg none", 401)]
    [InlineData("HS256 with the public key", 401)]
    [InlineData("another's key", 401)]
    [InlineData("another subject put in", 401)]
    [InlineData("no subject", 401)]
    [InlineData("rubbish", 401)]
    [InlineData("nothing", 401)]
    public async Task Only_what_its_provider_signed_for_this_cloud_and_for_now_counts(string what, int status)
    {
        var token = what switch
        {
            "another issuer" => _other.Token(Now, "ann"),
            "an issuer of nobody" => _corp.Token(Now, "ann", ("iss", "http://evil.example")),
            "wrong audience" => _corp.Token(Now, "ann", ("aud", "elsewhere")),
            "no audience" => _corp.Token(Now, "ann", ("aud", Array.Empty<string>())),
            "expired" => _corp.Token(Now.AddHours(-2), "ann"),
            "not yet valid" => _corp.Token(Now, "ann", ("nbf", Now.AddHours(1).ToUnixTimeSeconds())),
            "endless" => _corp.Token(Now, "ann", ("exp", "never")),
            "alg none" => OpenIdProvider.Sign(_corp.Claims(Now, "ann"), null),
            "HS256 with the public key" => OpenIdProvider.Sign(_corp.Claims(Now, "ann"), new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(_corp.PublicKey)) { KeyId = "k1" }, "HS256")),
            "another's key" => _thief.Token(Now, "ann"),
            "another subject put in" => _corp.Token(Now, "ann").Split('.') is [var head, _, var signature] ? $"{head}.{Base64UrlEncoder.Encode(_corp.Claims(Now, "bob"))}.{signature}" : "",
            "no subject" => _corp.Token(Now, "ann", ("sub", Array.Empty<string>())),
            "rubbish" => "a.b.c",
            "nothing" => "",
            _ => _corp.Token(Now, "ann"),
        };
        var answer = await _cloud.Federated("corp", token);
        Assert.Equal(status, answer.Status);
        if (status == 401) Assert.Equal((await _cloud.Federated("missing", "x")).Text, answer.Text);
    }

    [Fact]
    public async Task The_same_name_from_two_providers_is_two_people()
    {
        var (one, two) = (await _cloud.Federated("corp", _corp.Token(Now, "ann")), await _cloud.Federated("other", _other.Token(Now, "ann")));
        string Id(Answer login) => login.Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString()!;
        Assert.NotEqual(Id(one), Id(two));
        await _cloud.Send("PUT", "/identity/v3/OS-FEDERATION/identity_providers/corp/protocols/second", new { protocol = new { mapping_id = "corp-map" } });
        Assert.NotEqual(Id(one), Id(await _cloud.Federated("corp", _corp.Token(Now, "ann"), "second")));
    }

    [Fact]
    public async Task A_provider_that_comes_back_under_an_old_name_inherits_nobody()
    {
        var project = await _cloud.IdOf("projects", "demo");
        var group = await _cloud.Team("dev", project);
        var login = await _cloud.Federated("corp", _corp.Token(Now, "ann", ("groups", "dev")));
        var ann = login.Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString()!;
        await _cloud.Send("PUT", $"/identity/v3/projects/{project}/users/{ann}/roles/{await _cloud.IdOf("roles", "member")}");
        var made = await _cloud.Raw("POST", $"/identity/v3/users/{ann}/application_credentials", (await _cloud.Scope(login, project)).Token(), """{"application_credential":{"name":"ci"}}""");
        await _cloud.Send("DELETE", "/identity/v3/OS-FEDERATION/identity_providers/corp");
        Assert.Equal(401, (await _cloud.Raw("GET", "/identity/v3/auth/projects", login.Token(), null)).Status);
        Assert.Equal(401, (await _cloud.Authenticate(made)).Status);
        Assert.Equal(0, (await _cloud.Send("GET", $"/identity/v3/groups/{group}/users")).Body.GetProperty("users").GetArrayLength());
        await _cloud.Send("DELETE", "/identity/v3/OS-FEDERATION/identity_providers/other");
        await _cloud.Federate("corp", _other.Issuer);
        var again = await _cloud.Federated("corp", _other.Token(Now, "ann"));
        Assert.Equal(201, again.Status);
        Assert.NotEqual(ann, again.Body.GetProperty("token").GetProperty("user").GetProperty("id").GetString());
        Assert.Equal(401, (await _cloud.Raw("GET", "/identity/v3/auth/projects", login.Token(), null)).Status);
    }

    [Theory]
    [InlineData("provider")]
    [InlineData("protocol")]
    [InlineData("domain")]
    public async Task What_vouches_no_more_is_felt_everywhere_within_ten_seconds(string what)
    {
        var project = await _cloud.IdOf("projects", "demo");
        await _cloud.Team("dev", project);
        var login = await _cloud.Federated("corp", _corp.Token(Now, "ann", ("groups", "dev")));
        var scoped = (await _cloud.Scope(login, project)).Token();
        var ann = login.Body.GetProperty("token").GetProperty("user");
        var made = await _cloud.Raw("POST", $"/identity/v3/users/{ann.GetProperty("id").GetString()}/application_credentials", scoped, """{"application_credential":{"name":"ci"}}""");
        Assert.Equal(201, (await _cloud.Authenticate(made)).Status);
        var elsewhere = Composition.Services(_cloud.Store, _cloud.Bus, _cloud.Services.Blobs, _cloud.Clock, _cloud.Services.Ids, _cloud.Services.Settings);
        Assert.NotNull(await elsewhere.Tokens.Verify(scoped, default));
        var done = what switch
        {
            "provider" => await _cloud.Send("PATCH", "/identity/v3/OS-FEDERATION/identity_providers/corp", new { identity_provider = new { enabled = false } }),
            "protocol" => await _cloud.Send("DELETE", "/identity/v3/OS-FEDERATION/identity_providers/corp/protocols/openid"),
            _ => await _cloud.Send("PATCH", "/identity/v3/domains/" + ann.GetProperty("domain").GetProperty("id").GetString(), new { domain = new { enabled = false } }),
        };
        Assert.InRange(done.Status, 200, 204);
        foreach (var token in (string[])[scoped, login.Token()]) Assert.Equal(401, (await _cloud.Raw("GET", "/identity/v3/auth/projects", token, null)).Status);
        Assert.Equal(401, (await _cloud.Authenticate(made)).Status);
        Assert.Equal(401, (await _cloud.Federated("corp", _corp.Token(Now, "ann"))).Status);
        _cloud.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(await elsewhere.Tokens.Verify(scoped, default));
    }

    [Fact]
    public async Task A_local_user_who_came_by_a_provider_stays_no_longer_than_it()
    {
        await _cloud.Send("PATCH", "/identity/v3/OS-FEDERATION/mappings/corp-map", """{"mapping":{"rules":[{"local":[{"user":{"name":"{0}","type":"local","domain":{"id":"default"}}}],"remote":[{"type":"sub"}]}]}}""");
        var scoped = await _cloud.Scope(await _cloud.Federated("corp", _corp.Token(Now, "demo")), await _cloud.IdOf("projects", "demo"));
        Assert.Equal(200, (await _cloud.Raw("GET", "/compute/v2.1/servers", scoped.Token(), null)).Status);
        await _cloud.Send("PATCH", "/identity/v3/OS-FEDERATION/identity_providers/corp", new { identity_provider = new { enabled = false } });
        Assert.Equal(401, (await _cloud.Raw("GET", "/compute/v2.1/servers", scoped.Token(), null)).Status);
        Assert.Equal(201, (await _cloud.Login("demo", null)).Status);
    }

    [Fact]
    public async Task Only_the_clouds_administrator_says_what_a_providers_words_mean()
    {
        var domain = await _cloud.Make("domains", "domain", new { name = "acme" });
        var boss = await _cloud.Make("users", "user", new { name = "boss", password = "boss-secret", domain_id = domain });
        await _cloud.Send("PUT", $"/identity/v3/domains/{domain}/users/{boss}/roles/{await _cloud.IdOf("roles", "admin")}");
        var token = (await _cloud.Login("boss", new { domain = new { id = domain } }, domain: domain)).Token();
        const string federation = "/identity/v3/OS-FEDERATION/", rules = """{"mapping":{"rules":[{"local":[{"user":{"name":"admin","type":"local","domain":{"id":"default"}}}],"remote":[{"type":"sub"}]}]}}""";
        foreach (var user in (string[])[token, await _cloud.Token("demo")])
        {
            Assert.Equal(403, (await _cloud.Raw("PUT", federation + "mappings/mine", user, rules)).Status);
            Assert.Equal(403, (await _cloud.Raw("PATCH", federation + "mappings/corp-map", user, rules)).Status);
            Assert.Equal(403, (await _cloud.Raw("PUT", federation + "identity_providers/mine", user, """{"identity_provider":{"enabled":true}}""")).Status);
            Assert.Equal(403, (await _cloud.Raw("PATCH", federation + "identity_providers/corp/protocols/openid", user, """{"protocol":{"mapping_id":"other-map"}}""")).Status);
        }
        // Nor does he catch the people of a provider in his own domain.
        var body = """{"user":{"name":"trap","domain_id":"DOMAIN","federated":[{"idp_id":"corp","protocols":[{"protocol_id":"openid","unique_id":"ann"}]}]}}""".Replace("DOMAIN", domain, StringComparison.Ordinal);
        Assert.Equal(400, (await _cloud.Raw("POST", "/identity/v3/users", token, body)).Status);
    }

    [Fact]
    public async Task A_text_that_somebody_chose_is_one_value_whatever_is_in_it()
    {
        var project = await _cloud.IdOf("projects", "demo");
        await _cloud.Team("admins", project, "admin");
        var login = await _cloud.Federated("corp", _corp.Token(Now, "ann", ("groups", "x;admins")));
        Assert.Equal(201, login.Status);
        Assert.Equal(401, (await _cloud.Scope(login, project)).Status);
    }

    [Fact]
    public async Task Unknown_keys_make_nobody_ask_the_provider_all_the_time()
    {
        await _cloud.Federated("corp", _corp.Token(Now, "ann"));
        var asked = _cloud.Internet.Sent.Count;
        using var rotated = new OpenIdProvider(_corp.Issuer, "k2");
        for (var i = 0; i < 5; i++) Assert.Equal(401, (await _cloud.Federated("corp", rotated.Token(Now, "ann"))).Status);
        Assert.Equal(asked, _cloud.Internet.Sent.Count);
        _cloud.Clock.Advance(TimeSpan.FromSeconds(31));
        await _cloud.Federated("corp", rotated.Token(Now, "ann"));
        Assert.Equal(asked + 2, _cloud.Internet.Sent.Count);
    }
}
