using System.Security.Cryptography;
using System.Text;
using Cloud.Platform;
using Cloud.Tests.Kit;
using Cloud.Tests.Unit.ObjectStorage;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>What may be tried at the door where other clusters come in.</summary>
public sealed class SyncAttacks
{
    private static readonly Settings Realm = new() { Sync = new() { Realms = { ["realm1"] = new() { Key = "operators", Key2 = "older", Clusters = { ["far"] = "http://far.example/v1/" } } } } };

    private static string Stamp(DateTimeOffset at) => ((at - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerSecond).ToString("0.00000", System.Globalization.CultureInfo.InvariantCulture);

#pragma warning disable CA5350 // as clusters sign
    private static string Sign(string realm, string method, string path, string stamp, string key, string nonce = "n") =>
        $"realm1 {nonce} " + Convert.ToHexStringLower(HMACSHA1.HashData(Encoding.UTF8.GetBytes(realm), Encoding.UTF8.GetBytes($"{method}\n{path}\n{stamp}\n{nonce}\n{key}")));
#pragma warning restore CA5350

    private static async Task<Answer> Come(Shop shop, string method, string path, DateTimeOffset at, string? proof, string body = "x", params (string, string)[] more) =>
        await shop.Stranger(method, path, method == "PUT" ? body : null, [.. proof is null ? (IEnumerable<(string, string)>)[] : [("X-Container-Sync-Auth", proof)], ("X-Timestamp", Stamp(at)), ("Content-Length", body.Length.ToString()), .. more]);

    [Fact]
    public async Task Only_what_both_keys_signed_gets_in_and_only_to_what_was_signed()
    {
        await using var shop = await Shop.Open(Realm, "c", "d", "none");
        foreach (var container in (string[])["/c", "/d"]) await shop.Do("POST", container, null, ("X-Container-Sync-Key", "owners" + container));
        await shop.Put("/d/o", "d's");
        var now = shop.Cloud.Services.Now;
        string Proof(string method, string path, string realm = "operators", string key = "owners/c") => Sign(realm, method, shop.Account + path, Stamp(now), key);
        Assert.Equal(201, (await Come(shop, "PUT", "/c/o", now, Proof("PUT", "/c/o"))).Status);
        Assert.Equal(201, (await Come(shop, "PUT", "/c/p", now, Sign("older", "PUT", shop.Signed + "/c/p", Stamp(now), "owners/c"))).Status);
        // Another's operators, another's owner, another object, another method, another time; nothing at all.
        foreach (var proof in (string?[])[Proof("PUT", "/c/x", "guess"), Proof("PUT", "/c/x", key: "guess"), Proof("PUT", "/c/y"), Proof("DELETE", "/c/x"), Sign("operators", "PUT", shop.Account + "/c/x", Stamp(now.AddSeconds(1)), "owners/c"), "realm1 n", "realm2 n 00", "", null])
            Assert.Equal(401, (await Come(shop, "PUT", "/c/x", now, proof)).Status);
        // It opens no other container, no container as a whole, no reading, no copying out of elsewhere.
        Assert.Equal((401, 401, 401, 401), ((await Come(shop, "PUT", "/none/o", now, Proof("PUT", "/none/o"))).Status, (await Come(shop, "PUT", "/c", now, Proof("PUT", "/c"))).Status,
            (await Come(shop, "GET", "/c/o", now, Proof("GET", "/c/o"))).Status, (await Come(shop, "PUT", "/c/q", now, Proof("PUT", "/c/q"), "", ("X-Copy-From", "d/o"))).Status));
        Assert.Equal(401, (await Come(shop, "PUT", "/c/x?extract-archive=tar", now, Proof("PUT", "/c/x"))).Status);
        // Who is signed wrongly gets nothing, even with a token.
        Assert.Equal(401, (await shop.Do("GET", "/c/o", null, ("X-Container-Sync-Auth", "realm1 n 00"))).Status);
        Assert.Equal(401, (await shop.Stranger("PUT", "/c/x", "x", ("X-Container-Sync-Key", "owners/d"), ("X-Timestamp", Stamp(now)), ("Content-Length", "1"))).Status);
        Assert.Empty(shop.Cloud.Errors);
    }

    [Fact]
    public async Task What_was_seen_on_the_wire_undoes_nothing()
    {
        await using var shop = await Shop.Open(Realm, "c");
        await shop.Do("POST", "/c", null, ("X-Container-Sync-Key", "owners"));
        var then = shop.Cloud.Services.Now;
        var (put, delete) = (Sign("operators", "PUT", shop.Account + "/c/o", Stamp(then), "owners"), Sign("operators", "DELETE", shop.Account + "/c/o", Stamp(then), "owners"));
        Assert.Equal(201, (await Come(shop, "PUT", "/c/o", then, put)).Status);
        Assert.Equal(202, (await Come(shop, "PUT", "/c/o", then, put, "forged")).Status);
        Assert.Equal("x", await shop.Get("/c/o"));
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        await shop.Put("/c/o", "newer");
        Assert.Equal((202, 409), ((await Come(shop, "PUT", "/c/o", then, put, "forged")).Status, (await Come(shop, "DELETE", "/c/o", then, delete)).Status));
        Assert.Equal("newer", await shop.Get("/c/o"));
        // Nor does it bring back what was deleted, here or by another cluster that never saw it.
        await shop.Do("DELETE", "/c/o");
        Assert.Equal(202, (await Come(shop, "PUT", "/c/o", then, put)).Status);
        var early = Sign("operators", "DELETE", shop.Account + "/c/p", Stamp(then.AddSeconds(1)), "owners");
        Assert.Equal(404, (await Come(shop, "DELETE", "/c/p", then.AddSeconds(1), early)).Status);
        Assert.Equal(202, (await Come(shop, "PUT", "/c/p", then, Sign("operators", "PUT", shop.Account + "/c/p", Stamp(then), "owners"))).Status);
        Assert.Equal("", await shop.Get("/c"));
        // From a future that never ends nothing comes.
        var far = shop.Cloud.Services.Now.AddDays(2);
        Assert.Equal(401, (await Come(shop, "PUT", "/c/o", far, Sign("operators", "PUT", shop.Account + "/c/o", Stamp(far), "owners"))).Status);
        Assert.Empty(shop.Cloud.Errors);
    }

    [Fact]
    public async Task Times_are_nobody_s_to_choose_without_the_key()
    {
        await using var shop = await Shop.Open(Realm, "c");
        await shop.Put("/c/o", "x", ("X-Timestamp", "1.00000"));
        Assert.NotEqual("0000000001.00000", (await shop.Do("HEAD", "/c/o")).Headers["X-Timestamp"]);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[null]")]
    [InlineData("""[{"name":"/c/o","hash":"h","bytes":-1}]""")]
    [InlineData("""[{"name":"/c/o","hash":"h","bytes":9,"range":"a"}]""")]
    [InlineData("{")]
    public async Task A_manifest_from_elsewhere_is_one_or_is_refused(string manifest)
    {
        await using var shop = await Shop.Open(Realm, "c");
        await shop.Do("POST", "/c", null, ("X-Container-Sync-Key", "owners"));
        var now = shop.Cloud.Services.Now;
        Assert.Equal(400, (await Come(shop, "PUT", "/c/m", now, Sign("operators", "PUT", shop.Account + "/c/m", Stamp(now), "owners"), manifest, ("X-Static-Large-Object", "True"))).Status);
        Assert.Empty(shop.Cloud.Errors);
        Assert.Empty(shop.Cloud.Replicas.SelectMany(r => r.Blobs.Keys));
    }
}
