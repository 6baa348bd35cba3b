using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Image;

/// <summary>Images in several stores: on this machine, in objects, and in one that breaks when it is told to.</summary>
public sealed class MultiStoreTests
{
    private static readonly Settings Two = new() { ImageStores = new Dictionary<string, StoreSetting> { ["shelf"] = new() { Kind = "objects", Description = "Three copies of each" } } };

    private static Task<TestCloud> Start() => TestCloud.Start(settings: Two);

    private static async Task<JsonElement> Image(TestCloud cloud, string id) => (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body;

    private static async Task<string> Stores(TestCloud cloud, string id) => (await Image(cloud, id)).GetProperty("stores").GetString()!;

    private static Task<Answer> Import(TestCloud cloud, string id, object body, string user = "demo") => cloud.Send("POST", $"/image/v2/images/{id}/import", body, user);

    private static async Task<string> Staged(TestCloud cloud, byte[] data)
    {
        var id = (await cloud.Send("POST", "/image/v2/images", new { name = "i", disk_format = "raw", container_format = "bare" }, "demo")).Id("");
        using var stream = new MemoryStream(data);
        Assert.Equal(204, (await cloud.Stream("PUT", $"/image/v2/images/{id}/stage", await cloud.Token("demo"), stream, ("Content-Type", "application/octet-stream"))).Status);
        return id;
    }

    private static async Task<int> InObjects(TestCloud cloud)
    {
        await cloud.Drain();
        return cloud.Replicas[0].Blobs.Count;
    }

    private static async Task<string> LastTask(TestCloud cloud, string id) => (await cloud.Send("GET", $"/image/v2/images/{id}/tasks", user: "demo")).Body.GetProperty("tasks")[0].GetProperty("status").GetString()!;

    [Fact]
    public async Task Stores_are_told_and_how_they_are_made_is_the_administrators()
    {
        await using var cloud = await Start();
        var stores = (await cloud.Send("GET", "/image/v2/info/stores", user: "demo")).Body.GetProperty("stores");
        Assert.Equal(["file", "shelf"], stores.EnumerateArray().Select(s => s.GetProperty("id").GetString()));
        Assert.Equal(("true", false), (stores[0].GetProperty("default").GetString(), stores[1].TryGetProperty("default", out _)));
        Assert.Equal("swift", (await cloud.Send("GET", "/image/v2/info/stores/detail")).Body.GetProperty("stores")[1].GetProperty("type").GetString());
        var made = await cloud.Send("POST", "/image/v2/images", new { name = "x" }, "demo");
        Assert.Equal("file,shelf", made.Headers["OpenStack-image-store-ids"]);
    }

    [Fact]
    public async Task An_upload_goes_where_it_is_told_and_comes_back_from_there()
    {
        await using var cloud = await Start();
        var id = (await cloud.Send("POST", "/image/v2/images", new { name = "i", disk_format = "raw", container_format = "bare" }, "demo")).Id("");
        async Task<int> Put(string store)
        {
            using var data = new MemoryStream("0123456789"u8.ToArray());
            return (await cloud.Stream("PUT", $"/image/v2/images/{id}/file", await cloud.Token("demo"), data, ("Content-Type", "application/octet-stream"), ("X-Image-Meta-Store", store))).Status;
        }
        Assert.Equal(400, await Put("nowhere"));
        Assert.Equal(204, await Put("shelf"));
        Assert.Equal("shelf", await Stores(cloud, id));
        Assert.Empty(await cloud.Services.Blobs.List(default).ToListAsync());
        Assert.Equal(1, await InObjects(cloud));
        Assert.Equal("0123456789", (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Text);
        Assert.Equal("345", (await cloud.Send("GET", $"/image/v2/images/{id}/file", null, "demo", ("Range", "bytes=3-5"))).Text);
        Assert.Equal(204, (await cloud.Send("DELETE", "/image/v2/images/" + id, user: "demo")).Status);
        Assert.Equal(0, await InObjects(cloud));
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task An_import_fills_all_stores_and_copies_come_and_go()
    {
        await using var cloud = await Start();
        var id = await Staged(cloud, "hello"u8.ToArray());
        Assert.Equal(202, (await Import(cloud, id, new { method = new { name = "glance-direct" }, all_stores = true })).Status);
        Assert.Equal("file,shelf", (await Image(cloud, id)).GetProperty("os_glance_importing_to_stores").GetString());
        await cloud.Drain();
        Assert.Equal("file,shelf", await Stores(cloud, id));
        var demo = await cloud.IdOf("projects", "demo");
        Assert.Equal(10, (await Cloud.Image.Images.Quota.UsageOf(cloud.Store, demo))["image_bytes"]);

        Assert.Equal(403, (await cloud.Send("DELETE", "/image/v2/stores/file/" + id, user: "demo")).Status);
        Assert.Equal(404, (await cloud.Send("DELETE", "/image/v2/stores/nowhere/" + id)).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", "/image/v2/stores/file/" + id)).Status);
        Assert.Equal(404, (await cloud.Send("DELETE", "/image/v2/stores/file/" + id)).Status);
        Assert.Equal(403, (await cloud.Send("DELETE", "/image/v2/stores/shelf/" + id)).Status);
        Assert.Empty(await cloud.Services.Blobs.List(default).ToListAsync());
        Assert.Equal("hello", (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Text);

        Assert.Equal(403, (await Import(cloud, id, new { method = new { name = "copy-image" }, stores = new[] { "file" } })).Status);
        Assert.Equal(202, (await Import(cloud, id, new { method = new { name = "copy-image" }, stores = new[] { "file" } }, "admin")).Status);
        Assert.Equal("active", (await Image(cloud, id)).GetProperty("status").GetString());
        await cloud.Drain();
        Assert.Equal("file,shelf", await Stores(cloud, id));
        Assert.Equal(409, (await Import(cloud, id, new { method = new { name = "copy-image" }, stores = new[] { "file" } }, "admin")).Status);
        Assert.Equal(2, (await cloud.Send("GET", $"/image/v2/images/{id}/tasks", user: "demo")).Body.GetProperty("tasks").GetArrayLength());
        await cloud.Send("DELETE", "/image/v2/images/" + id, user: "demo");
        Assert.Equal((0, 0), (await InObjects(cloud), await cloud.Services.Blobs.List(default).CountAsync()));
        Assert.Empty(cloud.Errors);
    }

    [Theory]
    [InlineData(true, "uploading", "file,shelf", "failure")]
    [InlineData(false, "active", "shelf", "success")]
    public async Task A_store_that_is_away_fails_all_or_itself(bool must, string status, string failed, string task)
    {
        await using var cloud = await Start();
        foreach (var r in cloud.Replicas) r.Away = true;
        var id = await Staged(cloud, "hello"u8.ToArray());
        await Import(cloud, id, new { method = new { name = "glance-direct" }, stores = new[] { "file", "shelf" }, all_stores_must_succeed = must });
        await cloud.Drain();
        var image = await Image(cloud, id);
        Assert.Equal((status, failed, ""), (image.GetProperty("status").GetString(), image.GetProperty("os_glance_failed_import").GetString(), image.GetProperty("os_glance_importing_to_stores").GetString()));
        Assert.Equal(task, await LastTask(cloud, id));
        Assert.Equal(1, await cloud.Services.Blobs.List(default).CountAsync());
        foreach (var r in cloud.Replicas) r.Away = false;
        // What failed can be made good.
        await Import(cloud, id, new { method = new { name = must ? "glance-direct" : "copy-image" }, all_stores = true }, "admin");
        await cloud.Drain();
        Assert.Equal("file,shelf", await Stores(cloud, id));
        Assert.Equal("", (await Image(cloud, id)).GetProperty("os_glance_failed_import").GetString());
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Hosts_have_the_same_bytes_whatever_store_keeps_them()
    {
        await using var cloud = await Start();
        var id = await Staged(cloud, "hello"u8.ToArray());
        await Import(cloud, id, new { method = new { name = "glance-direct" }, stores = new[] { "shelf" } });
        await cloud.Drain();
        Assert.Empty(await cloud.Services.Blobs.List(default).ToListAsync());
        var key = await Cloud.Platform.Agents.HostKeys.Make(cloud.Store, "h1");
        var answer = await cloud.Raw("GET", "/image/v2/host-images/" + id, null, null, ("X-Host", "h1"), ("X-Host-Credential", key));
        Assert.Equal((200, "hello"), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task An_image_can_be_made_of_another_with_what_describes_its_disk()
    {
        await using var cloud = await Start();
        await cloud.AddUser("ann");
        var (from, _) = await cloud.Image("hello"u8.ToArray(), with: new { hw_cpu_cores = "5", speed = "88mph" });
        var body = new { method = new { name = "glance-download", glance_image_id = from, glance_region = "RegionOne" } };
        var own = (await cloud.Send("POST", "/image/v2/images", new { name = "o", disk_format = "iso", container_format = "ovf", hw_cpu_cores = "1" }, "demo")).Id("");
        var foreign = (await cloud.Send("POST", "/image/v2/images", new { name = "f", disk_format = "raw", container_format = "bare" }, "ann")).Id("");
        await Import(cloud, own, body);
        await Import(cloud, foreign, body, "ann");
        await cloud.Drain();
        var image = await Image(cloud, own);
        Assert.Equal(("raw", "5", false, 5), (image.GetProperty("disk_format").GetString(), image.GetProperty("hw_cpu_cores").GetString(), image.TryGetProperty("speed", out _), image.GetProperty("size").GetInt32()));
        Assert.Equal("queued", (await cloud.Send("GET", "/image/v2/images/" + foreign, user: "ann")).Body.GetProperty("status").GetString());
        Assert.Empty(cloud.Internet.Sent);
    }

    [Fact]
    public async Task A_task_makes_its_image_too()
    {
        await using var cloud = await Start();
        cloud.Internet.Name("good.example", "8.8.8.8");
        cloud.Internet.Server("8.8.8.8:80", FakeInternet.Ok("hello"));
        var input = new { import_from = "http://good.example/i", import_from_format = "raw", image_properties = new { name = "made" } };
        Assert.Equal(403, (await cloud.Send("POST", "/image/v2/tasks", new { type = "import", input }, "demo")).Status);
        var task = await cloud.Send("POST", "/image/v2/tasks", new { type = "import", input });
        Assert.Equal(201, task.Status);
        await cloud.Drain();
        var done = (await cloud.Send("GET", "/image/v2/tasks/" + task.Id(""))).Body;
        var id = done.GetProperty("result").GetProperty("image_id").GetString();
        Assert.Equal("hello", (await cloud.Send("GET", $"/image/v2/images/{id}/file")).Text);
    }

    [Fact]
    public async Task What_no_image_names_is_swept_in_every_store_after_a_day()
    {
        await using var cloud = await Start();
        var (kept, _) = await cloud.Image([1]);
        foreach (var store in cloud.Services.ImageStores)
            await store.Open(cloud.Services).Write($"{kept}.{cloud.Services.Ids.New()}", new MemoryStream([2]), 10, default);
        await cloud.Sweep();
        Assert.Equal((2, 1), (await cloud.Services.Blobs.List(default).CountAsync(), await InObjects(cloud)));
        cloud.Clock.Advance(TimeSpan.FromDays(1));
        await cloud.Sweep();
        Assert.Equal((1, 0), (await cloud.Services.Blobs.List(default).CountAsync(), await InObjects(cloud)));
    }
}
