using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class CorsTests
{
    private static readonly (string, string) Here = ("Origin", "http://page"), Elsewhere = ("Origin", "http://other"), Put = ("Access-Control-Request-Method", "PUT");

    [Fact]
    public async Task A_page_may_ask_what_the_container_s_owner_lets_its_origin_ask()
    {
        await using var shop = await Shop.Open("c");
        Assert.Equal(401, (await shop.Stranger("OPTIONS", "/c/o", null, Here, Put)).Status);
        await shop.Do("POST", "/c", null, ("X-Container-Meta-Access-Control-Allow-Origin", "http://page http://third"), ("X-Container-Meta-Access-Control-Max-Age", "5"), ("X-Container-Meta-Access-Control-Expose-Headers", "x-own"));
        var may = await shop.Stranger("OPTIONS", "/c/o", null, Here, Put, ("Access-Control-Request-Headers", "x-auth-token"));
        Assert.Equal((200, "http://page", "5", "x-auth-token"), (may.Status, may.Headers["Access-Control-Allow-Origin"], may.Headers["Access-Control-Max-Age"], may.Headers["Access-Control-Allow-Headers"]));
        Assert.Contains("PUT", may.Headers["Access-Control-Allow-Methods"], StringComparison.Ordinal);
        // As much of what isn't there as of what isn't allowed.
        Assert.Equal((401, 401, 401), ((await shop.Stranger("OPTIONS", "/c/o", null, Elsewhere, Put)).Status, (await shop.Stranger("OPTIONS", "/d/o", null, Here, Put)).Status, (await shop.Stranger("OPTIONS", "/c/o", null, Here)).Status));
        Assert.Contains("GET", (await shop.Stranger("OPTIONS", "/c/o")).Headers["Allow"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_are_shown_to_pages_of_allowed_origins_alone()
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/o", "hello", ("X-Object-Meta-K", "v"));
        await shop.Do("POST", "/c", null, ("X-Container-Meta-Access-Control-Allow-Origin", "http://page"), ("X-Container-Meta-Access-Control-Expose-Headers", "x-own"));
        var shown = await shop.Do("GET", "/c/o", null, Here);
        Assert.Equal("http://page", shown.Headers["Access-Control-Allow-Origin"]);
        Assert.All(["etag", "x-own", "x-object-meta-k"], h => Assert.Contains(h, shown.Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal));
        Assert.False((await shop.Do("GET", "/c/o", null, Elsewhere)).Headers.ContainsKey("Access-Control-Allow-Origin"));
        Assert.False((await shop.Do("GET", "/c/o")).Headers.ContainsKey("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_page_sees_why_it_was_refused()
    {
        await using var shop = await Shop.Open("c");
        await shop.Do("POST", "/c", null, ("X-Container-Meta-Access-Control-Allow-Origin", "http://page"));
        foreach (var answer in new[] { await shop.Do("GET", "/c/none", null, Here), await shop.Stranger("GET", "/c/o", null, Here), await shop.Do("PUT", "/c/o", null, Here) })
        {
            Assert.InRange(answer.Status, 401, 411);
            Assert.Equal("http://page", answer.Headers["Access-Control-Allow-Origin"]);
            Assert.Contains("x-trans-id", answer.Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal);
        }
        Assert.Contains("www-authenticate", (await shop.Stranger("GET", "/c/o", null, Here)).Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal);
        Assert.False((await shop.Do("GET", "/c/none", null, Elsewhere)).Headers.ContainsKey("Access-Control-Allow-Origin"));
        Assert.False((await shop.Do("GET", "/d/none", null, Here)).Headers.ContainsKey("Access-Control-Allow-Origin"));
    }
}
