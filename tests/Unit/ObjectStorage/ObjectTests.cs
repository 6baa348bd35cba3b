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
        Assert.Equal("""{"stores":["a","b","c"],"copies":3,"missing":1,"corrupt":1,"copies_repaired":2,"lost":0,"failures":0}""", (await cloud.Send("GET", "/ops/v1/object-stores")).Text);
    }

    [Fact]
    public async Task Metadata_keeps_its_values_and_copies_say_when_they_were_made()
    {
        await using var shop = await Shop.Open("c");
        await shop.Do("POST", "/c", null, ("X-Container-Meta-test_two", "v"));
        Assert.Equal("v", (await shop.Do("HEAD", "/c")).Headers["X-Container-Meta-Test-Two"]);
        await shop.Put("/c/o", "hello", ("X-Object-Meta-Empty", ""));
        Assert.Equal("", (await shop.Do("GET", "/c/o")).Headers["X-Object-Meta-Empty"]);
        var copy = await shop.Do("COPY", "/c/o", null, ("Destination", "c/p"));
        Assert.Equal((201, "1893456000.00000", "c/o"), (copy.Status, copy.Headers["X-Timestamp"], copy.Headers["X-Copied-From"]));
    }

    [Fact]
    public async Task What_expires_is_not_there_any_more_and_then_collected()
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/late", "x", ("X-Delete-After", "120"));
        await shop.Put("/c/o", "x", ("X-Delete-After", "60"));
        await shop.Put("/c/kept", "x", ("X-Delete-After", "60"));
        await shop.Do("POST", "/c/kept");
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal((404, 404), (await shop.Status("/c/o"), (await shop.Do("POST", "/c/o")).Status));
        await shop.Run("expire");
        await shop.Cloud.Drain();
        Assert.Equal("kept\nlate\n", await shop.Get("/c"));
        Assert.All(shop.Cloud.Replicas, r => Assert.Equal(2, r.Blobs.Count));
        Assert.Single(shop.Cloud.Store.All, r => r.Key.StartsWith("x|", StringComparison.Ordinal));
        Assert.Equal("2", (await shop.Do("HEAD", "/c")).Headers["X-Container-Object-Count"]);
        // What is noted for an hour is forgotten when that is over.
        Assert.Single(shop.Cloud.Store.All, r => r.Partition == "object-expiry");
        shop.Cloud.Clock.Advance(TimeSpan.FromHours(1));
        await shop.Run("expire");
        Assert.DoesNotContain(shop.Cloud.Store.All, r => r.Partition == "object-expiry" || r.Key.StartsWith("x|", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_delete_of_what_has_expired_is_too_late_and_takes_it_away()
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/o", "x", ("X-Delete-After", "60"));
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(404, (await shop.Do("DELETE", "/c/o")).Status);
        Assert.Equal(204, (await shop.Do("DELETE", "/c")).Status);
        Assert.Empty(await shop.Leftovers());
    }

    [Fact]
    public async Task Several_ranges_are_answered_as_parts()
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/o", "0123456789");
        var parts = await shop.Do("GET", "/c/o", null, ("Range", "bytes=0-1,7-"));
        var boundary = parts.Text[2..parts.Text.IndexOf('\r', StringComparison.Ordinal)];
        string Part(string range, string text) => $"--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {range}/10\r\n\r\n{text}\r\n";
        Assert.Equal((206, Part("0-1", "01") + Part("7-9", "789") + $"--{boundary}--"), (parts.Status, parts.Text));
        Assert.Equal(parts.Text.Length.ToString(), parts.Headers["Content-Length"]);
        foreach (var (range, status, text) in new[] { ("bytes=5-", 206, "56789"), ("bytes=-3", 206, "789"), ("bytes=3-1", 200, "0123456789"), ("lines=1-2", 200, "0123456789") })
            Assert.Equal((status, text), await shop.Do("GET", "/c/o", null, ("Range", range)) is var a ? (a.Status, a.Text) : default);
        Assert.Equal("bytes */10", (await shop.Do("GET", "/c/o", null, ("Range", "bytes=10-"))).Headers["Content-Range"]);
    }

    [Fact]
    public async Task Listings_come_as_xml_too()
    {
        await using var shop = await Shop.Open("c<");
        foreach (var o in new[] { "a&b", "d/e" }) await shop.Put("/c%3C/" + Uri.EscapeDataString(o).Replace("%2F", "/", StringComparison.Ordinal), "hello");
        var xml = System.Xml.Linq.XElement.Parse(await shop.Get("/c%3C?format=xml&delimiter=/"));
        Assert.Equal(("container", "c<", "a&b", "5", Shop.Md5("hello")), (xml.Name.LocalName, xml.Attribute("name")!.Value, xml.Element("object")!.Element("name")!.Value, xml.Element("object")!.Element("bytes")!.Value, xml.Element("object")!.Element("hash")!.Value));
        Assert.Equal("d/", xml.Element("subdir")!.Attribute("name")!.Value);
        var account = System.Xml.Linq.XElement.Parse(await shop.Get("", ("Accept", "application/xml")));
        Assert.Equal(("c<", "2", "10"), (account.Element("container")!.Element("name")!.Value, account.Element("container")!.Element("count")!.Value, account.Element("container")!.Element("bytes")!.Value));
    }
}
