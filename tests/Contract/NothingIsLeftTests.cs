using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>What is deleted takes along what nobody made by himself.</summary>
public sealed class NothingIsLeftTests
{
    [Fact]
    public async Task A_deleted_project_leaves_no_row_of_its_own()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("carol");
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: "carol")).Body.GetProperty("projects")[0].GetProperty("id").GetString()!;
        Assert.Equal(200, (await cloud.Send("GET", "/network/v2.0/security-groups", user: "carol")).Status); // makes the default group
        var volume = (await cloud.Send("POST", $"/volume/v3/{project}/volumes", new { volume = new { size = 1 } }, "carol")).Id("volume");
        await cloud.Drain();
        await cloud.Send("DELETE", $"/volume/v3/{project}/volumes/{volume}", user: "carol");
        await cloud.Drain();
        Assert.NotEmpty(Of(cloud, project));

        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/projects/" + project)).Status);
        await cloud.Drain();
        Assert.Empty(Of(cloud, project));
    }

    [Fact]
    public async Task A_deleted_network_takes_its_subnets_along_and_says_so()
    {
        await using var cloud = await TestCloud.Start();
        var network = (await cloud.Send("POST", "/network/v2.0/networks", new { network = new { name = "n" } })).Id("network");
        var subnet = (await cloud.Send("POST", "/network/v2.0/subnets", new { subnet = new { network_id = network, ip_version = 4, cidr = "10.1.0.0/24" } })).Id("subnet");
        await cloud.Drain();
        Assert.Equal(204, (await cloud.Send("DELETE", "/network/v2.0/networks/" + network)).Status);
        await cloud.Drain();
        Assert.DoesNotContain(cloud.Store.All, r => r.Partition is not "events" && !r.Partition.StartsWith("metering", StringComparison.Ordinal) && (r.Key.Contains(subnet, StringComparison.Ordinal) || r.Partition.Contains(subnet, StringComparison.Ordinal)));
        var events = (await cloud.Send("GET", "/events/v1/events?subject=" + subnet)).Body.EnumerateArray().Select(e => e.GetProperty("type").GetString());
        Assert.Equal(["cloud.serverless.network.subnet.created", "cloud.serverless.network.subnet.deleted"], events);
    }

    [Fact]
    public async Task A_deleted_user_takes_his_key_pairs_along()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("carol");
        var user = (await cloud.Send("GET", "/identity/v3/users?name=carol")).Body.GetProperty("users")[0].GetProperty("id").GetString()!;
        foreach (var name in (string[])["kept", "dropped"]) Assert.True((await cloud.Send("POST", "/compute/v2.1/os-keypairs", new { keypair = new { name } }, "carol")).Status < 300);
        await cloud.Send("DELETE", "/compute/v2.1/os-keypairs/dropped", user: "carol");
        Assert.NotEmpty(Of(cloud, user));
        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/users/" + user)).Status);
        await cloud.Drain();
        Assert.Empty(Of(cloud, user));
    }

    private static List<string> Of(TestCloud cloud, string owner) =>
        [.. cloud.Store.All.Where(r => r.Partition == owner || (r.Partition.StartsWith("index.", StringComparison.Ordinal) && System.Text.Encoding.UTF8.GetString(r.Body.Span) == owner)).Select(r => $"{r.Partition} {r.Key}")];
}
