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

    [Fact]
    public async Task An_upload_that_nobody_completes_is_gone_after_a_week()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        var upload = Values(await s3.Send("POST", "/bucket/big?uploads"), "UploadId").Single();
        await s3.Send("PUT", $"/bucket/big?partNumber=1&uploadId={upload}", "a part");
        await shop.Put("/bucket%2Bsegments/kept", "not a part");
        shop.Cloud.Clock.Advance(TimeSpan.FromDays(7));
        shop.Cloud.Forget();
        Assert.Equal("NoSuchUpload", Error(await s3.Send("PUT", $"/bucket/big?partNumber=2&uploadId={upload}", "late")));
        await shop.Run("expire");
        Assert.Equal("kept\n", await shop.Get("/bucket%2Bsegments"));
        await shop.Do("DELETE", "/bucket%2Bsegments/kept");
        Assert.Equal((204, 204), ((await shop.Do("DELETE", "/bucket%2Bsegments")).Status, (await shop.Do("DELETE", "/bucket")).Status));
        Assert.Empty(await shop.Leftovers());
    }

    [Fact]
    public async Task A_bucket_keeps_versions_until_each_is_deleted()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        Assert.Empty(Values(await s3.Send("GET", "/bucket?versioning"), "Status"));
        Assert.Equal(200, (await s3.Send("PUT", "/bucket?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")).Status);
        Assert.Equal(["Enabled"], Values(await s3.Send("GET", "/bucket?versioning"), "Status"));
        var ids = new List<string>();
        foreach (var text in new[] { "one", "two" }) ids.Add((await s3.Send("PUT", "/bucket/o", text)).Headers["x-amz-version-id"]);
        var gone = await s3.Send("DELETE", "/bucket/o");
        Assert.Equal((204, "true"), (gone.Status, gone.Headers["x-amz-delete-marker"]));
        Assert.Equal("NoSuchKey", Error(await s3.Send("GET", "/bucket/o")));
        Assert.Equal(("one", "two"), ((await s3.Send("GET", $"/bucket/o?versionId={ids[0]}")).Text, (await s3.Send("GET", $"/bucket/o?versionId={ids[1]}")).Text));
        Assert.Equal("NoSuchVersion", Error(await s3.Send("GET", "/bucket/o?versionId=1893456000.9999999")));

        var first = await s3.Send("GET", "/bucket?versions&max-keys=2");
        Assert.Equal([gone.Headers["x-amz-version-id"], ids[1]], Values(first, "VersionId"));
        Assert.Equal(["true", "false"], Values(first, "IsLatest"));
        var rest = await s3.Send("GET", $"/bucket?versions&key-marker=o&version-id-marker={Values(first, "NextVersionIdMarker").Single()}");
        Assert.Equal(([ids[0]], "false"), (Values(rest, "VersionId").ToArray(), Values(rest, "IsTruncated").Single()), (a, b) => a.Item1.SequenceEqual(b.Item1) && a.Item2 == b.Item2);

        Assert.Equal(200, (await s3.Send("PUT", "/bucket/back", headers: ("X-Amz-Copy-Source", $"/bucket/o?versionId={ids[0]}"))).Status);
        Assert.Equal("one", (await s3.Send("GET", "/bucket/back")).Text);
        var all = await s3.Send("GET", "/bucket?versions");
        var wish = string.Concat(Values(all, "Key").Zip(Values(all, "VersionId")).Select(v => $"<Object><Key>{v.First}</Key><VersionId>{v.Second}</VersionId></Object>"));
        Assert.Equal(4, Values(await s3.Send("POST", "/bucket?delete", $"<Delete>{wish}</Delete>"), "VersionId").Count());
        Assert.Equal(204, (await s3.Send("DELETE", "/bucket")).Status);
        Assert.Empty(await shop.Leftovers());
    }

    [Fact]
    public async Task Parts_of_a_version_stay_as_long_as_it()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        await s3.Send("PUT", "/bucket?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
        var upload = Values(await s3.Send("POST", "/bucket/big?uploads"), "UploadId").Single();
        var tag = (await s3.Send("PUT", $"/bucket/big?partNumber=1&uploadId={upload}", "a part")).Headers["ETag"];
        await s3.Send("POST", $"/bucket/big?uploadId={upload}", $"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>");
        var version = (await s3.Send("GET", "/bucket/big")).Headers["x-amz-version-id"];
        await s3.Send("PUT", "/bucket/big", "other");
        Assert.Equal("a part", (await s3.Send("GET", $"/bucket/big?versionId={version}")).Text);
        await s3.Send("DELETE", "/bucket/big");
        Assert.Equal("a part", (await s3.Send("GET", $"/bucket/big?versionId={version}")).Text);
        Assert.Equal(204, (await s3.Send("DELETE", $"/bucket/big?versionId={version}")).Status);
        Assert.Equal("", await shop.Get("/bucket%2Bsegments"));
    }

    [Fact]
    public async Task A_bucket_s_list_lets_others_read_and_a_key_has_none()
    {
        var (shop, s3) = await Open();
        await using var _ = shop;
        Assert.Equal(200, (await s3.Send("PUT", "/bucket", headers: ("X-Amz-Acl", "public-read"))).Status);
        await s3.Send("PUT", "/bucket/o", "hello", headers: ("X-Amz-Acl", "private"));
        Assert.Equal("hello", (await shop.Stranger("GET", "/bucket/o")).Text);
        Assert.Contains("http://acs.amazonaws.com/groups/global/AllUsers", Values(await s3.Send("GET", "/bucket?acl"), "URI"));
        Assert.Equal(200, (await s3.Send("PUT", "/bucket?acl", headers: ("X-Amz-Acl", "private"))).Status);
        Assert.Equal(401, (await shop.Stranger("GET", "/bucket/o")).Status);

        static string List(string grantee, string permission) => $"<AccessControlPolicy><AccessControlList><Grant><Grantee>{grantee}</Grantee><Permission>{permission}</Permission></Grant></AccessControlList></AccessControlPolicy>";
        const string everybody = "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>";
        await s3.Send("PUT", "/bucket?acl", List("<ID>p</ID>", "FULL_CONTROL"));
        var container = await shop.Do("HEAD", "/bucket");
        Assert.Equal(("p:*", "p:*"), (container.Headers["X-Container-Read"], container.Headers["X-Container-Write"]));
        Assert.Equal(("NotImplemented", "NotImplemented"), (Error(await s3.Send("PUT", "/bucket?acl", List(everybody, "WRITE"))), Error(await s3.Send("PUT", "/bucket?acl", List("<ID>p</ID>", "READ_ACP")))));
        Assert.Equal(("NotImplemented", "NotImplemented"), (Error(await s3.Send("PUT", "/bucket/o?acl", List(everybody, "READ"))), Error(await s3.Send("PUT", "/bucket/p", "x", headers: ("X-Amz-Acl", "public-read")))));
        Assert.Equal(404, await shop.Status("/bucket/p"));
    }

    [Fact]
    public async Task What_clients_ask_of_settings_that_are_not_here_is_said_in_S3_s_words()
    {
        var (shop, s3) = await Open("bucket");
        await using var _ = shop;
        await s3.Send("PUT", "/bucket/o", "x");
        Assert.Equal(("NoSuchTagSet", 200), (Error(await s3.Send("GET", "/bucket?tagging")), (await s3.Send("GET", "/bucket/o?tagging")).Status));
        Assert.Equal(("NotImplemented", "NotImplemented"), (Error(await s3.Send("PUT", "/bucket?lifecycle", "<x/>")), Error(await s3.Send("PUT", "/bucket/o?tagging", "<x/>"))));
        Assert.Equal("RegionOne", XElement.Parse((await s3.Send("GET", "/bucket?location")).Text).Value);
        Assert.Equal("x", await shop.Get("/bucket/o"));
    }
}
