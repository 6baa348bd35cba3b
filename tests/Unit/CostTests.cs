using Cloud.Network;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>What operations read and write, counted: it must not grow with what lies beside.</summary>
public sealed class CostTests
{
    [Theory]
    [InlineData("/compute/v2.1/servers/detail?limit=2")]
    [InlineData("/compute/v2.1/servers?limit=2&name=s")]
    [InlineData("/network/v2.0/networks?limit=2")]
    [InlineData("/network/v2.0/ports?limit=2")]
    public async Task A_page_reads_no_more_when_there_is_more_behind_it(string path)
    {
        await using var cloud = await TestCloud.Start();
        var stage = await Furnished(cloud);
        for (var i = 0; i < 4; i++) await More(stage, i);
        var few = await ReadsOf(stage, path);
        for (var i = 4; i < 9; i++) await More(stage, i);
        Assert.Equal(few, await ReadsOf(stage, path));
    }

    [Fact]
    public async Task The_next_page_begins_where_the_last_ended()
    {
        await using var cloud = await TestCloud.Start();
        var stage = await Furnished(cloud);
        for (var i = 0; i < 5; i++) await More(stage, i);
        var all = Ids(await stage.Send("GET", "/compute/v2.1/servers"), "servers");
        var first = Ids(await stage.Send("GET", "/compute/v2.1/servers?limit=2"), "servers");
        var second = Ids(await stage.Send("GET", $"/compute/v2.1/servers?limit=2&marker={first[^1]}"), "servers");
        var third = Ids(await stage.Send("GET", $"/compute/v2.1/servers?limit=2&marker={second[^1]}"), "servers");
        Assert.Equal<string>(all, first.Concat(second).Concat(third));
    }

    [Fact]
    public async Task What_others_share_is_in_its_place_among_ones_own()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.Send("POST", "/network/v2.0/networks", new { network = new { name = "mine-1" } }, "demo");
        await cloud.Send("POST", "/network/v2.0/networks", new { network = new { name = "theirs", shared = true } });
        await cloud.Send("POST", "/network/v2.0/networks", new { network = new { name = "mine-2" } }, "demo");
        await cloud.Drain();
        async Task<string[]> Names(string query) => [.. (await cloud.Send("GET", "/network/v2.0/networks" + query, user: "demo")).Body.GetProperty("networks").EnumerateArray().Select(n => n.GetProperty("name").GetString()!)];
        var all = await Names("");
        Assert.Equal(["mine-1", "mine-2", "theirs"], all.Order());
        var first = (await cloud.Send("GET", "/network/v2.0/networks?limit=1", user: "demo")).Body.GetProperty("networks")[0].GetProperty("id").GetString();
        Assert.Equal<string>(all, (await Names("?limit=1")).Concat(await Names("?limit=5&marker=" + first)));
    }

    [Fact]
    public async Task A_server_takes_a_handful_of_durable_writes()
    {
        await using var cloud = await TestCloud.Start();
        var stage = await Furnished(cloud);
        var store = default(CountingStore);
        var copy = stage.Copy(wrap: s => store = new(s));
        await copy.Server();
        Assert.Equal("ACTIVE", await copy.StatusOf("server", "server"));
        // Three of them are for what Gnocchi shows: server and port as they came, and the server when it runs.
        Assert.InRange(store!.Commits, 1, 33);
    }

    [Fact]
    public async Task An_address_of_a_wide_subnet_is_found_without_reading_all_and_a_repeat_finds_the_same()
    {
        await using var cloud = await TestCloud.Start();
        var (store, subnet) = (new CountingStore(cloud.Store), new Subnet { Id = "s", Cidr = "10.0.0.0/16", GatewayIp = "10.0.0.1", AllocationPools = [new("10.0.0.2", "10.0.99.255"), new("10.0.200.0", "10.0.255.254")] });
        var addresses = new HashSet<string>();
        for (var i = 0; i < 300; i++) Assert.True(addresses.Add(await Addresses.Claim(store, subnet, $"port-{i}", null)));
        Assert.InRange(store.Reads, 300, 400);
        var again = await Addresses.Claim(store, subnet, "port-7", null);
        Assert.DoesNotContain(await Addresses.Claim(store, subnet, "port-7", null, [again]), addresses);
        Assert.Contains(again, addresses);
    }

    [Fact]
    public async Task The_addresses_of_a_narrow_subnet_are_given_in_order_to_the_last()
    {
        await using var cloud = await TestCloud.Start();
        var subnet = new Subnet { Id = "s", Cidr = "10.0.0.0/29", GatewayIp = "10.0.0.3", AllocationPools = [new("10.0.0.2", "10.0.0.5")] };
        Assert.Equal("10.0.0.2", await Addresses.Claim(cloud.Store, subnet, "a", null));
        Assert.Equal("10.0.0.4", await Addresses.Claim(cloud.Store, subnet, "b", null));
        Assert.Equal("10.0.0.2", await Addresses.Claim(cloud.Store, subnet, "a", null));
        Assert.Equal("10.0.0.5", await Addresses.Claim(cloud.Store, subnet, "c", null));
        Assert.Equal("IpAddressGenerationFailure", (await Assert.ThrowsAsync<Platform.Rest.Fault>(async () => await Addresses.Claim(cloud.Store, subnet, "d", null))).Kind);
    }

    private static async Task<Stage> Furnished(TestCloud cloud)
    {
        var stage = new Stage(cloud, []);
        await stage.Project();
        await stage.Net();
        await stage.Image();
        return stage;
    }

    private static async Task More(Stage stage, int i)
    {
        await stage.Server($"server-{i}");
        await stage.Make($"net-{i}", "/network/v2.0/networks", "network", new { network = new { name = $"n-{i}" } });
        await stage.Port($"port-{i}");
    }

    private static async Task<int> ReadsOf(Stage stage, string path)
    {
        var store = default(CountingStore);
        var copy = stage.Copy(wrap: s => store = new(s));
        Stage.Good(await copy.Send("GET", path));
        return store!.Reads;
    }

    private static string[] Ids(Answer answer, string many) => [.. Stage.Good(answer).Body.GetProperty(many).EnumerateArray().Select(s => s.GetProperty("id").GetString()!)];
}
