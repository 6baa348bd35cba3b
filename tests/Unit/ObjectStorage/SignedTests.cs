using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class SignedTests
{
    private static async Task<(Shop Shop, long Until)> WithKey()
    {
        var shop = await Shop.Open("c", "d");
        await shop.Do("POST", "", null, ("X-Account-Meta-Temp-Url-Key", "secret"));
        await shop.Do("POST", "/d", null, ("X-Container-Meta-Temp-Url-Key-2", "of d"));
        foreach (var o in new[] { "/c/o", "/c/p/x", "/d/o" }) await shop.Put(o, "hello", ("X-Object-Meta-Mine", "1"), ("X-Object-Meta-Public-Yours", "2"));
        return (shop, shop.Cloud.Services.Now.ToUnixTimeSeconds() + 60);
    }

    private static string Address(Shop shop, string method, string path, long until, string key = "secret", string? signed = null, string more = "") =>
        $"{path}?temp_url_sig={Shop.Hmac(key, $"{method}\n{until}\n{signed ?? shop.Signed + path}")}&temp_url_expires={until}{more}";

    [Fact]
    public async Task A_signed_address_does_one_thing_with_one_object_for_a_while()
    {
        var (shop, until) = await WithKey();
        await using var _ = shop;
        var get = Address(shop, "GET", "/c/o", until);
        var got = await shop.Stranger("GET", get);
        Assert.Equal((200, "hello", "attachment; filename=\"o\"; filename*=UTF-8''o", "2"), (got.Status, got.Text, got.Headers["Content-Disposition"], got.Headers["X-Object-Meta-Public-Yours"]));
        Assert.False(got.Headers.ContainsKey("X-Object-Meta-Mine"));
        Assert.Equal(200, (await shop.Stranger("HEAD", get)).Status);
        Assert.Equal(200, (await shop.Stranger("GET", Address(shop, "GET", "/c/o", until, signed: shop.Account + "/c/o"))).Status);
        Assert.Equal("inline", (await shop.Stranger("GET", get + "&inline")).Headers["Content-Disposition"]);
        Assert.Equal("attachment; filename=\"n%22.txt\"; filename*=UTF-8''n%22.txt", (await shop.Stranger("GET", get + "&filename=n%22.txt")).Headers["Content-Disposition"]);
        foreach (var (method, address) in new[]
        {
            ("PUT", get), ("DELETE", get), ("GET", get.Replace("/c/o", "/c/p/x", StringComparison.Ordinal)), ("GET", Address(shop, "GET", "/c/o", until, "guess")), ("GET", get.Replace($"={until}", $"={until + 1}", StringComparison.Ordinal)),
            ("GET", "/c/o?temp_url_expires=" + until), ("GET", "/c/o?temp_url_sig=00&temp_url_expires=" + until), ("GET", Address(shop, "GET", "/c", until)),
        }) Assert.Equal(401, (await shop.Stranger(method, address, "", ("Content-Length", "0"))).Status);
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal((401, 401), ((await shop.Stranger("GET", get)).Status, (await shop.Do("GET", get)).Status));
        Assert.Empty(shop.Cloud.Errors);
    }

    [Fact]
    public async Task A_signed_address_for_writing_writes_bytes_and_no_manifest()
    {
        var (shop, until) = await WithKey();
        await using var _ = shop;
        var put = Address(shop, "PUT", "/c/new", until);
        Assert.Equal(201, (await shop.Stranger("PUT", put, "text", ("Content-Length", "4"))).Status);
        Assert.Equal("text", await shop.Get("/c/new"));
        Assert.Equal(400, (await shop.Stranger("PUT", put, "", ("Content-Length", "0"), ("X-Object-Manifest", "d/"))).Status);
        Assert.Equal(400, (await shop.Stranger("PUT", put, "", ("Content-Length", "0"), ("X-Symlink-Target", "d/o"))).Status);
    }

    [Fact]
    public async Task A_container_s_key_opens_nothing_outside_of_it()
    {
        var (shop, until) = await WithKey();
        await using var _ = shop;
        Assert.Equal(200, (await shop.Stranger("GET", Address(shop, "GET", "/d/o", until, "of d"))).Status);
        Assert.Equal(401, (await shop.Stranger("GET", Address(shop, "GET", "/c/o", until, "of d"))).Status);
        await shop.Put("/d/link", "", ("X-Symlink-Target", "c/o"));
        Assert.Equal(401, (await shop.Stranger("GET", Address(shop, "GET", "/d/link", until, "of d"))).Status);
        Assert.Equal("hello", (await shop.Stranger("GET", Address(shop, "GET", "/d/link", until))).Text);
    }

    [Fact]
    public async Task A_prefix_opens_all_below_it_and_a_network_only_who_is_in_it()
    {
        var (shop, until) = await WithKey();
        await using var _ = shop;
        var below = Address(shop, "GET", "/c/p/x", until, signed: $"prefix:{shop.Signed}/c/p/", more: "&temp_url_prefix=p/");
        Assert.Equal(200, (await shop.Stranger("GET", below)).Status);
        Assert.Equal(401, (await shop.Stranger("GET", below.Replace("/c/p/x", "/c/o", StringComparison.Ordinal))).Status);
        // Nobody says where these requests come from.
        var sig = Shop.Hmac("secret", $"ip=198.51.100.0/24\nGET\n{until}\n{shop.Signed}/c/o");
        Assert.Equal(401, (await shop.Stranger("GET", $"/c/o?temp_url_sig={sig}&temp_url_expires={until}&temp_url_ip_range=198.51.100.0/24")).Status);
    }

    private static string Form(params (string Name, string? File, string Value)[] parts) =>
        string.Concat(parts.Select(p => $"--B\r\nContent-Disposition: form-data; name=\"{p.Name}\"{(p.File is null ? "" : $"; filename=\"{p.File}\"\r\nContent-Type: text/x-mine")}\r\n\r\n{p.Value}\r\n")) + "--B--\r\n";

    private static Task<Answer> Post(Shop shop, long until, string key, int most, string redirect, params (string, string?, string)[] files)
    {
        var signature = Shop.Hmac(key, $"{shop.Signed}/c/up-\n{redirect}\n5\n{most}\n{until}");
        (string, string?, string)[] fields = [("redirect", null, redirect), ("max_file_size", null, "5"), ("max_file_count", null, most.ToString()), ("expires", null, until.ToString()), ("signature", null, signature)];
        return shop.Stranger("POST", "/c/up-", Form([.. fields, .. files]), ("Content-Type", "multipart/form-data; boundary=B"));
    }

    [Fact]
    public async Task A_form_brings_files_as_far_as_its_maker_signed()
    {
        var (shop, until) = await WithKey();
        await using var _ = shop;
        Assert.Equal(201, (await Post(shop, until, "secret", 2, "", ("f", "1", "one"), ("g", "2", "two"))).Status);
        var one = await shop.Do("GET", "/c/up-1");
        Assert.Equal(("one", "text/x-mine", "two"), (one.Text, one.Headers.GetValueOrDefault("Content-Type", "text/x-mine"), await shop.Get("/c/up-2")));
        Assert.Equal(401, (await Post(shop, until, "guess", 2, "", ("f", "3", "x"))).Status);
        Assert.Equal(401, (await Post(shop, until - 61, "secret", 2, "", ("f", "3", "x"))).Status);
        Assert.Equal(413, (await Post(shop, until, "secret", 2, "", ("f", "3", "too long"))).Status);
        Assert.Equal(400, (await Post(shop, until, "secret", 0, "", ("f", "3", "x"))).Status);
        Assert.Equal(404, await shop.Status("/c/up-3"));
        var moved = await Post(shop, until, "secret", 1, "http://site/done?x=1", ("f", "4", "four"));
        Assert.Equal((303, "http://site/done?x=1&status=201&message="), (moved.Status, moved.Headers["Location"]));
        Assert.Equal(400, (await shop.Stranger("POST", "/c/up-", "no form", ("Content-Type", "multipart/form-data; boundary=B"))).Status);
        Assert.Empty(shop.Cloud.Errors);
    }
}
