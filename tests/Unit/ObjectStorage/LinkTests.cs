using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class LinkTests
{
    [Fact]
    public async Task A_link_reads_as_its_target_and_goes_alone()
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/o", "hello", ("X-Object-Meta-A", "b"));
        Assert.Equal(201, (await shop.Put("/c/link", "", ("X-Symlink-Target", "c/o"))).Status);
        var got = await shop.Do("GET", "/c/link");
        Assert.Equal(("hello", "b", shop.Signed + "/c/o"), (got.Text, got.Headers["X-Object-Meta-A"], got.Headers["Content-Location"]));
        var raw = await shop.Do("GET", "/c/link?symlink=get");
        Assert.Equal(("", "c/o"), (raw.Text, raw.Headers["X-Symlink-Target"]));
        var post = await shop.Do("POST", "/c/link", null, ("X-Object-Meta-A", "c"));
        Assert.Equal((307, "http://cloud" + shop.Account + "/c/o"), (post.Status, post.Headers["Location"]));
        Assert.Equal(204, (await shop.Do("DELETE", "/c/link")).Status);
        Assert.Equal("hello", await shop.Get("/c/o"));
    }

    [Fact]
    public async Task Links_to_links_end_somewhere()
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/0", "x");
        for (var i = 1; i <= 4; i++) await shop.Put($"/c/{i}", "", ("X-Symlink-Target", $"c/{i - 1}"));
        Assert.Equal((200, 409), (await shop.Status("/c/3"), await shop.Status("/c/4")));
        await shop.Put("/c/0", "", ("X-Symlink-Target", "c/1"));
        Assert.Equal((409, 400), (await shop.Status("/c/1"), (await shop.Put("/c/1", "", ("X-Symlink-Target", "c/1"))).Status));
    }

    [Fact]
    public async Task A_link_to_one_state_of_its_target_says_when_that_has_changed()
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/o", "one");
        Assert.Equal(409, (await shop.Put("/c/l", "", ("X-Symlink-Target", "c/o"), ("X-Symlink-Target-Etag", Shop.Md5("two")))).Status);
        Assert.Equal(201, (await shop.Put("/c/l", "", ("X-Symlink-Target", "c/o"), ("X-Symlink-Target-Etag", Shop.Md5("one")))).Status);
        Assert.Equal("one", await shop.Get("/c/l"));
        await shop.Put("/c/o", "two");
        Assert.Equal(409, await shop.Status("/c/l"));
        Assert.Equal(400, (await shop.Put("/c/l", "bytes", ("X-Symlink-Target", "c/o"))).Status);
    }

    [Fact]
    public async Task A_link_opens_nothing_that_its_reader_may_not_read()
    {
        await using var shop = await Shop.Open("open", "closed");
        await shop.Put("/closed/o", "secret");
        await shop.Put("/open/l", "", ("X-Symlink-Target", "closed/o"));
        await shop.Do("POST", "/open", null, ("X-Container-Read", ".r:*"));
        Assert.Equal(401, (await shop.Stranger("GET", "/open/l")).Status);
        await shop.Cloud.AddUser("eve");
        Assert.Equal(403, (await shop.Cloud.Send("GET", shop.Account + "/open/l", user: "eve")).Status);
    }
}
