using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

/// <summary>What an account holds is known without looking at all that it holds.</summary>
public sealed class AccountSumTests
{
    [Fact]
    public async Task Sums_are_those_of_what_is_there()
    {
        await using var shop = await Shop.Open("c", "d");
        Assert.Equal(("2", "0", "0"), await shop.Sums());
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => shop.Put($"/{(i % 2 == 0 ? "c" : "d")}/{i}", new string('x', i))));
        Assert.Equal(("2", "40", "780"), await shop.Sums());
        await shop.Do("DELETE", "/c/10");
        await shop.Put("/c/12", "x");
        await shop.Do("PUT", "/c");
        Assert.Equal(("2", "39", "759"), await shop.Sums());
        foreach (var i in Enumerable.Range(0, 40)) await shop.Do("DELETE", $"/{(i % 2 == 0 ? "c" : "d")}/{i}");
        await shop.Do("DELETE", "/c");
        Assert.Equal(("1", "0", "0"), await shop.Sums());
        await shop.Do("DELETE", "/d");
        Assert.Equal(("0", "0", "0"), await shop.Sums());
        Assert.Empty(await shop.Leftovers());
    }

    [Fact]
    public async Task An_account_from_before_there_were_sums_is_counted_once()
    {
        await using var shop = await Shop.Open("c", "d");
        await shop.Put("/c/1", "123");
        var account = "objects." + shop.Account.Split('_')[1];
        var sums = shop.Cloud.Store.All.Where(r => r.Partition == account && r.Key.StartsWith($"n|{shop.Account.Split('_')[1]}|", StringComparison.Ordinal)).Select(r => (Op)new Op.Delete(r.Key)).ToList();
        Assert.NotEmpty(sums);
        await shop.Cloud.Store.Commit(account, sums);
        Assert.Equal(("2", "1", "3"), await shop.Sums());
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => shop.Put($"/d/{i}", "x")));
        Assert.Equal(("2", "11", "13"), await shop.Sums());
    }

    [Fact]
    public async Task Killed_at_any_write_they_stay_true()
    {
        for (var kill = 0; kill < 16; kill++)
            foreach (var before in (bool[])[true, false])
            {
                await using var shop = await Shop.Open();
                var n = 0;
                shop.Cloud.Store.OnCommit = after => { if (after != before && n++ == kill) throw new Death(); };
                foreach (var (method, path) in (IEnumerable<(string, string)>)[("PUT", "/c"), ("PUT", "/c/1"), ("PUT", "/c/2"), ("DELETE", "/c/1")])
                    try { await (path.Length > 2 && method == "PUT" ? shop.Put(path, "x") : shop.Do(method, path)); }
                    catch (Death) { shop.Cloud.Restart(); }
                shop.Cloud.Store.OnCommit = null;
                var names = (await shop.Get("/c")) is var text && text.StartsWith('<') ? [] : text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
                Assert.Equal((await shop.Status("/c") == 404 ? "0" : "1", $"{names.Length}", $"{names.Length}"), await shop.Sums());
            }
    }

    [Fact]
    public async Task A_look_at_an_account_costs_the_same_however_much_is_in_it()
    {
        CountingStore? counting = null;
        await using var shop = await Shop.Open();
        foreach (var i in Enumerable.Range(0, 300)) await shop.Do("PUT", $"/c{i:D3}");
        await using var counted = shop.Cloud.Copy(wrap: store => counting = new CountingStore(store));
        await using var look = new Shop { Cloud = counted, Account = shop.Account };
        await look.Do("HEAD", "");
        var before = counting!.Reads;
        await look.Do("HEAD", "");
        Assert.InRange(counting.Reads - before, 1, 40);
        before = counting.Reads;
        Assert.Equal(5, (await look.Get("?limit=5")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.InRange(counting.Reads - before, 1, 150);
    }

    [Fact]
    public async Task A_page_of_folders_costs_what_it_shows()
    {
        CountingStore? counting = null;
        await using var shop = await Shop.Open("deep", "flat");
        foreach (var i in Enumerable.Range(0, 600)) await shop.Put($"/deep/{i % 3}/{i:D4}", "");
        foreach (var i in Enumerable.Range(0, 300)) await shop.Put($"/flat/{i:D4}/o", "");
        await using var counted = shop.Cloud.Copy(wrap: store => counting = new CountingStore(store));
        await using var look = new Shop { Cloud = counted, Account = shop.Account };
        var before = counting!.Reads;
        Assert.Equal("0/\n1/\n2/\n", await look.Get("/deep?delimiter=/"));
        Assert.InRange(counting.Reads - before, 3, 30);
        Assert.Equal("2/\n1/\n0/\n", await look.Get("/deep?delimiter=/&reverse=on"));
        Assert.Equal(300, (await look.Get("/flat?delimiter=/")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}
