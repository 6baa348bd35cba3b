using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>Another project's things by every way there is to name them: each is answered as if there were nothing.</summary>
public sealed class TenantAttacks
{
    private static readonly (string, string) Patch = ("Content-Type", "application/openstack-images-v2.1-json-patch");
    private const string Missing = "00000000-0000-4000-8000-000000000000";

    [Theory]
    [InlineData("GET", "/image/v2/images/{id}", null)]
    [InlineData("DELETE", "/image/v2/images/{id}", null)]
    [InlineData("PATCH", "/image/v2/images/{id}", "[]")]
    [InlineData("GET", "/image/v2/images/{id}/file", null)]
    [InlineData("PUT", "/image/v2/images/{id}/tags/x", null)]
    [InlineData("DELETE", "/image/v2/images/{id}/tags/x", null)]
    [InlineData("GET", "/image/v2/images/{id}/members", null)]
    [InlineData("POST", "/image/v2/images/{id}/members", "{\"member\":\"me\"}")]
    [InlineData("PUT", "/image/v2/images/{id}/members/me", "{\"status\":\"accepted\"}")]
    [InlineData("DELETE", "/image/v2/images/{id}/members/me", null)]
    [InlineData("POST", "/image/v2/images/{id}/actions/deactivate", null)]
    public async Task An_image_of_others_is_not_there(string method, string path, string? body)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (id, _) = await cloud.Image([1]);
        async Task<Answer> Do(string which) => await cloud.Raw(method, path.Replace("{id}", which, StringComparison.Ordinal), await cloud.Token("ann"), body, body?[0] == '[' ? [Patch] : []);
        var (theirs, missing) = (await Do(id), await Do(Missing));
        Assert.Equal(404, theirs.Status);
        Assert.Equal(missing.Text, theirs.Text.Replace(id, Missing, StringComparison.Ordinal));
        Assert.Equal(1, (await cloud.Send("GET", "/image/v2/images", user: "demo")).Body.GetProperty("images").GetArrayLength());
    }

    [Fact]
    public async Task Lists_show_nothing_of_others_whatever_is_asked()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (id, _) = await cloud.Image([1], with: new { tags = new[] { "t" } });
        var demo = await cloud.IdOf("projects", "demo");
        foreach (var query in new[] { $"owner={demo}", $"id=in:{id}", "tag=t", "visibility=all", "visibility=private", "visibility=shared&member_status=all", "all_tenants=1", "name=i", "os_hidden=false" })
            Assert.Equal((query, 0), (query, (await cloud.Send("GET", "/image/v2/images?" + query, user: "ann")).Body.GetProperty("images").GetArrayLength()));
        var (theirs, missing) = (await cloud.Send("GET", "/image/v2/images?marker=" + id, user: "ann"), await cloud.Send("GET", "/image/v2/images?marker=" + Missing, user: "ann"));
        Assert.Equal((400, missing.Text), (theirs.Status, theirs.Text.Replace(id, Missing, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Nothing_is_made_in_others_names()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (demo, user) = (await cloud.IdOf("projects", "demo"), await cloud.IdOf("users", "demo"));
        Assert.Equal(403, (await cloud.Send("POST", "/image/v2/images", new { name = "x", owner = demo }, "ann")).Status);
        Assert.Equal(403, (await cloud.Send("POST", $"/identity/v3/users/{user}/application_credentials", new { application_credential = new { name = "x" } }, "ann")).Status);
        Assert.Equal(403, (await cloud.Send("POST", "/identity/v3/credentials", new { credential = new { type = "totp", blob = "x", user_id = user } }, "ann")).Status);
        Assert.Equal(403, (await cloud.Send("POST", $"/identity/v3/users/{user}/credentials/OS-EC2", new { tenant_id = demo }, "ann")).Status);
        Assert.Equal(403, (await cloud.Send("POST", "/identity/v3/OS-TRUST/trusts", new { trust = new { trustor_user_id = user, trustee_user_id = user, impersonation = true } }, "ann")).Status);
        Assert.Equal(0, (await cloud.Send("GET", "/image/v2/images", user: "demo")).Body.GetProperty("images").GetArrayLength());
    }

    [Theory]
    [InlineData("status", "active")]
    [InlineData("checksum", "x")]
    [InlineData("size", 1)]
    [InlineData("os_hash_value", "x")]
    [InlineData("created_at", "2020-01-01T00:00:00Z")]
    [InlineData("virtual_size", 1)]
    [InlineData("owner", "someone")]
    [InlineData("locations", "x")]
    [InlineData("self", "x")]
    public async Task An_images_facts_are_not_for_clients_to_say(string field, object value)
    {
        await using var cloud = await TestCloud.Start();
        Assert.InRange((await cloud.Send("POST", "/image/v2/images", new Dictionary<string, object> { ["name"] = "x", [field] = value }, "demo")).Status, 400, 403);
        Assert.Equal(0, (await cloud.Send("GET", "/image/v2/images", user: "demo")).Body.GetProperty("images").GetArrayLength());
    }

    [Fact]
    public async Task People_are_answered_alike_whether_they_exist_or_not()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        foreach (var (kind, name) in new[] { ("users", "demo"), ("projects", "demo"), ("domains", "Default"), ("groups", "g") })
        {
            if (kind == "groups") await cloud.Make("groups", "group", new { name = "g" });
            var id = await cloud.IdOf(kind, name);
            foreach (var method in new[] { "GET", "DELETE" })
            {
                var (theirs, missing) = (await cloud.Send(method, $"/identity/v3/{kind}/{id}", user: "ann"), await cloud.Send(method, $"/identity/v3/{kind}/{Missing}", user: "ann"));
                if (kind == "domains" && method == "GET") Assert.Equal(200, theirs.Status); // her own
                else Assert.Equal((method, kind, missing.Status, missing.Text), (method, kind, theirs.Status, theirs.Text.Replace(id, Missing, StringComparison.Ordinal)));
            }
        }
    }
}
