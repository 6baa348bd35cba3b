using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

/// <summary>Names may have 1024 bytes, each of which may take three characters of a key; keys have an end.</summary>
public sealed class LongNameTests
{
    private static readonly string Same = new('/', 350);
    private static readonly string[] Long =
    [
        Same, Same + "a", .. Enumerable.Range(0, 20).Select(i => $"{Same}{new string('b', 100)}{i * 7 % 20:D2}"), Same + new string('c', 400), Same + string.Concat(Enumerable.Repeat("\U0001F600", 60)), "z",
    ];

    private static string Path(string name) => "/c/" + Uri.EscapeDataString(name);

    private static async Task<Shop> Filled()
    {
        var shop = await Shop.Open("c");
        foreach (var name in Long) Assert.Equal(201, (await shop.Put(Path(name), name.Length.ToString())).Status);
        return shop;
    }

    private static readonly string[] InOrder = [.. Long.OrderBy(n => n, Comparer<string>.Create((a, b) => System.Text.Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(b))))];

    private static async Task<string[]> Names(Shop shop, string query) => (await shop.Get("/c" + query)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public async Task No_key_is_longer_than_stores_take()
    {
        await using var shop = await Filled();
        Assert.All(shop.Cloud.Store.All, r => Assert.True(r.Key.Length <= 512, r.Key));
        foreach (var name in Long) Assert.Equal(name.Length.ToString(), await shop.Get(Path(name)));
        Assert.Equal(204, (await shop.Do("DELETE", Path(Long[5]))).Status);
        Assert.Equal(404, await shop.Status(Path(Long[5])));
    }

    [Fact]
    public async Task Long_names_are_listed_in_order_and_pages_lose_none()
    {
        await using var shop = await Filled();
        Assert.Equal(InOrder, await Names(shop, ""));
        Assert.Equal(InOrder.Reverse(), await Names(shop, "?reverse=on"));
        foreach (var limit in new[] { 1, 3, 7 })
        {
            var all = new List<string>();
            for (string[] page = [""]; page.Length > 0;)
                all.AddRange(page = await Names(shop, $"?limit={limit}&marker={Uri.EscapeDataString(all.LastOrDefault() ?? "")}"));
            Assert.Equal(InOrder, all);
        }
        Assert.Equal(InOrder[..5], await Names(shop, "?end_marker=" + Uri.EscapeDataString(InOrder[5])));
        var prefix = Same + new string('b', 100) + "1";
        Assert.Equal(InOrder.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)), await Names(shop, "?prefix=" + Uri.EscapeDataString(prefix)));
        var common = prefix[..^1];
        Assert.Equal([common + "00", common + "01", common + "02"], await Names(shop, $"?delimiter=1&limit=3&prefix={Uri.EscapeDataString(common)}"));
    }

    [Fact]
    public async Task Pages_of_their_versions_lose_none_either()
    {
        await using var shop = await Shop.Open("c");
        await shop.Do("POST", "/c", null, ("X-Versions-Enabled", "true"));
        string[] names = [Same + new string('b', 100), Same + new string('a', 100), "short", Same + new string('c', 100)];
        foreach (var round in Enumerable.Range(1, 4))
            foreach (var name in names) await shop.Put(Path(name), new string('x', round));
        var whole = await Lines("");
        Assert.Equal(16, whole.Count);
        Assert.Equal(names.Order(StringComparer.Ordinal).SelectMany(n => Enumerable.Repeat(n, 4)), whole.Select(v => v.Name));
        foreach (var limit in new[] { 1, 2, 3, 5 })
        {
            var all = new List<(string Name, string Version, long Bytes)>();
            for (List<(string Name, string Version, long Bytes)> page = [("", "", 0)]; page.Count > 0;)
                all.AddRange(page = await Lines($"&limit={limit}" + (all.Count == 0 ? "" : $"&marker={Uri.EscapeDataString(all[^1].Name)}&version_marker={all[^1].Version}")));
            Assert.Equal(whole, all);
        }

        async Task<List<(string Name, string Version, long Bytes)>> Lines(string query) =>
            [.. (await shop.Do("GET", "/c?versions" + query)).Body.EnumerateArray().Select(e => (e.GetProperty("name").GetString()!, e.GetProperty("version_id").GetString()!, e.GetProperty("bytes").GetInt64()))];
    }
}
