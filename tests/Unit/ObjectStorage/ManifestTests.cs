using System.Text.Json;
using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class ManifestTests
{
    private static string Manifest(params object[] segments) => JsonSerializer.Serialize(segments);

    private static async Task<Shop> WithSegments()
    {
        var shop = await Shop.Open("c", "s");
        foreach (var (name, text) in new[] { ("1", "abcde"), ("2", "fghij"), ("3", "klm") }) await shop.Put("/s/x/" + name, text);
        return shop;
    }

    [Fact]
    public async Task A_static_manifest_reads_as_its_segments_one_after_the_other()
    {
        await using var shop = await WithSegments();
        var put = await shop.Put("/c/o?multipart-manifest=put", Manifest(new { path = "/s/x/1", etag = Shop.Md5("abcde"), size_bytes = 5 }, new { path = "s/x/2", range = "1-2" }, new { data = Convert.ToBase64String("..."u8) }), ("Content-Type", "text/plain"), ("X-Object-Meta-A", "b"));
        var etag = $"\"{Shop.Md5(Shop.Md5("abcde") + Shop.Md5("fghij") + ":1-2;" + Shop.Md5("..."))}\"";
        Assert.Equal((201, etag), (put.Status, put.Headers["ETag"]));
        var whole = await shop.Do("GET", "/c/o");
        Assert.Equal(("abcdegh...", "10", etag, "True", "b"), (whole.Text, whole.Headers["Content-Length"], whole.Headers["ETag"], whole.Headers["X-Static-Large-Object"], whole.Headers["X-Object-Meta-A"]));
        Assert.Equal("egh.", await shop.Get("/c/o", ("Range", "bytes=4-7")));
        var line = JsonDocument.Parse(await shop.Get("/c?format=json")).RootElement[0];
        Assert.Equal((10, etag), (line.GetProperty("bytes").GetInt32(), line.GetProperty("slo_etag").GetString()));
        var shown = JsonDocument.Parse(await shop.Get("/c/o?multipart-manifest=get")).RootElement;
        Assert.Equal(("/s/x/1", 5, "1-2"), (shown[0].GetProperty("name").GetString(), shown[0].GetProperty("bytes").GetInt32(), shown[1].GetProperty("range").GetString()));
        // In its raw form it makes the same object again.
        Assert.Equal(etag, (await shop.Put("/c/again?multipart-manifest=put", await shop.Get("/c/o?multipart-manifest=get&format=raw"))).Headers["ETag"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("application/json")]
    [InlineData("application/xml")]
    public async Task One_that_takes_long_is_accepted_at_once_and_told_of_in_the_body(string type)
    {
        await using var shop = await WithSegments();
        var etag = Shop.Md5(Shop.Md5("abcde") + Shop.Md5("fghij"));
        var put = await shop.Put("/c/o?multipart-manifest=put&heartbeat=on", Manifest(new { path = "/s/x/1" }, new { path = "/s/x/2" }), ("Accept", type));
        Assert.Equal(202, put.Status);
        Assert.StartsWith(" \r\n\r\n", put.Text, StringComparison.Ordinal);
        Assert.All(["201 Created", etag], t => Assert.Contains(t, put.Text, StringComparison.Ordinal));
        if (type.EndsWith("json", StringComparison.Ordinal)) Assert.Equal("201 Created", JsonDocument.Parse(put.Text).RootElement.GetProperty("Response Status").GetString());
        Assert.Equal("abcdefghij", await shop.Get("/c/o"));
        var bad = await shop.Put("/c/o?multipart-manifest=put&heartbeat=on", Manifest(new { path = "/s/x/1", etag = "0" }, new { path = "/s/none" }), ("Accept", type));
        Assert.Equal(202, bad.Status);
        Assert.All(["400 Bad Request", "/s/x/1", "Etag Mismatch", "/s/none", "404 Not Found"], t => Assert.Contains(t, bad.Text, StringComparison.Ordinal));
        var other = await shop.Put("/c/o?multipart-manifest=put&heartbeat=on", Manifest(new { path = "/s/x/1" }), ("ETag", Shop.Md5("other")), ("Accept", type));
        Assert.Contains("422 Unprocessable Entity", other.Text, StringComparison.Ordinal);
        Assert.Equal("abcdefghij", await shop.Get("/c/o"));
        // What is no list of segments, or not his to make, is said as ever.
        Assert.Equal((400, 401), ((await shop.Put("/c/o?multipart-manifest=put&heartbeat=on", "{}")).Status, (await shop.Stranger("PUT", "/c/o?multipart-manifest=put&heartbeat=on", "[]", ("Content-Length", "2"))).Status));
    }

    [Fact]
    public async Task A_manifest_of_manifests_reads_and_goes_with_all_segments()
    {
        await using var shop = await WithSegments();
        await shop.Put("/c/inner?multipart-manifest=put", Manifest(new { path = "/s/x/1" }, new { path = "/s/x/2" }));
        await shop.Put("/c/outer?multipart-manifest=put", Manifest(new { path = "/c/inner" }, new { path = "/s/x/3" }));
        Assert.Equal("abcdefghijklm", await shop.Get("/c/outer"));
        var gone = await shop.Do("DELETE", "/c/outer?multipart-manifest=delete", null, ("Accept", "application/json"));
        Assert.Equal((200, 5, "200 OK"), (gone.Status, gone.Body.GetProperty("Number Deleted").GetInt32(), gone.Body.GetProperty("Response Status").GetString()));
        foreach (var c in (string[])["/c", "/s"]) Assert.Equal(204, (await shop.Do("DELETE", c)).Status);
        Assert.Empty(await shop.Leftovers());
    }

    [Theory]
    [InlineData("""[{"path":"/s/x/1","etag":"00000000000000000000000000000000"}]""", "Etag Mismatch")]
    [InlineData("""[{"path":"/s/x/1","size_bytes":4}]""", "Size Mismatch")]
    [InlineData("""[{"path":"/s/x/1","range":"9-10"}]""", "Unsatisfiable Range")]
    [InlineData("""[{"path":"/s/nothing"}]""", "404 Not Found")]
    [InlineData("""[{"path":"/c/o"}]""", "hold itself")]
    [InlineData("""[{"path":"/s/empty"}]""", "at least 1 byte")]
    [InlineData("""[{"data":"?"}]""", "base64")]
    [InlineData("[]", "at least one segment")]
    [InlineData("[null]", "at least one segment")]
    [InlineData("{}", "valid JSON")]
    [InlineData("""[{"path":"/s/x/1","colour":"red"}]""", "valid JSON")]
    public async Task A_static_manifest_that_does_not_fit_is_refused(string manifest, string why)
    {
        await using var shop = await WithSegments();
        await shop.Put("/s/empty", "");
        var put = await shop.Put("/c/o?multipart-manifest=put", manifest);
        Assert.Equal(400, put.Status);
        Assert.Contains(why, put.Text, StringComparison.Ordinal);
        Assert.Equal(404, await shop.Status("/c/o"));
        Assert.Empty(shop.Cloud.Errors);
    }

    [Fact]
    public async Task A_segment_that_changed_is_no_part_of_the_whole_any_more()
    {
        await using var shop = await WithSegments();
        await shop.Put("/c/o?multipart-manifest=put", Manifest(new { path = "/s/x/1" }));
        await shop.Put("/s/x/1", "other");
        Assert.Equal(409, await shop.Status("/c/o"));
        await shop.Do("DELETE", "/s/x/1");
        Assert.Equal(409, await shop.Status("/c/o"));
    }

    [Fact]
    public async Task A_manifest_opens_no_segments_that_its_reader_may_not_read()
    {
        await using var shop = await WithSegments();
        await shop.Put("/c/o?multipart-manifest=put", Manifest(new { path = "/s/x/1" }));
        await shop.Put("/c/d", "", ("X-Object-Manifest", "s/x/"));
        await shop.Do("POST", "/c", null, ("X-Container-Read", ".r:*"));
        Assert.Equal((401, 401), ((await shop.Stranger("GET", "/c/o")).Status, (await shop.Stranger("GET", "/c/d")).Status));
        await shop.Do("POST", "/s", null, ("X-Container-Read", ".r:*,.rlistings"));
        Assert.Equal(("abcde", "abcdefghijklm"), ((await shop.Stranger("GET", "/c/o")).Text, (await shop.Stranger("GET", "/c/d")).Text));
    }

    [Fact]
    public async Task A_dynamic_manifest_reads_as_all_that_is_listed_now()
    {
        await using var shop = await WithSegments();
        await shop.Put("/s/y", "not of it");
        Assert.Equal(400, (await shop.Put("/c/o", "", ("X-Object-Manifest", "s"))).Status);
        await shop.Put("/c/o", "own", ("X-Object-Manifest", "s/x%2F"));
        var whole = await shop.Do("GET", "/c/o");
        Assert.Equal(("abcdefghijklm", "13", "s/x%2F"), (whole.Text, whole.Headers["Content-Length"], whole.Headers["X-Object-Manifest"]));
        Assert.Equal($"\"{Shop.Md5(Shop.Md5("abcde") + Shop.Md5("fghij") + Shop.Md5("klm"))}\"", whole.Headers["ETag"]);
        await shop.Put("/s/x/4", "!");
        Assert.Equal("m!", await shop.Get("/c/o", ("Range", "bytes=-2")));
        Assert.Equal("own", await shop.Get("/c/o?multipart-manifest=get"));
        // Without the header it is what it is.
        await shop.Do("POST", "/c/o");
        Assert.Equal("own", await shop.Get("/c/o"));
    }

    [Fact]
    public async Task A_copy_of_a_manifest_is_the_whole_or_with_a_word_the_manifest()
    {
        await using var shop = await WithSegments();
        await shop.Put("/c/o?multipart-manifest=put", Manifest(new { path = "/s/x/1" }, new { path = "/s/x/3" }));
        Assert.Equal(201, (await shop.Do("COPY", "/c/o", null, ("Destination", "c/whole"))).Status);
        Assert.Equal(201, (await shop.Do("COPY", "/c/o?multipart-manifest=get", null, ("Destination", "c/list"))).Status);
        await shop.Do("DELETE", "/s/x/1");
        Assert.Equal("abcdeklm", await shop.Get("/c/whole"));
        Assert.Equal(409, await shop.Status("/c/list"));
    }
}
