using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

public sealed class IdentityTests
{
    [Fact]
    public async Task Revoked_tokens_and_disabled_users_are_refused()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var token = await cloud.Token("ann");
        Assert.Equal(200, (await cloud.Raw("GET", "/identity/v3/auth/projects", token, null)).Status);
        Assert.Equal(204, (await cloud.Raw("DELETE", "/identity/v3/auth/tokens", token, null, ("X-Subject-Token", token))).Status);
        Assert.Equal(401, (await cloud.Raw("GET", "/identity/v3/auth/projects", token, null)).Status);
    }

    [Fact]
    public async Task A_changed_token_is_worth_nothing()
    {
        await using var cloud = await TestCloud.Start();
        var token = await cloud.Token();
        Assert.True(token.Length < 255);
        for (var i = 0; i < token.Length; i += 7)
        {
            var forged = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.Equal(401, (await cloud.Raw("GET", "/identity/v3/users", forged, null)).Status);
        }
    }

    [Fact]
    public async Task A_member_sees_himself_and_nobody_else()
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(403, (await cloud.Send("GET", "/identity/v3/users", user: "demo")).Status);
        var users = (await cloud.Send("GET", "/identity/v3/users")).Body.GetProperty("users").EnumerateArray().ToDictionary(u => u.GetProperty("name").GetString()!, u => u.GetProperty("id").GetString()!);
        Assert.Equal(200, (await cloud.Send("GET", "/identity/v3/users/" + users["demo"], user: "demo")).Status);
        Assert.Equal(403, (await cloud.Send("GET", "/identity/v3/users/" + users["admin"], user: "demo")).Status);
        Assert.Equal(403, (await cloud.Send("GET", "/identity/v3/users/missing", user: "demo")).Status);
        Assert.DoesNotContain("argon2", (await cloud.Send("GET", "/identity/v3/users/" + users["demo"])).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("{\"user\":{}}", 400)]
    [InlineData("{\"user\":{\"name\":\"\"}}", 400)]
    [InlineData("{\"user\":{\"name\":\"x\",\"id\":\"y\"}}", 400)]
    [InlineData("{\"user\":{\"name\":\"x\",\"enabled\":\"yes\"}}", 400)]
    [InlineData("{\"user\":{\"name\":\"x\",\"links\":{}}}", 400)]
    [InlineData("{\"user\":{\"name\":\"demo\"}}", 409)]
    [InlineData("{\"user\":{\"name\":\"x\",\"domain_id\":\"none\"}}", 404)]
    public async Task Bad_bodies_are_refused_in_keystones_words(string body, int status)
    {
        await using var cloud = await TestCloud.Start();
        var answer = await cloud.Send("POST", "/identity/v3/users", body);
        Assert.Equal(status, answer.Status);
        Assert.Equal(status, answer.Body.GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal(2, (await cloud.Send("GET", "/identity/v3/users")).Body.GetProperty("users").GetArrayLength());
    }

    [Fact]
    public async Task Too_large_or_not_json_or_unknown_is_refused()
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(413, (await cloud.Send("POST", "/identity/v3/users", new string(' ', 200_000))).Status);
        Assert.Equal(415, (await cloud.Send("POST", "/identity/v3/users", "{}", "admin", ("Content-Type", "text/xml"))).Status);
        Assert.Equal(404, (await cloud.Send("GET", "/identity/v3/nothing")).Status);
        Assert.Equal(405, (await cloud.Send("PUT", "/identity/v3/users")).Status);
        Assert.Equal(401, (await cloud.Raw("GET", "/identity/v3/users", null, null)).Status);
        Assert.Equal(400, (await cloud.Send("POST", "/identity/v3/users", new string('[', 500))).Status);
        Assert.Empty(cloud.Errors);
    }
}
