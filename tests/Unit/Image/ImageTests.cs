using System.Text;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Image;

public sealed class ImageTests
{
    private static readonly (string, string) Patch = ("Content-Type", "application/openstack-images-v2.1-json-patch");

    [Fact]
    public async Task What_is_uploaded_comes_back_with_its_digests()
    {
        await using var cloud = await TestCloud.Start();
        var data = Encoding.ASCII.GetBytes("0123456789");
        var (id, upload) = await cloud.Image(data, with: new { os_distro = "none" });
        Assert.Equal(204, upload.Status);
        var shown = (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body;
        Assert.Equal(("active", 10, "781e5e245d69b566979b86e28d23f2c7", "none"), (shown.GetProperty("status").GetString(), shown.GetProperty("size").GetInt32(), shown.GetProperty("checksum").GetString(), shown.GetProperty("os_distro").GetString()));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(data)), shown.GetProperty("os_hash_value").GetString());
        var file = await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo");
        Assert.Equal(("0123456789", "10"), (file.Text, file.Headers["Content-Length"]));
        var part = await cloud.Send("GET", $"/image/v2/images/{id}/file", null, "demo", ("Range", "bytes=2-4"));
        Assert.Equal((206, "234", "bytes 2-4/10"), (part.Status, part.Text, part.Headers["Content-Range"]));
        Assert.Equal(416, (await cloud.Send("GET", $"/image/v2/images/{id}/file", null, "demo", ("Range", "bytes=10-"))).Status);
        Assert.Equal(409, (await cloud.Upload(id, data)).Status);
    }

    [Fact]
    public async Task Readers_see_an_image_and_members_have_its_data()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("rob", "reader");
        var (id, _) = await cloud.Image([1], user: "admin", with: new { visibility = "public" });
        Assert.Equal((200, 403), ((await cloud.Send("GET", "/image/v2/images/" + id, user: "rob")).Status, (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "rob")).Status));
        Assert.Equal(200, (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Status);
    }

    [Fact]
    public async Task Both_forms_of_json_patch_change_it()
    {
        await using var cloud = await TestCloud.Start();
        var (id, _) = await cloud.Image([1]);
        async Task<Answer> Do(string body, (string, string)? type = null) => await cloud.Send("PATCH", "/image/v2/images/" + id, body, "demo", type ?? Patch);
        Assert.Equal("new", (await Do("""[{"op":"replace","path":"/name","value":"new"},{"op":"add","path":"/a~1b","value":"c"}]""")).Body.GetProperty("name").GetString());
        Assert.Equal("newer", (await Do("""[{"replace":"/name","value":"newer"},{"remove":"/a~1b"}]""", ("Content-Type", "application/openstack-images-v2.0-json-patch"))).Body.GetProperty("name").GetString());
        Assert.Equal(415, (await Do("[]", ("Content-Type", "application/json"))).Status);
        foreach (var (body, status) in new[]
        {
            ("{}", 400), ("[1]", 400), ("""[{"op":"move","path":"/name"}]""", 400), ("""[{"op":"add","path":"name","value":"x"}]""", 400), ("""[{"op":"add","path":"/a/b","value":"x"}]""", 400),
            ("""[{"op":"replace","path":"/status","value":"active"}]""", 403), ("""[{"op":"replace","path":"/owner","value":"me"}]""", 403), ("""[{"op":"remove","path":"/name"}]""", 403),
            ("""[{"op":"add","path":"/os_glance_x","value":"y"}]""", 403), ("""[{"op":"add","path":"/locations/-","value":{}}]""", 403), ("""[{"op":"add","path":"/locations","value":[]}]""", 403),
            ("""[{"op":"replace","path":"/none","value":"x"}]""", 409), ("""[{"op":"remove","path":"/none"}]""", 409), ("""[{"op":"add","path":"/n","value":1}]""", 400),
            ("""[{"op":"replace","path":"/disk_format","value":"qcow2"}]""", 403), ("""[{"op":"replace","path":"/visibility","value":"public"}]""", 403), ("""[{"op":"replace","path":"/min_ram","value":"x"}]""", 400),
        })
            Assert.Equal((body, status), (body, (await Do(body)).Status));
        Assert.Equal("newer", (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body.GetProperty("name").GetString());
    }

    [Fact]
    public async Task An_administrator_gives_it_to_another_project()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (id, _) = await cloud.Image([1]);
        var ann = await cloud.IdOf("projects", "ann");
        Assert.Equal(200, (await cloud.Send("PATCH", "/image/v2/images/" + id, $$"""[{"op":"replace","path":"/owner","value":"{{ann}}"}]""", "admin", Patch)).Status);
        Assert.Equal(404, (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Status);
        Assert.Equal(0, (await cloud.Send("GET", "/image/v2/images", user: "demo")).Body.GetProperty("images").GetArrayLength());
        Assert.Equal(1, (await cloud.Send("GET", "/image/v2/images", user: "ann")).Body.GetProperty("images").GetArrayLength());
        Assert.Equal(204, (await cloud.Send("DELETE", "/image/v2/images/" + id, user: "ann")).Status);
    }

    [Fact]
    public async Task A_move_that_dies_half_way_leaves_one_image()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (id, _) = await cloud.Image([1]);
        var (ann, rows) = (await cloud.IdOf("projects", "ann"), Cloud.Image.Images.Rows);
        for (var deaths = 0; deaths < 4; deaths++)
        {
            var left = deaths;
            cloud.Store.OnCommit = after => { if (!after && left-- == 0) throw new Death(); };
            var died = false;
            try { await rows.Move(cloud.Services, id, ann, new("", "")); }
            catch (Death) { died = true; }
            cloud.Store.OnCommit = null;
            await Cloud.Platform.State.Sweeper.Run(cloud.Services, default);
            cloud.Clock.Advance(TimeSpan.FromMinutes(11));
            await Cloud.Platform.State.Sweeper.Run(cloud.Services, default);
            var copies = cloud.Store.All.Where(r => r.Key == rows.Key(id) && !r.Partition.StartsWith("index.", StringComparison.Ordinal) && !r.Partition.StartsWith("shared.", StringComparison.Ordinal)).ToList();
            Assert.Single(copies);
            Assert.Equal(copies[0].Partition, (await rows.Find(cloud.Store, id))!.Item.ProjectId);
            if (!died) Assert.Equal(ann, copies[0].Partition);
        }
    }

    [Theory]
    [InlineData("name=in:a,%22b,c%22", "a,b,c")]
    [InlineData("size_min=3", "b,c")]
    [InlineData("size_max=2", "a")]
    [InlineData("tag=x&tag=y", "b,c")]
    [InlineData("os_distro=deb", "a")]
    [InlineData("created_at=gt:2030-01-01T00:30:00Z", "b,c")]
    [InlineData("status=queued", "")]
    [InlineData("disk_format=in:raw,iso", "a,b,c")]
    public async Task Lists_are_filtered(string query, string names)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.Image([1], with: new { name = "a", os_distro = "deb" });
        cloud.Clock.Advance(TimeSpan.FromMinutes(40));
        await cloud.Image([1, 2, 3], with: new { name = "b,c", tags = new[] { "x", "y" } });
        var found = (await cloud.Send("GET", "/image/v2/images?sort=name:asc&" + query, user: "demo")).Body.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("name").GetString());
        Assert.Equal(names, string.Join(',', found));
    }

    [Theory]
    [InlineData("size_min=x")]
    [InlineData("created_at=gt:yesterday")]
    [InlineData("visibility=secret")]
    [InlineData("member_status=maybe")]
    [InlineData("protected=perhaps")]
    [InlineData("name=in:%22a")]
    [InlineData("limit=-1")]
    [InlineData("sort=blob:asc")]
    [InlineData("sort_dir=up&sort_key=name")]
    [InlineData("marker=none")]
    public async Task Filters_that_make_no_sense_are_refused(string query)
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(400, (await cloud.Send("GET", "/image/v2/images?" + query, user: "demo")).Status);
    }

    [Fact]
    public async Task Pages_lead_to_each_other()
    {
        await using var cloud = await TestCloud.Start();
        for (var i = 0; i < 5; i++) await cloud.Image([1], with: new { name = "i" + i });
        var (at, names) = ("/v2/images?limit=2&sort=name:asc", new List<string>());
        while (at is not null)
        {
            var page = (await cloud.Send("GET", "/image" + at, user: "demo")).Body;
            names.AddRange(page.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("name").GetString()!));
            at = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        Assert.Equal(["i0", "i1", "i2", "i3", "i4"], names);
    }

    [Fact]
    public async Task Sharing_shows_an_image_to_its_members_and_only_while_it_is_shared()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        await cloud.AddUser("bob");
        var (id, _) = await cloud.Image([1]);
        var (ann, bob, members) = (await cloud.IdOf("projects", "ann"), await cloud.IdOf("projects", "bob"), $"/image/v2/images/{id}/members");
        foreach (var p in new[] { ann, bob }) Assert.Equal(200, (await cloud.Send("POST", members, new { member = p }, "demo")).Status);
        Assert.Equal(409, (await cloud.Send("POST", members, new { member = ann }, "demo")).Status);
        Assert.Equal(200, (await cloud.Send("GET", "/image/v2/images/" + id, user: "ann")).Status);
        Assert.Equal(0, (await cloud.Send("GET", "/image/v2/images", user: "ann")).Body.GetProperty("images").GetArrayLength());
        Assert.Equal(1, (await cloud.Send("GET", "/image/v2/images?member_status=pending&visibility=shared", user: "ann")).Body.GetProperty("images").GetArrayLength());

        Assert.Equal(1, (await cloud.Send("GET", members, user: "ann")).Body.GetProperty("members").GetArrayLength());
        Assert.Equal(404, (await cloud.Send("GET", $"{members}/{bob}", user: "ann")).Status);
        Assert.Equal(404, (await cloud.Send("PUT", $"{members}/{bob}", new { status = "accepted" }, "ann")).Status);
        Assert.Equal(403, (await cloud.Send("PUT", $"{members}/{ann}", new { status = "accepted" }, "demo")).Status);
        Assert.Equal(403, (await cloud.Send("POST", members, new { member = "x" }, "ann")).Status);
        Assert.Equal(400, (await cloud.Send("PUT", $"{members}/{ann}", new { status = "maybe" }, "ann")).Status);
        Assert.Equal(200, (await cloud.Send("PUT", $"{members}/{ann}", new { status = "accepted" }, "ann")).Status);
        Assert.Equal(1, (await cloud.Send("GET", "/image/v2/images", user: "ann")).Body.GetProperty("images").GetArrayLength());
        Assert.Equal(403, (await cloud.Send("PATCH", "/image/v2/images/" + id, """[{"op":"replace","path":"/name","value":"mine"}]""", "ann", Patch)).Status);

        await cloud.Send("PATCH", "/image/v2/images/" + id, """[{"op":"replace","path":"/visibility","value":"private"}]""", "demo", Patch);
        Assert.Equal(404, (await cloud.Send("GET", "/image/v2/images/" + id, user: "ann")).Status);
        Assert.Equal(0, (await cloud.Send("GET", "/image/v2/images", user: "ann")).Body.GetProperty("images").GetArrayLength());
    }

    [Fact]
    public async Task Storage_is_limited_and_given_back()
    {
        await using var cloud = await TestCloud.Start();
        var demo = await cloud.IdOf("projects", "demo");
        await Cloud.Image.Images.Quota.Set(cloud.Store, demo, new Dictionary<string, long> { ["image_bytes"] = 10, ["images"] = 3 });
        var (first, upload) = await cloud.Image(new byte[8]);
        Assert.Equal(204, upload.Status);
        var (second, over) = await cloud.Image(new byte[3]);
        Assert.Equal(413, over.Status);
        Assert.Equal("queued", (await cloud.Send("GET", "/image/v2/images/" + second, user: "demo")).Body.GetProperty("status").GetString());
        await cloud.Send("DELETE", "/image/v2/images/" + first, user: "demo");
        Assert.Equal(204, (await cloud.Upload(second, new byte[10])).Status);
        for (var i = 0; i < 2; i++) await cloud.Send("POST", "/image/v2/images", new { name = "n" }, "demo");
        Assert.Equal(413, (await cloud.Send("POST", "/image/v2/images", new { name = "n" }, "demo")).Status);
        Assert.Single(await cloud.Services.Blobs.List(default).ToListAsync());
    }
}
