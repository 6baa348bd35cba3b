using Cloud.Tests.Unit.ObjectStorage;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>What strangers and tenants may try with objects, by Swift's API and by S3's.</summary>
public sealed class ObjectAttacks
{
    [Fact]
    public async Task What_was_signed_for_S3_is_worth_nothing_after_a_quarter_of_an_hour()
    {
        await using var shop = await Shop.Open("bucket");
        var s3 = await S3Client.For(shop.Cloud);
        Assert.Equal(200, (await s3.Send("PUT", "/bucket/o", "first")).Status);
        shop.Cloud.Clock.Advance(TimeSpan.FromMinutes(15));
        s3.Ahead = -TimeSpan.FromMinutes(15);
        Assert.Equal(200, (await s3.Send("PUT", "/bucket/o", "again")).Status);
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        s3.Ahead -= TimeSpan.FromSeconds(1);
        Assert.Equal(403, (await s3.Send("PUT", "/bucket/o", "late")).Status);
        // What is signed is a request for objects: no token comes of it.
        Assert.Equal(403, (await s3.Send("POST", "/identity/v3/auth/tokens")).Status);
        shop.Cloud.Forget();
        Assert.Equal("again", await shop.Get("/bucket/o"));
    }

    [Fact]
    public async Task An_address_signed_for_writing_reads_nothing_and_ends_on_the_second()
    {
        await using var shop = await Shop.Open("c");
        await shop.Do("POST", "", null, ("X-Account-Meta-Temp-Url-Key", "secret"));
        await shop.Put("/c/o", "hello");
        var until = shop.Cloud.Services.Now.ToUnixTimeSeconds() + 10;
        string Address(string method) => $"/c/o?temp_url_sig={Shop.Hmac("secret", $"{method}\n{until}\n{shop.Signed}/c/o")}&temp_url_expires={until}";
        Assert.Equal((401, 401, 401), ((await shop.Stranger("GET", Address("PUT"))).Status, (await shop.Stranger("PUT", Address("GET"), "x", ("Content-Length", "1"))).Status, (await shop.Stranger("DELETE", Address("PUT"))).Status));
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(200, (await shop.Stranger("GET", Address("GET"))).Status);
        shop.Cloud.Clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(401, (await shop.Stranger("GET", Address("GET"))).Status);
    }

    [Theory]
    [InlineData("deep")]
    [InlineData("many")]
    [InlineData("doubled")]
    public async Task A_manifest_that_is_a_bomb_is_refused_at_once(string kind)
    {
        await using var shop = await Shop.Open("c");
        var manifest = kind switch
        {
            "deep" => new string('[', 1_000_000),
            "many" => "[" + string.Join(',', Enumerable.Repeat("{\"path\":\"/c/o\"}", 400_000)) + "]",
            _ => $"[{{{string.Join(',', Enumerable.Range(0, 400_000).Select(i => $"\"k{i}\":1"))}}}]",
        };
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.InRange((await shop.Put("/c/m?multipart-manifest=put", manifest)).Status, 400, 413);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20);
        Assert.Equal("", await shop.Get("/c"));
        Assert.Empty(shop.Cloud.Errors);
    }

    [Theory]
    [InlineData("<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><Delete><Object><Key>&b;</Key></Object></Delete>")]
    [InlineData("<!DOCTYPE d SYSTEM \"file:///etc/passwd\"><Delete/>")]
    [InlineData("<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY x SYSTEM \"http://169.254.169.254/\">]><Delete><Object><Key>&x;</Key></Object></Delete>")]
    public async Task Documents_that_define_something_are_no_documents(string document)
    {
        await using var shop = await Shop.Open("bucket");
        var s3 = await S3Client.For(shop.Cloud);
        Assert.Contains("MalformedXML", (await s3.Send("POST", "/bucket?delete", document)).Text, StringComparison.Ordinal);
        Assert.Contains("MalformedXML", (await s3.Send("PUT", "/bucket?versioning", document)).Text, StringComparison.Ordinal);
        Assert.Contains("MalformedXML", (await s3.Send("PUT", "/bucket?acl", document)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_fails_says_nothing_of_itself()
    {
        await using var shop = await Shop.Open("bucket");
        await shop.Put("/bucket/o", "hello");
        var s3 = await S3Client.For(shop.Cloud);
        foreach (var replica in shop.Cloud.Replicas) replica.Away = true;
        var answers = new List<Kit.Answer> { await shop.Do("GET", "/bucket/o"), await shop.Put("/bucket/p", "x"), await s3.Send("GET", "/bucket/o"), await s3.Send("PUT", "/bucket/p", "x") };
        shop.Cloud.Store.OnCommit = _ => throw new InvalidOperationException("canary: /var/lib/state.db");
        answers.AddRange([await shop.Do("POST", "/bucket", null, ("X-Container-Meta-A", "b")), await s3.Send("PUT", "/another")]);
        shop.Cloud.Store.OnCommit = null;
        foreach (var answer in answers)
        {
            Assert.InRange(answer.Status, 500, 503);
            Assert.DoesNotContain("canary", answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(" is away", answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("Exception", answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Strangers_leave_no_trace_however_many_they_are()
    {
        await using var shop = await Shop.Open("c");
        await shop.Cloud.Drain();
        string[] Rows() => [.. shop.Cloud.Store.All.Select(r => $"{r.Partition} {r.Key}")];
        var before = Rows();
        foreach (var n in Enumerable.Range(0, 50))
            foreach (var (method, path) in new[] { ("PUT", $"/c/{n}"), ("PUT", $"/new{n}"), ("POST", ""), ("PUT", $"/c/{n}?temp_url_sig=00&temp_url_expires=9999999999"), ("DELETE", "/c"), ("PUT", "?extract-archive=tar") })
                Assert.Equal(401, (await shop.Stranger(method, path, "x", ("Content-Length", "1"))).Status);
        foreach (var n in Enumerable.Range(0, 50)) Assert.Equal(403, (await shop.Cloud.Raw("PUT", $"/s3/bucket{n}/key", null, "x", ("Authorization", "AWS4-HMAC-SHA256 Credential=x/20300101/RegionOne/s3/aws4_request, SignedHeaders=host, Signature=0"), ("x-amz-date", "20300101T000000Z"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"))).Status);
        await shop.Cloud.Drain();
        Assert.Equal(before, Rows());
        Assert.All(shop.Cloud.Replicas, r => Assert.Empty(r.Blobs));
    }
}
