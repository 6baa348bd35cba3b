using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>Whether a thing is there is told to who may not see it only where the operator wants Keystone's and Glance's very answers.</summary>
public sealed class DisclosureTests
{
    private const string None = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("DELETE", "groups/{group}")]
    [InlineData("PATCH", "domains/{domain}")]
    [InlineData("GET", "users/{eve}/credentials/OS-EC2/{access}")]
    [InlineData("DELETE", "users/{eve}/credentials/OS-EC2/{access}")]
    public async Task What_is_not_there_is_404_only_if_the_operator_says_so(string method, string path)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve", "member");
        await cloud.AddUser("ann", "member");
        var eve = await cloud.IdOf("users", "eve");
        var there = new Dictionary<string, string>
        {
            ["eve"] = eve, ["group"] = await cloud.Make("groups", "group", new { name = "friends" }), ["domain"] = await cloud.Make("domains", "domain", new { name = "far" }),
            ["access"] = (await cloud.Send("POST", $"/identity/v3/users/{eve}/credentials/OS-EC2", new { tenant_id = await cloud.IdOf("projects", "eve") }, "eve")).Body.GetProperty("credential").GetProperty("access").GetString()!,
        };

        await using var told = cloud.Copy(settings: cloud.Services.Settings with { TellsWhatExists = true });
        Assert.Equal((403, 403), (await Status(cloud, there), await Status(cloud, new() { ["eve"] = eve })));
        Assert.Equal((403, 404), (await Status(told, there), await Status(told, new() { ["eve"] = eve })));

        async Task<int> Status(TestCloud asked, Dictionary<string, string> ids)
        {
            var target = System.Text.RegularExpressions.Regex.Replace(path, "{(.*?)}", m => ids.GetValueOrDefault(m.Groups[1].Value, None));
            return (await asked.Raw(method, "/identity/v3/" + target, await asked.Token("ann"), method == "PATCH" ? """{"domain":{"description":"mine"}}""" : null)).Status;
        }
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("DELETE")]
    public async Task Anothers_credential_below_ones_own_name_is_403_only_if_the_operator_says_so(string method)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve", "member");
        await cloud.AddUser("ann", "member");
        var (root, body) = ($"/identity/v3/users/{await cloud.IdOf("users", "ann")}/application_credentials/", new { application_credential = new { name = "ci" } });
        var credential = (await cloud.Send("POST", $"/identity/v3/users/{await cloud.IdOf("users", "eve")}/application_credentials", body, "eve")).Id("application_credential");
        await using var told = cloud.Copy(settings: cloud.Services.Settings with { TellsWhatExists = true });
        Assert.Equal((404, 404), ((await cloud.Send(method, root + credential, null, "ann")).Status, (await cloud.Send(method, root + None, null, "ann")).Status));
        Assert.Equal((403, 404), ((await told.Send(method, root + credential, null, "ann")).Status, (await told.Send(method, root + None, null, "ann")).Status));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_others_private_namespaces_describe_is_named_only_if_the_operator_says_so(bool tells)
    {
        await using var plain = await TestCloud.Start();
        await using var cloud = plain.Copy(settings: plain.Services.Settings with { TellsWhatExists = tells });
        await cloud.AddUser("ann", "member");
        Assert.Equal(201, (await cloud.Send("POST", "/image/v2/metadefs/namespaces", new { @namespace = "secret", visibility = "private", resource_type_associations = new[] { new { name = "My::Thing" } } })).Status);
        Assert.Equal(tells, (await cloud.Send("GET", "/image/v2/metadefs/resource_types", null, "ann")).Text.Contains("My::Thing", StringComparison.Ordinal));
    }
}
