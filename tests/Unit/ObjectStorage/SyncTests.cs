using Cloud.Platform;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

/// <summary>Containers that follow others, between two clouds.</summary>
public sealed class SyncTests
{
    private static readonly Settings Realm = new()
    {
        Sync = new() { Current = "//realm1/near", Realms = { ["realm1"] = new() { Key = "operators", Clusters = { ["near"] = "http://near.example/object-store/v1/", ["far"] = "http://far.example/object-store/v1/" } } } },
    };

    /// <summary>Both have the same accounts, and a container c each.</summary>
    private static async Task<(Shop Near, Shop Far)> Two(bool joined = true)
    {
        var (near, far) = (await Shop.Open(Realm, "c"), await Shop.Open(Realm, "c"));
        if (joined) Join(near, far);
        return (near, far);
    }

    private static void Join(Shop near, Shop far)
    {
        Bridge.Open(near.Cloud, far.Cloud, "far.example", "8.8.4.4");
        Bridge.Open(far.Cloud, near.Cloud, "near.example", "8.8.8.8");
    }

    private static string At(Shop shop, string cluster, bool realm = true) => realm ? $"//realm1/{cluster}/{shop.Account.Split('/')[3]}/c" : $"http://{cluster}.example{shop.Account}/c";

    private static async Task Follow(Shop from, Shop to, string cluster, bool realm = true)
    {
        Assert.Equal(204, (await to.Do("POST", "/c", null, ("X-Container-Sync-Key", "owners"))).Status);
        Assert.Equal(204, (await from.Do("POST", "/c", null, ("X-Container-Sync-Key", "owners"), ("X-Container-Sync-To", At(to, cluster, realm)))).Status);
    }

    private static Task<string> List(Shop shop) => shop.Get("/c?format=json");

