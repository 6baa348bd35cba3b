using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// An administrator could ask for his own volume on another project's server, which was accepted and then failed unseen, but not for that project's: whose volume it must be was looked up by who asks, not by the server.
/// Found by tests/Model.
/// </summary>
public sealed class VolumeOfAnotherProjectTests
{
    [Fact]
    public async Task A_volume_goes_to_servers_of_its_own_project_whoever_asks()
    {
        await using var cloud = await TestCloud.Start();
        var image = (await cloud.Send("POST", "/image/v2/images", new { name = "i", disk_format = "raw", container_format = "bare", visibility = "public" })).Id("");
        await cloud.Send("PUT", $"/image/v2/images/{image}/file", "bytes", headers: ("Content-Type", "application/octet-stream"));
        var server = (await cloud.Send("POST", "/compute/v2.1/servers", new { server = new { name = "s", flavorRef = "1", imageRef = image, networks = "none" } }, "demo", ("OpenStack-API-Version", "compute 2.37"))).Id("server");
        async Task<string> Volume(string user) => (await cloud.Send("POST", $"/volume/v3/{await cloud.IdOf("projects", user)}/volumes", new { volume = new { size = 1 } }, user)).Id("volume");
        var (own, theirs) = (await Volume("admin"), await Volume("demo"));
        await cloud.Drain();

        Task<Answer> Attach(string volume) => cloud.Send("POST", $"/compute/v2.1/servers/{server}/os-volume_attachments", new { volumeAttachment = new { volumeId = volume } });
        Assert.Equal(404, (await Attach(own)).Status);
        Assert.Equal(200, (await Attach(theirs)).Status);
        await cloud.Drain();
        Assert.Equal("in-use", (await cloud.Send("GET", $"/volume/v3/{await cloud.IdOf("projects", "demo")}/volumes/{theirs}", user: "demo")).Body.GetProperty("volume").GetProperty("status").GetString());
        Assert.DoesNotContain((await World.Check(cloud)).Problems, p => p.What is not Wrong.Queue); // watchdogs are awake yet
    }
}
