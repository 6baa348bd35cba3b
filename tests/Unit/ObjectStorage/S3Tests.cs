using System.Xml.Linq;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class S3Tests
{
    private static async Task<(Shop Shop, S3Client S3)> Open(params string[] buckets)
    {
        var shop = await Shop.Open(buckets);
        return (shop, await S3Client.For(shop.Cloud));
    }

    private static string Error(Answer a) => XElement.Parse(a.Text).Element("Code")!.Value;

    private static IEnumerable<string> Values(Answer a, string name) => XElement.Parse(a.Text).Descendants().Where(e => e.Name.LocalName == name).Select(e => e.Value);

    [Fact]
    public async Task Buckets_and_keys_are_the_containers_and_objects_of_the_key_s_project()
    {
        var (shop, s3) = await Open();
        await using var _ = shop;
        Assert.Equal(200, (await s3.Send("PUT", "/bucket")).Status);
        Assert.Equal("BucketAlreadyOwnedByYou", Error(await s3.Send("PUT", "/bucket")));
        var put = await s3.Send("PUT", "/bucket/a/b%20c", "hello", headers: [("X-Amz-Meta-K", "v"), ("Content-Type", "text/x")]);
        Assert.Equal((200, $"\"{Shop.Md5("hello")}\""), (put.Status, put.Headers["ETag"]));
        Assert.Equal("hello", await shop.Get("/bucket/a/b%20c"));
        var got = await s3.Send("GET", "/bucket/a/b%20c", headers: [("Range", "bytes=1-2")]);
        Assert.Equal((206, "el", "v"), (got.Status, got.Text, got.Headers["x-amz-meta-k"]));
        Assert.Equal(["bucket"], Values(await s3.Send("GET", ""), "Name"));
        Assert.Equal("BucketNotEmpty", Error(await s3.Send("DELETE", "/bucket")));
        Assert.Equal((204, 204, 204), ((await s3.Send("DELETE", "/bucket/a/b%20c")).Status, (await s3.Send("DELETE", "/bucket/a/b%20c")).Status, (await s3.Send("DELETE", "/bucket")).Status));
        Assert.Equal(("NoSuchBucket", "NoSuchBucket"), (Error(await s3.Send("GET", "/bucket/x")), Error(await s3.Send("GET", "/bucket"))));
        Assert.Empty(await shop.Leftovers());
    }

    [Fact]
    public async Task Only_what_was_signed_now_with_a_live_key_is_done()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        Assert.Equal("SignatureDoesNotMatch", Error(await s3.With("guess").Send("GET", "/bucket")));
        Assert.Equal("InvalidAccessKeyId", Error(await new S3Client(shop.Cloud, "nobody", "x").Send("GET", "/bucket")));
        Assert.Equal("AccessDenied", Error(await shop.Cloud.Raw("GET", "/s3/bucket", null, null)));
        Assert.Equal("AccessDenied", Error(await shop.Cloud.Send("GET", "/s3/bucket")));
        Assert.Equal(400, (await s3.Send("PUT", "/bucket/o", "other", new string('0', 64))).Status);
        s3.Ahead = TimeSpan.FromMinutes(-16);
        Assert.Equal("RequestTimeTooSkewed", Error(await s3.Send("GET", "/bucket")));
        s3.Ahead = TimeSpan.FromMinutes(16);
        Assert.Equal("RequestTimeTooSkewed", Error(await s3.Send("GET", "/bucket")));
        s3.Ahead = TimeSpan.Zero;
        Assert.Equal("", await shop.Get("/bucket"));
        var user = (await shop.Cloud.Send("GET", "/identity/v3/users?name=demo")).Body.GetProperty("users")[0].GetProperty("id").GetString();
        await shop.Cloud.Send("PATCH", "/identity/v3/users/" + user, new { user = new { enabled = false } });
        Assert.Equal("InvalidAccessKeyId", Error(await s3.Send("GET", "/bucket")));
        Assert.Empty(shop.Cloud.Errors);
    }

    [Fact]
    public async Task What_is_signed_finds_its_way_without_a_prefix()
    {
        var (shop, s3) = await Open();
        await using var _ = shop;
        s3.Root = "";
        // Named as another service's paths begin.
        Assert.Equal(200, (await s3.Send("PUT", "/identity")).Status);
        Assert.Equal(200, (await s3.Send("PUT", "/identity/v3", "hello")).Status);
        Assert.Equal("hello", (await shop.Cloud.Raw("GET", s3.Presign("GET", "/identity/v3", 60), null, null, ("Host", "cloud"))).Text);
        Assert.Equal(["identity"], Values(await s3.Send("GET", "/"), "Name"));
        Assert.Equal(200, (await shop.Cloud.Raw("GET", "/identity/v3", null, null)).Status);
    }

    [Fact]
    public async Task A_presigned_address_does_one_thing_until_it_expires()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        Assert.Equal(200, (await shop.Cloud.Raw("PUT", s3.Presign("PUT", "/bucket/o", 60), null, "hello", ("Host", "cloud"), ("Content-Length", "5"))).Status);
        var get = s3.Presign("GET", "/bucket/o", 60);
        Assert.Equal("hello", (await shop.Cloud.Raw("GET", get, null, null, ("Host", "cloud"))).Text);
        Assert.Equal(403, (await shop.Cloud.Raw("DELETE", get, null, null, ("Host", "cloud"))).Status);
        Assert.Equal(403, (await shop.Cloud.Raw("GET", get.Replace("/o?", "/p?", StringComparison.Ordinal), null, null, ("Host", "cloud"))).Status);
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(403, (await shop.Cloud.Raw("GET", get, null, null, ("Host", "cloud"))).Status);
        Assert.Equal(403, (await shop.Cloud.Raw("GET", s3.Presign("GET", "/bucket/o", 8 * 86400), null, null, ("Host", "cloud"))).Status);
    }

    [Fact]
    public async Task Chunks_are_put_together_and_each_signature_counts()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        Assert.Equal(200, (await s3.Stream("/bucket/o", ["hello ", "world"])).Status);
        Assert.Equal("hello world", await shop.Get("/bucket/o"));
        Assert.Equal("SignatureDoesNotMatch", Error(await s3.Stream("/bucket/p", ["x"], forged: new string('0', 64))));
        Assert.Equal("IncompleteBody", Error(await s3.Send("PUT", "/bucket/p", "5\r\nab", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")));
        Assert.Equal(200, (await s3.Send("PUT", "/bucket/q", "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")).Status);
        Assert.Equal((404, "abc"), (await shop.Status("/bucket/p"), await shop.Get("/bucket/q")));
        Assert.Empty(shop.Cloud.Errors);
    }

    [Fact]
    public async Task Listings_go_on_where_the_last_page_ended()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        foreach (var key in new[] { "a", "b/1", "b/2", "c" }) await shop.Put("/bucket/" + key, "x");
        var first = await s3.Send("GET", "/bucket?list-type=2&max-keys=2&delimiter=%2F");
        Assert.Equal((["a"], ["b/"], ["true"]), (Values(first, "Key").ToArray(), XElement.Parse(first.Text).Elements().Where(e => e.Name.LocalName == "CommonPrefixes").Select(e => e.Value).ToArray(), Values(first, "IsTruncated").ToArray()), Same);
        var next = await s3.Send("GET", $"/bucket?continuation-token={Uri.EscapeDataString(Values(first, "NextContinuationToken").Single())}&delimiter=%2F&list-type=2");
        Assert.Equal((["c"], [], ["false"]), (Values(next, "Key").ToArray(), Values(next, "NextContinuationToken").ToArray(), Values(next, "IsTruncated").ToArray()), Same);
        Assert.Equal(["b/2", "c"], Values(await s3.Send("GET", "/bucket?marker=b%2F1"), "Key"));
    }

    private static bool Same((string[], string[], string[]) a, (string[], string[], string[]) b) => a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2) && a.Item3.SequenceEqual(b.Item3);

    [Fact]
    public async Task An_upload_in_parts_becomes_one_object_whose_parts_go_with_it()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        var upload = Values(await s3.Send("POST", "/bucket/big?uploads", headers: ("Content-Type", "text/x")), "UploadId").Single();
        var (five, rest) = (new string('x', 5 << 20), "the end");
        var tags = new List<string>();
        foreach (var (n, text) in new[] { (1, five), (2, rest), (3, "not wanted") }) tags.Add((await s3.Send("PUT", $"/bucket/big?partNumber={n}&uploadId={upload}", text)).Headers["ETag"]);
        string Wish(params (int Number, string ETag)[] parts) => $"<CompleteMultipartUpload>{string.Concat(parts.Select(p => $"<Part><PartNumber>{p.Number}</PartNumber><ETag>{p.ETag}</ETag></Part>"))}</CompleteMultipartUpload>";
        Assert.Equal("InvalidPart", Error(await s3.Send("POST", $"/bucket/big?uploadId={upload}", Wish((1, tags[1])))));
        Assert.Equal("EntityTooSmall", Error(await s3.Send("POST", $"/bucket/big?uploadId={upload}", Wish((2, tags[1]), (3, tags[2])))));
        Assert.Equal("InvalidPartOrder", Error(await s3.Send("POST", $"/bucket/big?uploadId={upload}", Wish((1, tags[0]), (1, tags[0])))));
        Assert.Equal("MalformedXML", Error(await s3.Send("POST", $"/bucket/big?uploadId={upload}", "<!DOCTYPE x><x/>")));
        Assert.EndsWith("-2\"", Values(await s3.Send("POST", $"/bucket/big?uploadId={upload}", Wish((1, tags[0]), (2, tags[1]))), "ETag").Single(), StringComparison.Ordinal);
        Assert.Equal("xthe end", (await s3.Send("GET", "/bucket/big", headers: ("Range", "bytes=-8"))).Text);
        Assert.Equal("NoSuchUpload", Error(await s3.Send("PUT", $"/bucket/big?partNumber=1&uploadId={upload}", "x")));
        Assert.Equal(["bucket"], Values(await s3.Send("GET", ""), "Name"));
        await s3.Send("DELETE", "/bucket/big");
        Assert.Equal((204, 204), ((await shop.Do("DELETE", "/bucket")).Status, (await shop.Do("DELETE", "/bucket%2Bsegments")).Status));
        Assert.Empty(await shop.Leftovers());
    }

    [Fact]
    public async Task Many_keys_go_at_once_and_copies_take_metadata_along()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        await s3.Send("PUT", "/bucket/a", "one", headers: ("X-Amz-Meta-K", "v"));
        Assert.Equal(200, (await s3.Send("PUT", "/bucket/b", headers: ("X-Amz-Copy-Source", "/bucket/a"))).Status);
        var copy = await s3.Send("GET", "/bucket/b");
        Assert.Equal(("one", "v"), (copy.Text, copy.Headers["x-amz-meta-k"]));
        var gone = await s3.Send("POST", "/bucket?delete", "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object><Object><Key>nothing</Key></Object></Delete>");
        Assert.Equal(["a", "b", "nothing"], Values(gone, "Key"));
        Assert.Equal("", await shop.Get("/bucket"));
        Assert.Equal("NotImplemented", Error(await s3.Send("GET", "/bucket?lifecycle")));
    }
}
