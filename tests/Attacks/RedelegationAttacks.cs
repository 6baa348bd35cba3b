using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>Trusts that are handed on, and what their holders can try with them.</summary>
public sealed class RedelegationAttacks : IAsyncLifetime
{
    private const string Trusts = "/identity/v3/OS-TRUST/trusts";
    private TestCloud _cloud = null!;
    private string _project = "";
    private readonly Dictionary<string, string> _users = [];

    public async ValueTask InitializeAsync()
    {
        _cloud = await TestCloud.Start();
        foreach (var user in (string[])["ann", "bob", "eve"])
        {
            await _cloud.AddUser(user);
            _users[user] = await _cloud.IdOf("users", user);
        }
        _project = await _cloud.IdOf("projects", "ann");
    }

    public ValueTask DisposeAsync() => _cloud.DisposeAsync();

    private async Task<Answer> Lend(string token, string trustor, string trustee, Dictionary<string, object?>? more = null)
    {
        var trust = new Dictionary<string, object?> { ["trustor_user_id"] = _users[trustor], ["trustee_user_id"] = _users[trustee], ["project_id"] = _project, ["impersonation"] = true, ["roles"] = new[] { new { name = "reader" } }, ["allow_redelegation"] = true };
        foreach (var (key, value) in more ?? []) trust[key] = value;
        return await _cloud.Raw("POST", Trusts, token, JsonSerializer.Serialize(new { trust }));
    }

    private Task<Answer> Use(string user, Answer trust) => _cloud.Login(user, new Dictionary<string, object> { ["OS-TRUST:trust"] = new { id = trust.Id("trust") } });

    private async Task<(Answer First, Answer Second)> Chain()
    {
        var first = await Lend(await _cloud.Token("ann"), "ann", "bob");
        return (first, await Lend((await Use("bob", first)).Token(), "ann", "eve"));
    }

    [Fact]
    public async Task A_trust_is_handed_on_as_often_as_it_says()
    {
        var (first, second) = await Chain();
        Assert.Equal((3, 2), (first.Body.GetProperty("trust").GetProperty("redelegation_count").GetInt32(), second.Body.GetProperty("trust").GetProperty("redelegation_count").GetInt32()));
        Assert.Equal(first.Id("trust"), second.Body.GetProperty("trust").GetProperty("redelegated_trust_id").GetString());
        Assert.Equal(["reader"], (await Use("eve", second)).Roles());
        Assert.Equal(401, (await Use("bob", second)).Status);
        var last = await Lend((await Use("eve", second)).Token(), "ann", "bob", new() { ["allow_redelegation"] = false });
        Assert.Equal(0, last.Body.GetProperty("trust").GetProperty("redelegation_count").GetInt32());
        Assert.Equal(201, (await Use("bob", last)).Status);
        Assert.Equal(403, (await Lend((await Use("bob", last)).Token(), "ann", "eve")).Status);
    }

    [Theory]
    [InlineData("roles", """[{"name":"member"}]""", 403)]
    [InlineData("roles", """[{"name":"admin"}]""", 403)]
    [InlineData("expires_at", "\"2030-01-01T02:00:00Z\"", 403)]
    [InlineData("expires_at", "\"2030-01-01T00:30:00Z\"", 201)]
    [InlineData("remaining_uses", "5", 403)]
    [InlineData("redelegation_count", "3", 403)]
    [InlineData("redelegation_count", "2", 201)]
    [InlineData("impersonation", "true", 403)]
    [InlineData("project_id", "\"another\"", 403)]
    public async Task What_is_handed_on_is_never_more_than_what_was_lent(string field, string value, int status)
    {
        var first = await Lend(await _cloud.Token("ann"), "ann", "bob", new() { ["impersonation"] = false, ["expires_at"] = "2030-01-01T01:00:00Z" });
        var token = (await Use("bob", first)).Token();
        var more = new Dictionary<string, object?> { ["impersonation"] = false, [field] = JsonDocument.Parse(value).RootElement };
        Assert.Equal(status, (await Lend(token, "bob", "eve", more)).Status);
    }

    [Fact]
    public async Task A_role_that_the_first_of_a_chain_has_lost_is_not_regained_further_down()
    {
        var (first, second) = await Chain();
        var token = (await Use("eve", second)).Token();
        // Bob and eve may have the role by themselves: it isn't theirs that was lent.
        foreach (var user in (string[])["bob", "eve"]) await _cloud.Send("PUT", $"/identity/v3/projects/{_project}/users/{_users[user]}/roles/{await _cloud.IdOf("roles", "member")}");
        await _cloud.Send("DELETE", $"/identity/v3/projects/{_project}/users/{_users["ann"]}/roles/{await _cloud.IdOf("roles", "member")}");
        Assert.Equal(401, (await _cloud.Raw("GET", "/identity/v3/auth/projects", token, null)).Status);
        Assert.Equal(401, (await Use("eve", second)).Status);
        Assert.Equal(401, (await Use("bob", first)).Status);
    }

    [Fact]
    public async Task A_trust_that_has_lost_a_role_takes_with_it_what_was_handed_on_of_the_others()
    {
        var (member, reader) = (await _cloud.IdOf("roles", "member"), await _cloud.IdOf("roles", "reader"));
        await _cloud.Send("PUT", $"/identity/v3/projects/{_project}/users/{_users["ann"]}/roles/{reader}");
        var first = await Lend(await _cloud.Token("ann"), "ann", "bob", new() { ["roles"] = new[] { new { name = "member" } } });
        var second = await Lend((await Use("bob", first)).Token(), "ann", "eve");
        Assert.Equal(["reader"], (await Use("eve", second)).Roles());
        await _cloud.Send("DELETE", $"/identity/v3/projects/{_project}/users/{_users["ann"]}/roles/{member}");
        Assert.Equal(401, (await Use("eve", second)).Status);
    }

    [Theory]
    [InlineData("the trust above")]
    [InlineData("who handed it on")]
    [InlineData("who handed it on, for good")]
    public async Task A_chain_ends_below_what_is_gone(string gone)
    {
        var (first, second) = await Chain();
        var token = (await Use("eve", second)).Token();
        var done = gone switch
        {
            "the trust above" => await _cloud.Send("DELETE", $"{Trusts}/{first.Id("trust")}", user: "ann"),
            "who handed it on" => await _cloud.Send("PATCH", "/identity/v3/users/" + _users["bob"], new { user = new { enabled = false } }),
            _ => await _cloud.Send("DELETE", "/identity/v3/users/" + _users["bob"]),
        };
        Assert.InRange(done.Status, 200, 204);
        Assert.Equal(401, (await _cloud.Raw("GET", "/identity/v3/auth/projects", token, null)).Status);
        Assert.Equal(401, (await Use("eve", second)).Status);
        if (gone != "who handed it on") Assert.Equal(404, (await _cloud.Send("GET", $"{Trusts}/{second.Id("trust")}")).Status);
    }

    [Fact]
    public async Task Only_so_many_may_be_promised()
    {
        Assert.Equal(403, (await Lend(await _cloud.Token("ann"), "ann", "bob", new() { ["redelegation_count"] = 4 })).Status);
        Assert.Equal(400, (await Lend(await _cloud.Token("ann"), "ann", "bob", new() { ["remaining_uses"] = 1 })).Status);
        Assert.Equal(0, (await Lend(await _cloud.Token("ann"), "ann", "bob", new() { ["allow_redelegation"] = false, ["remaining_uses"] = 1 })).Body.GetProperty("trust").GetProperty("redelegation_count").GetInt32());
    }
}
