using System.Text;
using System.Text.Json;
using Cloud.Identity;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>One-time codes, and users who must prove themselves twice.</summary>
public sealed class SecondFactorTests
{
    // "12345678901234567890", the secret of RFC 6238's examples.
    private const string Secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    private static async Task<TestCloud> WithSecret(object? options = null)
    {
        var cloud = await TestCloud.Start();
        Assert.Equal(201, (await cloud.Send("POST", "/identity/v3/credentials", new { credential = new { type = "totp", blob = Secret } }, "demo")).Status);
        if (options is not null) Assert.Equal(200, (await cloud.Send("PATCH", "/identity/v3/users/" + await cloud.IdOf("users", "demo"), new { user = new { options } })).Status);
        return cloud;
    }

    private static object User(string name, string what) => new { user = new Dictionary<string, object> { ["name"] = "demo", ["domain"] = new { id = "default" }, [name] = what } };

    private static string Code(TestCloud cloud, int windows = 0) => Totp.Code(Encoding.ASCII.GetBytes("12345678901234567890"), cloud.Clock.GetUtcNow().ToUnixTimeSeconds() / 30 + windows);

    private static Task<Answer> WithCode(TestCloud cloud, string code, string? receipt = null) => Send(cloud, new { methods = new[] { "totp" }, totp = User("passcode", code) }, receipt);

    private static Task<Answer> WithPassword(TestCloud cloud, string? receipt = null) => Send(cloud, new { methods = new[] { "password" }, password = User("password", "demo-secret") }, receipt);

    private static Task<Answer> Send(TestCloud cloud, object identity, string? receipt) =>
        cloud.Raw("POST", "/identity/v3/auth/tokens", null, JsonSerializer.Serialize(new { auth = new { identity } }), receipt is null ? [] : [("Openstack-Auth-Receipt", receipt)]);

    [Theory]
    [InlineData(1, "287082")]
    [InlineData(37037036, "081804")]
    [InlineData(66666666, "279037")]
    public void Codes_are_those_of_the_standard(long window, string code) => Assert.Equal(code, Totp.Code(Totp.Decode(Secret)!, window));

    [Fact]
    public void What_is_not_base32_is_no_secret() => Assert.Equal((null, null), (Totp.Decode("not base32!"), Totp.Decode("")));

    [Fact]
    public async Task A_code_opens_once_and_not_for_long()
    {
        await using var cloud = await WithSecret();
        Assert.Equal(401, (await WithCode(cloud, Code(cloud, -2))).Status);
        Assert.Equal(401, (await WithCode(cloud, "000000")).Status);
        var (before, now) = (Code(cloud, -1), Code(cloud));
        Assert.Equal(201, (await WithCode(cloud, before)).Status);
        Assert.Equal(401, (await WithCode(cloud, before)).Status);
        Assert.Equal(201, (await WithCode(cloud, now)).Status);
        Assert.Equal(401, (await WithCode(cloud, now)).Status);
    }

    [Fact]
    public async Task Who_must_prove_himself_twice_gets_a_receipt_for_the_first_half()
    {
        await using var cloud = await WithSecret(new { multi_factor_auth_rules = new[] { new[] { "password", "totp" } } });
        var half = await WithPassword(cloud);
        Assert.Equal(401, half.Status);
        Assert.False(half.Headers.ContainsKey("X-Subject-Token"));
        Assert.Equal("""[["password","totp"]]""", half.Body.GetProperty("required_auth_methods").GetRawText());
        var receipt = half.Headers["Openstack-Auth-Receipt"];
        // It is no token, by itself or for another one.
        Assert.Equal(401, (await cloud.Raw("GET", "/identity/v3/auth/projects", receipt, null)).Status);
        Assert.Equal(404, (await cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = receipt } })).Status);
        Assert.Equal(401, (await WithPassword(cloud, receipt)).Status);
        Assert.Equal(401, (await WithCode(cloud, "000000", receipt)).Status);
        var whole = await WithCode(cloud, Code(cloud), receipt);
        Assert.Equal(201, whole.Status);
        Assert.Equal(["password", "totp"], whole.Body.GetProperty("token").GetProperty("methods").EnumerateArray().Select(m => m.GetString()));
        // Both at once, and the token that they gave once more.
        cloud.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(201, (await Send(cloud, new { methods = new[] { "password", "totp" }, password = User("password", "demo-secret"), totp = User("passcode", Code(cloud)) }, null)).Status);
        Assert.Equal(201, (await cloud.Authenticate(new { methods = new[] { "token" }, token = new { id = whole.Token() } })).Status);
    }

    [Fact]
    public async Task A_receipt_is_its_users_and_ends()
    {
        await using var cloud = await WithSecret(new { multi_factor_auth_rules = new[] { new[] { "password", "totp" } } });
        var receipt = (await WithPassword(cloud)).Headers["Openstack-Auth-Receipt"];
        var admin = await cloud.Raw("POST", "/identity/v3/auth/tokens", null, JsonSerializer.Serialize(new
        {
            auth = new { identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain = new { id = "default" }, password = "admin-secret" } } } },
        }), ("Openstack-Auth-Receipt", receipt));
        Assert.Equal(401, admin.Status);
        cloud.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(401, (await WithCode(cloud, Code(cloud), receipt)).Status);
    }

    [Theory]
    [InlineData("""{"multi_factor_auth_enabled":false,"multi_factor_auth_rules":[["password","totp"]]}""")]
    [InlineData("""{"multi_factor_auth_rules":[["password","totp"],["password"]]}""")]
    [InlineData("""{"multi_factor_auth_rules":[["unheard-of"]]}""")]
    [InlineData("""{"multi_factor_auth_rules":[]}""")]
    public async Task What_asks_for_nothing_more_stops_nobody(string options)
    {
        await using var cloud = await WithSecret(JsonSerializer.Deserialize<JsonElement>(options));
        Assert.Equal(201, (await WithPassword(cloud)).Status);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("[[]]")]
    [InlineData("[\"password\"]")]
    [InlineData("[[\"password\",\"password\"]]")]
    [InlineData("[[7]]")]
    public async Task Rules_are_lists_of_lists(string rules)
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(400, (await cloud.Send("PATCH", "/identity/v3/users/" + await cloud.IdOf("users", "demo"), $$"""{"user":{"options":{"multi_factor_auth_rules":{{rules}}} } }""")).Status);
    }
}
