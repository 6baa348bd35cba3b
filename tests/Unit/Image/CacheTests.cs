using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Image;

/// <summary>Glance's cache API: hosts hold an image before anybody boots from it.</summary>
public sealed class CacheTests
{
    private const string Cache = "/image/v2/cache";

    [Fact]
    public async Task What_is_queued_is_brought_to_every_host_and_taken_away_again()
    {
        await using var cloud = await TestCloud.Start();
        var image = (await cloud.Image([1, 2, 3])).Id;
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(202, (await cloud.Send("PUT", $"{Cache}/{image}")).Status);
            Assert.Equal(image, Assert.Single((await List(cloud, "queued_images")).EnumerateArray()).GetString());
            await cloud.Drain();
            var cached = Assert.Single((await List(cloud, "cached_images")).EnumerateArray());
            Assert.Equal((image, 3), (cached.GetProperty("image_id").GetString(), cached.GetProperty("size").GetInt32()));
            Assert.All(cloud.Hosts, h => Assert.Contains($"image/{image}", h.World.Keys));
            Assert.Equal(202, (await cloud.Send("PUT", $"{Cache}/{image}")).Status); // there is nothing left to do
            Assert.Equal(204, (await cloud.Send("DELETE", $"{Cache}/{image}")).Status);
            await cloud.Drain();
            await Gone(cloud, image);
            cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(404, (await cloud.Send("DELETE", $"{Cache}/{image}")).Status);
    }

    [Theory]
    [InlineData("cache", 1, 0)]
    [InlineData("queue", 0, 1)]
    [InlineData("", 0, 0)]
    public async Task Clearing_takes_what_is_named(string target, int queued, int cached)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.Send("PUT", $"{Cache}/{(await cloud.Image([1])).Id}");
        await cloud.Drain();
        await cloud.Send("PUT", $"{Cache}/{(await cloud.Image([2])).Id}");
        Assert.Equal(400, (await cloud.Send("DELETE", Cache, headers: ("x-image-cache-clear-target", "invalid"))).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", Cache, headers: ("x-image-cache-clear-target", target))).Status);
        Assert.Equal((queued, cached), ((await List(cloud, "queued_images")).GetArrayLength(), (await List(cloud, "cached_images")).GetArrayLength()));
    }

    [Fact]
    public async Task What_nobody_could_boot_from_is_refused()
    {
        await using var cloud = await TestCloud.Start();
        var waiting = (await cloud.Send("POST", "/image/v2/images", new { disk_format = "raw", container_format = "bare" })).Id("");
        Assert.Equal((404, 400), ((await cloud.Send("PUT", $"{Cache}/none")).Status, (await cloud.Send("PUT", $"{Cache}/{waiting}")).Status));
        Assert.Equal((403, 403), ((await cloud.Send("PUT", $"{Cache}/{waiting}", user: "demo")).Status, (await cloud.Send("GET", Cache, user: "demo")).Status));
    }

    [Fact]
    public async Task It_goes_with_its_image()
    {
        await using var cloud = await TestCloud.Start();
        var image = (await cloud.Image([1, 2, 3])).Id;
        await cloud.Send("PUT", $"{Cache}/{image}");
        await cloud.Drain();
        Assert.Equal(204, (await cloud.Send("DELETE", $"/image/v2/images/{image}")).Status);
        await cloud.Drain();
        await Gone(cloud, image);
    }

    [Fact]
    public async Task What_its_image_left_behind_is_swept()
    {
        await using var cloud = await TestCloud.Start();
        var image = (await cloud.Image([1, 2, 3])).Id;
        await cloud.Send("PUT", $"{Cache}/{image}");
        await cloud.Send("DELETE", $"/image/v2/images/{image}"); // while hosts fetch it
        await cloud.Drain();
        Assert.All(cloud.Hosts, h => Assert.DoesNotContain($"image/{image}", h.World.Keys));
        await cloud.Sweep();
        await Gone(cloud, image);
        Assert.Empty(await Cloud.Image.Cache.Rows.Everywhere(cloud.Store));
    }

    private static async Task Gone(TestCloud cloud, string image)
    {
        Assert.Equal((0, 0), ((await List(cloud, "queued_images")).GetArrayLength(), (await List(cloud, "cached_images")).GetArrayLength()));
        Assert.All(cloud.Hosts, h => Assert.DoesNotContain($"image/{image}", h.World.Keys));
    }

    private static async Task<JsonElement> List(TestCloud cloud, string which) => (await cloud.Send("GET", Cache)).Body.GetProperty(which);
}
