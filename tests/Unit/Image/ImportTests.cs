using System.Text;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Image;

/// <summary>Data that is staged first, or fetched from elsewhere.</summary>
public sealed class ImportTests
{
    private static async Task<string> New(TestCloud cloud, object? with = null) =>
        (await cloud.Send("POST", "/image/v2/images", with ?? new { name = "i", disk_format = "raw", container_format = "bare" }, "demo")).Id("");

    private static async Task<Answer> Stage(TestCloud cloud, string id, byte[] data)
    {
        using var stream = new MemoryStream(data);
        return await cloud.Stream("PUT", $"/image/v2/images/{id}/stage", await cloud.Token("demo"), stream, ("Content-Type", "application/octet-stream"));
    }

    private static Task<Answer> Import(TestCloud cloud, string id, string? uri = null) =>
        cloud.Send("POST", $"/image/v2/images/{id}/import", uri is null ? """{"method":{"name":"glance-direct"}}""" : $$$"""{"method":{"name":"web-download","uri":"{{{uri}}}"}}""", "demo");

    private static async Task<string> Status(TestCloud cloud, string id) => (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body.GetProperty("status").GetString()!;

    private static async Task<(string Status, string Message)> Task(TestCloud cloud, string id)
    {
        var task = Assert.Single((await cloud.Send("GET", $"/image/v2/images/{id}/tasks", user: "demo")).Body.GetProperty("tasks").EnumerateArray());
        return (task.GetProperty("status").GetString()!, task.GetProperty("message").GetString()!);
    }

    private static async Task<int> Blobs(TestCloud cloud) => await cloud.Services.Blobs.List(default).CountAsync();

    [Fact]
    public async Task What_is_staged_is_the_images_once_it_is_imported()
    {
        await using var cloud = await TestCloud.Start();
        var id = await New(cloud);
        Assert.Equal(409, (await Import(cloud, id)).Status);
        Assert.Equal(204, (await Stage(cloud, id, Encoding.ASCII.GetBytes("0123456789"))).Status);
        Assert.Equal("uploading", await Status(cloud, id));
        Assert.Equal(204, (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Status);
        Assert.Equal(409, (await Stage(cloud, id, [1])).Status);
        var asked = await Import(cloud, id);
        Assert.Equal((202, "importing"), (asked.Status, await Status(cloud, id)));
        Assert.Equal(409, (await Import(cloud, id)).Status);
        await cloud.Drain();
        var image = (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body;
        Assert.Equal(("active", 10, "file", "781e5e245d69b566979b86e28d23f2c7"), (image.GetProperty("status").GetString(), image.GetProperty("size").GetInt32(), image.GetProperty("stores").GetString(), image.GetProperty("checksum").GetString()));
        Assert.Equal("0123456789", (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Text);
        var task = (await cloud.Send("GET", $"/image/v2/images/{id}/tasks", user: "demo")).Body.GetProperty("tasks")[0];
        Assert.Equal(("success", asked.Headers["X-Openstack-Request-Id"], "glance-direct"),
            (task.GetProperty("status").GetString(), task.GetProperty("request_id").GetString(), task.GetProperty("input").GetProperty("import_req").GetProperty("method").GetProperty("name").GetString()));
        Assert.Equal(409, (await Import(cloud, id)).Status);
    }

    [Fact]
    public async Task What_is_fetched_is_the_images_and_its_address_is_nobody_elses_business()
    {
        await using var cloud = await TestCloud.Start();
        cloud.Internet.Name("good.example", "8.8.8.8");
        cloud.Internet.Server("8.8.8.8:80", FakeInternet.Ok("hello"));
        var id = await New(cloud, new { name = "i", disk_format = "raw", container_format = "bare", visibility = "community" });
        Assert.Equal(202, (await Import(cloud, id, "http://good.example/i?signature=s3cret")).Status);
        await cloud.Drain();
        Assert.Equal("hello", (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Text);
        await cloud.AddUser("ann");
        Assert.Empty((await cloud.Send("GET", $"/image/v2/images/{id}/tasks", user: "ann")).Body.GetProperty("tasks").EnumerateArray());
        Assert.StartsWith("task|", Assert.Single(cloud.Store.All, r => Encoding.UTF8.GetString(r.Body.Span).Contains("s3cret", StringComparison.Ordinal)).Key, StringComparison.Ordinal);
        // Looked at as a task it is an administrator's.
        var task = Assert.Single((await cloud.Send("GET", "/image/v2/tasks?status=success")).Body.GetProperty("tasks").EnumerateArray()).GetProperty("id").GetString();
        var shown = await cloud.Send("GET", "/image/v2/tasks/" + task);
        Assert.Contains("s3cret", shown.Text, StringComparison.Ordinal);
        Assert.Equal(id, shown.Body.GetProperty("result").GetProperty("image_id").GetString());
        Assert.Equal(403, (await cloud.Send("GET", "/image/v2/tasks", user: "demo")).Status);
        Assert.Equal(405, (await cloud.Send("DELETE", "/image/v2/tasks/" + task)).Status);
        // After two days nobody asks any more.
        cloud.Clock.Advance(Cloud.Image.Tasks.Kept);
        await cloud.Sweep();
        cloud.Forget();
        Assert.Equal(404, (await cloud.Send("GET", "/image/v2/tasks/" + task)).Status);
    }

    [Theory]
    [InlineData("10.0.0.1", "hello")]
    [InlineData("8.8.8.8", null)]
    [InlineData("8.8.8.8", "QFI\u00fb")]
    public async Task What_cant_be_had_or_isnt_what_it_says_leaves_the_image_as_it_was(string address, string? answer)
    {
        await using var cloud = await TestCloud.Start();
        cloud.Internet.Name("bad.example", address);
        if (answer is not null) cloud.Internet.Server(address + ":80", _ => [Encoding.Latin1.GetBytes(FakeInternet.Ok(answer))]);
        var id = await New(cloud);
        Assert.Equal(202, (await Import(cloud, id, "http://bad.example/")).Status);
        await cloud.Drain();
        var image = (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body;
        Assert.Equal(("queued", "file"), (image.GetProperty("status").GetString(), image.GetProperty("os_glance_failed_import").GetString()));
        var task = await Task(cloud, id);
        Assert.Equal(("failure", true), (task.Status, task.Message.Length > 0));
        Assert.Equal(0, await Blobs(cloud));
        Assert.Empty(cloud.Errors);
    }

    [Theory]
    [InlineData("""{"method":{"name":"web-download"}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://169.254.169.254/latest"}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"file:///etc/passwd"}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://u:p@good.example/"}}""", 400)]
    [InlineData("""{"method":{"name":"copy-image"}}""", 403)]
    [InlineData("""{"method":{"name":"glance-download","glance_image_id":"foo","glance_region":"RegionOne"}}""", 400)]
    [InlineData("""{"method":{"name":"glance-download","glance_image_id":"36d4b546-64a2-4bb9-bdd0-ba676aa48f2c"}}""", 400)]
    [InlineData("""{"method":{"name":"magic"}}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://good.example/"},"all_stores":"yes"}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://good.example/"},"all_stores":true,"stores":["file"]}""", 400)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://good.example/"},"stores":["other"]}""", 409)]
    [InlineData("""{"method":{"name":"web-download","uri":"http://good.example/"},"stores":"file"}""", 400)]
    [InlineData("""{"method":"web-download"}""", 400)]
    public async Task What_makes_no_sense_is_refused(string body, int status)
    {
        await using var cloud = await TestCloud.Start();
        var id = await New(cloud);
        Assert.Equal(status, (await cloud.Send("POST", $"/image/v2/images/{id}/import", body, "demo")).Status);
        Assert.Equal("queued", await Status(cloud, id));
        Assert.Empty(cloud.Internet.Connected);
    }

    [Fact]
    public async Task Staged_bytes_count_and_go_with_the_image()
    {
        await using var cloud = await TestCloud.Start();
        await Cloud.Image.Images.Quota.Set(cloud.Store, await cloud.IdOf("projects", "demo"), new Dictionary<string, long> { ["image_bytes"] = 15 });
        var (first, second) = (await New(cloud), await New(cloud));
        Assert.Equal(204, (await Stage(cloud, first, new byte[10])).Status);
        Assert.Equal(413, (await Stage(cloud, second, new byte[10])).Status);
        Assert.Equal(1, await Blobs(cloud));
        Assert.Equal(204, (await cloud.Send("DELETE", "/image/v2/images/" + first, user: "demo")).Status);
        Assert.Equal(0, await Blobs(cloud));
        // The same for what is fetched: the limit is looked at when all of it has come.
        cloud.Internet.Name("good.example", "8.8.8.8");
        cloud.Internet.Server("8.8.8.8:80", _ => [Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n\r\n"), new byte[20]]);
        await Import(cloud, second, "http://good.example/");
        await cloud.Drain();
        Assert.Equal("failure", (await Task(cloud, second)).Status);
    }

    [Fact]
    public async Task An_image_deleted_while_it_is_fetched_leaves_nothing()
    {
        await using var cloud = await TestCloud.Start();
        var id = await New(cloud);
        cloud.Internet.Name("good.example", "8.8.8.8");
        cloud.Internet.Server("8.8.8.8:80", _ =>
        {
            Assert.Equal(204, cloud.Send("DELETE", "/image/v2/images/" + id, user: "demo").Result.Status);
            return [Encoding.ASCII.GetBytes(FakeInternet.Ok("hello"))];
        });
        await Import(cloud, id, "http://good.example/");
        await cloud.Drain();
        Assert.Equal((0, 404), (await Blobs(cloud), (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Status));
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task A_kill_at_any_write_is_followed_by_another_try()
    {
        await using var fresh = await TestCloud.Start();
        fresh.Internet.Name("good.example", "8.8.8.8");
        fresh.Internet.Server("8.8.8.8:80", FakeInternet.Ok("hello"));
        var id = await New(fresh);
        await Import(fresh, id, "http://good.example/");
        foreach (var after in new[] { false, true })
        {
            await using var cloud = fresh.Copy();
            cloud.Store.OnCommit = late => { if (late == after) { cloud.Store.OnCommit = null; throw new Death(); } };
            await Assert.ThrowsAsync<Death>(cloud.Drain);
            cloud.Restart();
            await cloud.Drain();
            Assert.Equal(("active", "hello"), (await Status(cloud, id), (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Text));
        }
    }

    [Fact]
    public async Task What_there_is_can_be_asked()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.Image([1, 2]);
        var methods = (await cloud.Send("GET", "/image/v2/info/import", user: "demo")).Body.GetProperty("import-methods").GetProperty("value").EnumerateArray().Select(m => m.GetString());
        Assert.Equal(["glance-direct", "web-download", "copy-image", "glance-download"], methods);
        Assert.Equal("file", (await cloud.Send("GET", "/image/v2/info/stores", user: "demo")).Body.GetProperty("stores")[0].GetProperty("id").GetString());
        Assert.Equal((300, 200), ((await cloud.Send("GET", "/image/")).Status, (await cloud.Send("GET", "/image/versions")).Status));
        Assert.Equal(403, (await cloud.Send("GET", "/image/v2/info/stores/detail", user: "demo")).Status);
        Assert.Equal(1, (await cloud.Send("GET", "/image/v2/info/usage", user: "demo")).Body.GetProperty("usage").GetProperty("image_count_total").GetProperty("usage").GetInt32());
    }
}
