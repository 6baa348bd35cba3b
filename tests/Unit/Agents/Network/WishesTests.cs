using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Networks;
using Xunit;

namespace Cloud.Tests.Unit.Agents.Network;

public sealed class WishesTests : IDisposable
{
    private static readonly PortSpec Port = new("port", null, "project", "fa:16:3e:00:00:0b", [], true, [], [], null);
    private readonly string file = Path.GetTempFileName();
    private readonly Ledger ledger;

    public WishesTests() => ledger = new Ledger(file);

    [Fact]
    public void What_is_known_of_a_network_is_not_replaced_by_something_older()
    {
        var wishes = new Wishes(ledger);
        Assert.True(wishes.Put(Net("a", 5)));
        Assert.Equal(5, wishes.Put(Net("a", 4), Port).Revision);
        Assert.False(wishes.Put(Net("a", 5)));
        Assert.True(wishes.Put(Net("a", 5) with { Peers = ["172.31.0.2"] }));
        var (router, changed) = wishes.Put(Router(Net("a", 3), Net("b", 1)));
        Assert.Equal([5, 1], router.Interfaces.Select(i => i.Network.Revision));
        Assert.Equal(["b"], changed.Select(n => n.NetworkId));
    }

    [Fact]
    public void After_a_restart_the_newest_on_disk_is_known()
    {
        ledger.Put(new EnsureNetwork(Net("a", 2)));
        ledger.Put(new EnsurePort(Net("a", 3), Port));
        ledger.Put(new EnsureRouter(Router(Net("a", 1), Net("b", 7))));
        var wishes = new Wishes(ledger);
        wishes.Load();
        Assert.Equal([("a", 3L), ("b", 7L)], wishes.Networks.Select(n => (n.NetworkId, n.Revision)).Order());
        Assert.Equal(("port", "a"), (wishes.PortsOf("a").Single().PortId, wishes.NetworkOf("port")));
    }

    [Fact]
    public void A_network_is_used_as_long_as_anything_is_on_it()
    {
        var wishes = new Wishes(ledger);
        wishes.Put(Net("a", 1), Port);
        wishes.Put(Router(Net("a", 1)));
        wishes.RemovePort("port");
        Assert.True(wishes.IsUsed("a"));
        wishes.RemoveRouter("router");
        Assert.False(wishes.IsUsed("a"));
        wishes.RemoveNetwork("a");
        Assert.Empty(ledger.All<EnsureNetwork>());
    }

    [Fact]
    public void Networks_have_zones_of_their_own_even_when_they_collide()
    {
        var wishes = new Wishes(ledger);
        var twins = Enumerable.Range(0, 3000).Select(i => $"net-{i}").GroupBy(n => Names.Short(n)[..4]).First(g => g.Count() > 1).ToList();
        Assert.Equal(wishes.Zone(twins[0]) + 1, wishes.Zone(twins[1]));
        Assert.Equal(wishes.Zone(twins[0]), wishes.Zone(twins[0]));
    }

    public void Dispose()
    {
        ledger.Dispose();
        foreach (var part in new[] { file, file + "-wal", file + "-shm" })
            File.Delete(part);
    }

    private static NetworkSpec Net(string id, long revision) => new(id, "project", 1, null, 1450, [], [], revision);

    private static RouterSpec Router(params NetworkSpec[] networks) =>
        new("router", "project", true, null, [.. networks.Select(n => new RouterInterface(n, "leg-" + n.NetworkId, "fa:16:3e:00:00:01", []))], [], []);
}
