using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class VersionTests
{
    [Fact]
    public async Task What_is_overwritten_stays_in_the_other_container_and_a_delete_brings_it_back()
    {
        await using var shop = await Shop.Open("old");
        await shop.Do("PUT", "/c", null, ("X-Versions-Location", "old"));
        Assert.Equal("old", (await shop.Do("HEAD", "/c")).Headers["X-Versions-Location"]);
        await shop.Put("/c/o", "one");
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        await shop.Put("/c/o", "two");
        Assert.StartsWith("001o/", await shop.Get("/old"), StringComparison.Ordinal);
        Assert.Equal(204, (await shop.Do("DELETE", "/c/o")).Status);
        Assert.Equal(("one", ""), (await shop.Get("/c/o"), await shop.Get("/old")));
        Assert.Equal((204, 404), ((await shop.Do("DELETE", "/c/o")).Status, (await shop.Do("DELETE", "/c/o")).Status));
        foreach (var c in (string[])["/c", "/old"]) Assert.Equal(204, (await shop.Do("DELETE", c)).Status);
        Assert.Empty(await shop.Leftovers());
    }

    [Fact]
    public async Task A_history_keeps_what_was_deleted_and_when()
    {
        await using var shop = await Shop.Open("old");
        await shop.Do("PUT", "/c", null, ("X-History-Location", "old"));
        await shop.Put("/c/o", "one");
        shop.Cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(204, (await shop.Do("DELETE", "/c/o")).Status);
        Assert.Equal(404, await shop.Status("/c/o"));
        var kept = (await shop.Get("/old")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, kept.Length);
        Assert.Equal("one", await shop.Get("/old/" + kept[0]));
        Assert.Equal("application/x-deleted;swift_versions_deleted=1", (await shop.Do("HEAD", "/old/" + kept[1])).Headers["Content-Type"]);
    }

    [Fact]
    public async Task A_container_may_keep_all_versions_itself()
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/o", "before");
        await shop.Do("POST", "/c", null, ("X-Versions-Enabled", "true"));
        var one = (await shop.Put("/c/o", "one")).Headers["X-Object-Version-Id"];
        var two = (await shop.Put("/c/o", "two")).Headers["X-Object-Version-Id"];
        Assert.NotEqual(one, two);
        Assert.Equal(("two", "one", two), (await shop.Get("/c/o"), await shop.Get("/c/o?version-id=" + one), (await shop.Do("HEAD", "/c/o")).Headers["X-Object-Version-Id"]));
        Assert.Equal(204, (await shop.Do("DELETE", "/c/o")).Status);
        Assert.Equal((404, "two"), (await shop.Status("/c/o"), await shop.Get("/c/o?version-id=" + two)));
        var all = (await shop.Do("GET", "/c?versions")).Body.EnumerateArray().Select(e => (e.GetProperty("is_latest").GetBoolean(), e.GetProperty("bytes").GetInt64())).ToList();
        Assert.Equal([(true, 0), (false, 3), (false, 3), (false, 6)], all);
        var head = await shop.Do("HEAD", "/c");
        Assert.Equal(("0", "12"), (head.Headers["X-Container-Object-Count"], head.Headers["X-Container-Bytes-Used"]));
        Assert.Equal(409, (await shop.Do("DELETE", "/c")).Status);
        Assert.Equal((201, "one"), ((await shop.Put($"/c/o?version-id={one}", "")).Status, await shop.Get("/c/o")));
    }

    [Fact]
    public async Task Pages_of_versions_go_on_where_the_last_ended()
    {
        await using var shop = await Shop.Open("c");
        await shop.Do("POST", "/c", null, ("X-Versions-Enabled", "true"));
        foreach (var name in new[] { "a", "a b", "a", "b", "a" }) await shop.Put("/c/" + Uri.EscapeDataString(name), name);
        var whole = (await shop.Do("GET", "/c?versions")).Body.EnumerateArray().Select(e => (e.GetProperty("name").GetString()!, e.GetProperty("version_id").GetString()!)).ToList();
        Assert.Equal(["a", "a", "a", "a b", "b"], whole.Select(e => e.Item1));
        for (var i = 0; i < whole.Count - 1; i++)
        {
            var next = (await shop.Do("GET", $"/c?versions&limit=1&marker={Uri.EscapeDataString(whole[i].Item1)}&version_marker={whole[i].Item2}")).Body[0];
            Assert.Equal(whole[i + 1].Item2, next.GetProperty("version_id").GetString());
        }
        Assert.Equal("a b", (await shop.Do("GET", "/c?versions&limit=1&marker=a")).Body[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Each_version_goes_for_good_by_its_id()
    {
        await using var shop = await Shop.Open("c");
        await shop.Do("POST", "/c", null, ("X-Versions-Enabled", "true"));
        foreach (var text in new[] { "one", "two" }) await shop.Put("/c/o", text);
        await shop.Do("DELETE", "/c/o");
        foreach (var e in (await shop.Do("GET", "/c?versions")).Body.EnumerateArray().ToList())
            Assert.Equal(204, (await shop.Do("DELETE", $"/c/o?version-id={e.GetProperty("version_id").GetString()}")).Status);
        Assert.Equal(204, (await shop.Do("DELETE", "/c")).Status);
        Assert.Empty(await shop.Leftovers());
    }

    [Fact]
    public async Task Without_versions_from_some_time_on_older_ones_stay()
    {
        await using var shop = await Shop.Open("c");
        await shop.Do("POST", "/c", null, ("X-Versions-Enabled", "true"));
        var one = (await shop.Put("/c/o", "one")).Headers["X-Object-Version-Id"];
        await shop.Do("POST", "/c", null, ("X-Versions-Enabled", "false"));
        await shop.Put("/c/o", "two");
        await shop.Put("/c/o", "three");
        Assert.Equal(("three", "one"), (await shop.Get("/c/o?version-id=null"), await shop.Get("/c/o?version-id=" + one)));
        Assert.Equal(2, (await shop.Do("GET", "/c?versions")).Body.GetArrayLength());
        Assert.Equal((204, 404), ((await shop.Do("DELETE", "/c/o")).Status, await shop.Status("/c/o")));
        Assert.Equal("one", await shop.Get("/c/o?version-id=" + one));
    }
}
