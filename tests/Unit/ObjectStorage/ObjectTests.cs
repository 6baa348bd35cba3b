using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class ObjectTests
{
    private static async Task<(TestCloud Cloud, string Account)> Start()
    {
        var cloud = await TestCloud.Start();
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: "demo")).Body.GetProperty("projects")[0].GetProperty("id").GetString();
        return (cloud, "/object-store/v1/AUTH_" + project);
    }

    [Fact]
    public async Task What_is_put_is_listed_read_counted_and_gone_after_the_delete()
    {
        var (cloud, account) = await Start();
        await using var _ = cloud;
        Assert.Equal(201, (await cloud.Send("PUT", account + "/c", user: "demo")).Status);
        foreach (var name in new[] { "b", "a/2", "a/1", "a.x", "a//z/" }) Assert.Equal(201, (await cloud.Send("PUT", $"{account}/c/{name}", "hello", "demo", ("Content-Length", "5"))).Status);
        Assert.Equal("a.x\na//z/\na/1\na/2\nb\n", (await cloud.Send("GET", account + "/c", user: "demo")).Text);
        Assert.Equal("a.x\na/\nb\n", (await cloud.Send("GET", account + "/c?delimiter=/", user: "demo")).Text);
        Assert.Equal("b\na/\na.x\n", (await cloud.Send("GET", account + "/c?delimiter=/&reverse=on", user: "demo")).Text);
        Assert.Equal("hello", (await cloud.Send("GET", account + "/c/a//z/", user: "demo")).Text);
        Assert.Equal("ell", (await cloud.Send("GET", account + "/c/b", user: "demo", headers: ("Range", "bytes=1-3"))).Text);
        var head = await cloud.Send("HEAD", account + "/c", user: "demo");
        Assert.Equal(("5", "25"), (head.Headers["X-Container-Object-Count"], head.Headers["X-Container-Bytes-Used"]));
        Assert.Equal(409, (await cloud.Send("DELETE", account + "/c", user: "demo")).Status);
        foreach (var name in new[] { "b", "a/2", "a/1", "a.x", "a//z/" }) Assert.Equal(204, (await cloud.Send("DELETE", $"{account}/c/{name}", user: "demo")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", account + "/c", user: "demo")).Status);
        await cloud.Drain();
        Assert.All(cloud.Replicas, r => Assert.Empty(r.Blobs));
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Strangers_read_what_the_list_lets_them_and_nothing_else()
    {
        var (cloud, account) = await Start();
        await using var _ = cloud;
        await cloud.Send("PUT", account + "/c", user: "demo");
        await cloud.Send("PUT", account + "/c/o", "x", "demo", ("Content-Length", "1"));
        Assert.Equal(401, (await cloud.Raw("GET", account + "/c/o", null, null)).Status);
        Assert.Equal(204, (await cloud.Send("POST", account + "/c", null, "demo", ("X-Container-Read", ".r:*"))).Status);
        Assert.Equal("x", (await cloud.Raw("GET", account + "/c/o", null, null)).Text);
        Assert.Equal(401, (await cloud.Raw("GET", account + "/c", null, null)).Status);
        Assert.Equal(401, (await cloud.Raw("DELETE", account + "/c/o", null, null)).Status);
    }

    [Fact]
    public async Task A_spoilt_and_a_lost_copy_are_read_around_and_mended()
    {
        var (cloud, account) = await Start();
        await using var _ = cloud;
        await cloud.Send("PUT", account + "/c", user: "demo");
        await cloud.Send("PUT", account + "/c/o", "hello", "demo", ("Content-Length", "5"));
        cloud.Replicas[0].Blobs.Clear();
        cloud.Replicas[1].Blobs.Single().Value[0] ^= 1;
        Assert.Equal("hello", (await cloud.Send("GET", account + "/c/o", user: "demo")).Text);
        await Cloud.Triggers.All(cloud.Services.Slices).OfType<Cloud.Platform.Hosting.TimerTrigger>().Single(t => t.Name == "timer-object-store-audit").Run(cloud.Services, default);
        Assert.All(cloud.Replicas, r => Assert.Equal(cloud.Replicas[2].Blobs.Single().Value, r.Blobs.Single().Value));
        Assert.Equal((1, 1, 2), (cloud.Services.Objects.Health.Missing, cloud.Services.Objects.Health.Corrupt, cloud.Services.Objects.Health.CopiesRepaired));
    }
}
