using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>What unmodified clients do that no reference mentions; each was found by one that failed.</summary>
public sealed class ClientHabitsTests
{
    [Fact]
    public async Task A_member_finds_a_volume_by_name_among_all_projects_and_sees_only_his_own()
    {
        await using var cloud = await TestCloud.Start();
        await Make(cloud, "admin", "theirs");
        await Make(cloud, "demo", "notes");
        var found = await cloud.Send("GET", $"/volume/v3/{await Project(cloud, "demo")}/volumes/detail?all_tenants=1&name=notes", user: "demo");
        Assert.Equal("notes", Assert.Single(found.Body.GetProperty("volumes").EnumerateArray()).GetProperty("name").GetString());
        var all = await cloud.Send("GET", $"/volume/v3/{await Project(cloud, "demo")}/volumes/detail?all_tenants=1", user: "demo");
        Assert.Single(all.Body.GetProperty("volumes").EnumerateArray());
    }

    private static async Task Make(TestCloud cloud, string user, string name) =>
        Assert.Equal(202, (await cloud.Send("POST", $"/volume/v3/{await Project(cloud, user)}/volumes", new { volume = new { name, size = 1 } }, user)).Status);

    private static async Task<string> Project(TestCloud cloud, string user) =>
        (await cloud.Send("GET", "/identity/v3/auth/projects", user: user)).Body.GetProperty("projects")[0].GetProperty("id").GetString()!;
}