    private static async Task Same(Shop near, Shop far)
    {
        Assert.Equal(await List(near), await List(far));
        Assert.Empty(near.Cloud.Errors.Concat(far.Cloud.Errors));
        Assert.DoesNotContain(near.Cloud.Store.All, r => r.Key.StartsWith("y|", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whatever_is_done_with_objects_is_done_at_the_other_end(bool realm)
    {
        var (near, far) = await Two();
        await near.Put("/c/before", "1");
        await Follow(near, far, "far", realm);
        await near.Put("/c/a%20%2F..%2Fb%C3%A9", "hello", ("Content-Type", "text/x"), ("X-Object-Meta-Color", "bl\u00e9u"), ("Content-Encoding", "gzip"));
        await near.Put("/c/gone", "x");
        await near.Put("/c/dies", "x", ("X-Delete-After", "100"));
        await near.Cloud.Drain();
        near.Cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        await near.Put("/c/a%20%2F..%2Fb%C3%A9", "again", ("Content-Type", "text/y"), ("X-Object-Meta-Color", "bl\u00e9u"));
        await near.Do("POST", "/c/before", null, ("X-Object-Meta-A", "b"));
        await near.Do("DELETE", "/c/gone");
        await near.Cloud.Drain();
        await Same(near, far);
        var there = await far.Do("GET", "/c/a%20%2F..%2Fb%C3%A9");
        Assert.Equal(("again", "bl\u00e9u"), (there.Text, there.Headers["X-Object-Meta-Color"]));
        Assert.Equal("b", (await far.Do("HEAD", "/c/before")).Headers["X-Object-Meta-A"]);
        Assert.Equal((await near.Do("HEAD", "/c/dies")).Headers["X-Delete-At"], (await far.Do("HEAD", "/c/dies")).Headers["X-Delete-At"]);
        Assert.Equal(404, await far.Status("/c/gone"));
        // What stands in its place at the other end: the owners' key, or what only the operators' key makes.
        Assert.All(near.Cloud.Internet.Sent, r => Assert.Equal(!realm, r.Contains("owners", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Links_and_manifests_go_as_such_and_may_come_before_what_they_stand_for()
    {
        var (near, far) = await Two();
        await near.Put("/c/z-part", "part");
        await near.Put("/c/a-whole?multipart-manifest=put", """[{"path":"/c/z-part"},{"path":"/c/z-part","range":"0-1"}]""");
        await near.Put("/c/b-link", "", ("X-Symlink-Target", "c/z-part"), ("X-Symlink-Target-Etag", Shop.Md5("part")));
        await near.Put("/c/c-dynamic", "", ("X-Object-Manifest", "c/z-"));
        await Follow(near, far, "far");
        await near.Cloud.Drain();
        await Same(near, far);
        Assert.Equal(("partpa", "part", "part"), (await far.Get("/c/a-whole"), await far.Get("/c/b-link"), await far.Get("/c/c-dynamic")));
    }

    [Fact]
    public async Task Two_that_follow_each_other_come_to_rest_and_the_later_change_wins()
    {
        var (near, far) = await Two();
        await Follow(near, far, "far");
        await Follow(far, near, "near");
        await near.Put("/c/n", "1");
        await far.Put("/c/f", "2");
        // Both change one before they hear of each other; the far clock is a little behind.
        await near.Put("/c/both", "near");
        near.Cloud.Clock.Advance(TimeSpan.FromSeconds(2));
        await near.Put("/c/both", "near, later");
        far.Cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        await far.Put("/c/both", "far");
        await Settle();
        Assert.Equal("near, later", await far.Get("/c/both"));
        // What was changed here comes after what it changes, though this clock says otherwise.
        await far.Put("/c/both", "far, last");
        await far.Do("DELETE", "/c/n");
        await Settle();
        Assert.Equal(("far, last", 404), (await near.Get("/c/both"), await near.Status("/c/n")));
        Assert.True(near.Cloud.Internet.Sent.Count(r => r.StartsWith("PUT", StringComparison.Ordinal)) < 6);

        async Task Settle()
        {
            for (var i = 0; i < 10; i++)
            {
                var sent = near.Cloud.Internet.Sent.Count + far.Cloud.Internet.Sent.Count;
                await near.Cloud.Drain();
                await far.Cloud.Drain();
                if (near.Cloud.Internet.Sent.Count + far.Cloud.Internet.Sent.Count == sent) break;
                Assert.True(i < 9);
            }
            await Same(near, far);
        }
    }

    [Fact]
    public async Task What_the_other_end_does_not_take_waits_in_order_and_its_owner_sees_why()
    {
        var (near, far) = await Two(joined: false);
        await Follow(near, far, "far");
        await near.Put("/c/1", "x");
        await near.Cloud.Drain();
        await near.Do("DELETE", "/c/1");
        await near.Put("/c/2", "x");
        await near.Cloud.Drain();
        Assert.Equal("The URL could not be fetched.", (await near.Do("HEAD", "/c")).Headers["X-Container-Sync-Error"]);
        Join(near, far);
        Assert.Equal("", await far.Get("/c"));
        await near.Cloud.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("2\n", await far.Get("/c"));
        Assert.False((await near.Do("HEAD", "/c")).Headers.ContainsKey("X-Container-Sync-Error"));
        // Another target is heard of at once, though the old one rests for long.
        await near.Do("POST", "/c", null, ("X-Container-Sync-To", "http://far.example/object-store/v1/AUTH_gone/c"));
        await near.Cloud.Drain();
        Assert.Equal("The other end answered 401.", (await near.Do("HEAD", "/c")).Headers["X-Container-Sync-Error"]);
        await near.Do("POST", "/c", null, ("X-Container-Sync-To", At(far, "far")));
        await near.Cloud.Drain();
        await Same(near, far);
        // Another key there: refused, tried less and less often, and once more with the hour at the latest.
        await far.Do("POST", "/c", null, ("X-Container-Sync-Key", "other"));
        await near.Put("/c/3", "x");
        await near.Cloud.Pass(TimeSpan.FromMinutes(10));
        Assert.Equal("The other end answered 401.", (await near.Do("HEAD", "/c")).Headers["X-Container-Sync-Error"]);
        await far.Do("POST", "/c", null, ("X-Container-Sync-Key", "owners"));
        await near.Cloud.Pass(TimeSpan.FromHours(1));
        near.Cloud.Forget();
        await Same(near, far);
    }

    [Fact]
    public async Task Many_go_in_turns_and_another_target_begins_anew()
    {
        var (near, far) = await Two();
        foreach (var i in Enumerable.Range(0, 130)) await near.Put($"/c/{i:D3}", "x");
        await Follow(near, far, "far");
        await near.Cloud.Drain();
        await Same(near, far);
        foreach (var i in Enumerable.Range(0, 130)) await near.Do("DELETE", $"/c/{i:D3}");
        await near.Cloud.Drain();
        await Same(near, far);
        await near.Put("/c/last", "x");
        await near.Do("POST", "/c", null, ("X-Container-Sync-To", ""));
        await near.Cloud.Drain();
        Assert.Equal(404, await far.Status("/c/last"));
        Assert.DoesNotContain(near.Cloud.Store.All, r => r.Key.StartsWith("y|", StringComparison.Ordinal) || r.Key.StartsWith("s|", StringComparison.Ordinal));
        await Follow(near, far, "far");
        await near.Cloud.Drain();
        await Same(near, far);
    }

    [Fact]
    public async Task Killed_at_any_write_it_goes_on_and_loses_nothing()
    {
        for (var kill = 0; ; kill++)
        {
            var (near, far) = await Two();
            await near.Put("/c/before", "1");
            await Follow(near, far, "far");
            // Killed on the way with all that was there at first, or with what was written down since.
            if (kill % 2 == 0) await near.Cloud.Drain();
            await near.Put("/c/a", "1");
            await near.Put("/c/b", "1");
            await near.Do("DELETE", "/c/a");
            var (n, died) = (0, false);
            near.Cloud.Store.OnCommit = _ =>
            {
                if (n++ != kill / 2 || died) return;
                died = true;
                throw new Death();
            };
            try { await near.Cloud.Drain(); }
            catch (Death) { near.Cloud.Restart(); }
            near.Cloud.Store.OnCommit = null;
            await near.Cloud.Drain();
            await Same(near, far);
            Assert.Equal("b\nbefore\n", await far.Get("/c"));
            if (!died && kill % 2 == 1) break;
            Assert.True(kill < 400);
        }
    }

    [Fact]
    public async Task Graves_go_after_a_week_and_a_lost_message_is_made_up_for_within_the_hour()
    {
        var (near, far) = await Two();
        await Follow(near, far, "far");
        await near.Put("/c/o", "x");
        foreach (var lost in await near.Cloud.Bus.Receive("object-sync", 100, TimeSpan.FromMinutes(1), TimeSpan.Zero)) await near.Cloud.Bus.Complete(lost);
        foreach (var lost in await near.Cloud.Bus.Receive("object-sync", 100, TimeSpan.FromMinutes(1), TimeSpan.Zero)) await near.Cloud.Bus.Complete(lost);
        await near.Run("sync");
        await near.Cloud.Drain();
        await Same(near, far);
        await near.Do("DELETE", "/c/o");
        await near.Cloud.Drain();
        Assert.Equal((1, 1), (Graves(near), Graves(far)));
        near.Cloud.Clock.Advance(TimeSpan.FromDays(8));
        far.Cloud.Clock.Advance(TimeSpan.FromDays(8));
        await near.Run("sync");
        await far.Run("sync");
        Assert.Equal((0, 0), (Graves(near), Graves(far)));

        static int Graves(Shop shop) => shop.Cloud.Store.All.Count(r => r.Key.StartsWith("t|", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("//realm1/near", "format")]
    [InlineData("//realm2/near/a/c", "realm key")]
    [InlineData("//realm1/other/a/c", "endpoint")]
    [InlineData("ftp://far.example/a/c", "http")]
    [InlineData("http://169.254.169.254/v1/a/c", "internal")]
    [InlineData("http://user:word@far.example/v1/a/c", "credentials")]
    [InlineData("http://far.example", "Path")]
    [InlineData("http://far.example/v1/a/c?x=1", "queries")]
    public async Task Nowhere_is_no_target(string to, string why)
    {
        await using var shop = await Shop.Open(Realm, "c");
        var answer = await shop.Do("POST", "/c", null, ("X-Container-Sync-To", to));
        Assert.Equal(400, answer.Status);
        Assert.Contains(why, answer.Text, StringComparison.Ordinal);
        Assert.Equal(400, (await shop.Do("POST", "/c", null, ("X-Versions-Enabled", "true"), ("X-Container-Sync-To", "http://far.example/v1/a/c"))).Status);
    }

    [Fact]
    public async Task The_realms_are_told_and_keys_are_not()
    {
        await using var shop = await Shop.Open(Realm, "c");
        var info = (await shop.Cloud.Raw("GET", "/info", null, null)).Text;
        Assert.Contains("""container_sync":{"realms":{"REALM1":{"clusters":{"NEAR":{"current":true},"FAR":{}}}}}""", info, StringComparison.Ordinal);
        await shop.Do("POST", "/c", null, ("X-Container-Sync-Key", "owners"), ("X-Container-Sync-To", "http://far.example/v1/a/c"), ("X-Container-Read", ".r:*,.rlistings"));
        var shown = await shop.Do("HEAD", "/c");
        Assert.Equal(("owners", "http://far.example/v1/a/c"), (shown.Headers["X-Container-Sync-Key"], shown.Headers["X-Container-Sync-To"]));
        Assert.DoesNotContain((await shop.Stranger("HEAD", "/c")).Headers.Keys, h => h.StartsWith("X-Container-Sync", StringComparison.Ordinal));
        await shop.Cloud.Drain();
        Assert.DoesNotContain(shop.Cloud.Events, e => e.ToString().Contains("owners", StringComparison.Ordinal));
    }
}
