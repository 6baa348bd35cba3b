using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class StaticWebTests
{
    private static async Task<Shop> Site(params (string, string)[] meta)
    {
        var shop = await Shop.Open("c");
        foreach (var (name, text) in new[] { ("index.html", "top"), ("sub/index.html", "below"), ("other/x", "x"), ("404oops.html", "not here"), ("401oops.html", "not for you") }) await shop.Put("/c/" + name, text);
        await shop.Do("POST", "/c", null, [("X-Container-Read", ".r:*,.rlistings"), .. meta]);
        return shop;
    }

    [Fact]
    public async Task A_container_is_a_site_for_strangers()
    {
        await using var shop = await Site(("X-Container-Meta-Web-Index", "index.html"), ("X-Container-Meta-Web-Error", "oops.html"));
        Assert.Equal((301, "top"), ((await shop.Stranger("GET", "/c")).Status, (await shop.Stranger("GET", "/c/")).Text));
        var sub = await shop.Stranger("GET", "/c/sub");
        Assert.Equal((301, "http://cloud" + shop.Account + "/c/sub/"), (sub.Status, sub.Headers["Location"]));
        Assert.Equal("below", (await shop.Stranger("GET", "/c/sub/")).Text);
        var missing = await shop.Stranger("GET", "/c/nothing");
        Assert.Equal((404, "not here"), (missing.Status, missing.Text));
        // Its owner's tools see a container.
        Assert.StartsWith("401oops.html\n", await shop.Get("/c"), StringComparison.Ordinal);
        Assert.Equal("top", await shop.Get("/c/", ("X-Web-Mode", "true")));
        await shop.Do("POST", "/c", null, ("X-Container-Read", ""));
        Assert.Equal(401, (await shop.Stranger("GET", "/c/")).Status);
    }

    [Fact]
    public async Task Listings_are_shown_where_they_are_allowed()
    {
        await using var shop = await Site(("X-Container-Meta-Web-Listings", "true"), ("X-Container-Meta-Web-Listings-Css", "style.css"));
        await shop.Put("/c/%3Cscript%3E", "x");
        var top = (await shop.Stranger("GET", "/c/")).Text;
        Assert.Contains("href=\"./other/\"", top, StringComparison.Ordinal);
        Assert.Contains("<link rel=\"stylesheet\" type=\"text/css\" href=\"style.css\" />", top, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", top, StringComparison.Ordinal);
        Assert.Contains("href=\"../style.css\"", (await shop.Stranger("GET", "/c/other/")).Text, StringComparison.Ordinal);
        Assert.Equal((301, 404), ((await shop.Stranger("GET", "/c/other")).Status, (await shop.Stranger("GET", "/c/none/")).Status));
        await shop.Do("POST", "/c", null, ("X-Container-Read", ".r:*"));
        Assert.Equal(401, (await shop.Stranger("GET", "/c/")).Status);
    }
}
