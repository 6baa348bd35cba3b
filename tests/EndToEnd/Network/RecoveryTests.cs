using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

public sealed class RecoveryTests
{
    private static readonly NetworkSpec Network = Example.Network("net-1", Example.Subnet, Example.Subnet6("dhcpv6-stateful"));
    private static readonly PortSpec Port = Example.Port(11, Example.Ping) with { FixedIps = [new("s4", "10.0.0.11"), new("s6", "fd00::11")] };
    private static readonly RouterSpec Router = Example.Router(Network, ("198.51.100.50", "10.0.0.11")) with
    {
        Interfaces = [new(Network, "router-1-in", Example.Mac(101), ["10.0.0.1/24", "fd00::1/64"])],
        Routes = [new("10.77.0.0/16", "10.0.0.77")],
    };

    [Fact]
    public async Task What_was_deleted_by_hand_comes_back()
    {
        await using var lab = new NetworkLab();
        var (host, internet) = await lab.HostWithInternet();
        await host.Must(new EnsurePort(Network, Port));
        await host.Must(new EnsureRouter(Router));
        var before = await host.Picture();

        await host.Tool.Run("nft", ["flush", "ruleset"], Patience.Token);
        foreach (var name in (await Ip.Interfaces(host.Tool, Patience.Token)).Keys.Where(n => n.StartsWith("cs", StringComparison.Ordinal)))
            await host.Tool.Try("ip", ["link", "del", "dev", name], Patience.Token);
        await host.Restart();
        Assert.Equal(before, await host.Picture());
        Assert.Equal(["port/port-11", "router/router-1"], (await host.Parts.Holder.Items(Patience.Token)).Select(i => i.Key));
        await lab.Guest(host, Port, "a", "10.0.0.11/24");
        Assert.True(await internet.Pings("198.51.100.50"));
    }

    [Fact]
    public async Task A_repeated_command_puts_right_what_drifted()
    {
        await using var lab = new NetworkLab();
        var (host, _) = await lab.HostWithInternet();
        await host.Must(new EnsurePort(Network, Port));
        await host.Must(new EnsureRouter(Router));
        var before = await host.Picture();
        await host.Must(new EnsurePort(Network, Port));
        await host.Must(new EnsureRouter(Router));
        Assert.Equal(before, await host.Picture());

        var (tap, bridge, leg, outer) = (Names.Tap("port-11"), Names.Bridge("net-1"), Names.RouterPort("router-1-in"), Names.RouterPort("router-1-ext"));
        await Ip.Apply(host.Tool, new Script().Add($"link set dev {tap} nomaster\nlink set dev {bridge} mtu 900 type bridge nf_call_iptables 0\nlink set dev {leg} nomaster down"), Patience.Token);
        await host.Tool.Run("nft", ["flush", "ruleset"], Patience.Token);
        await Ip.Apply(host.Inside(Names.DhcpNamespace("net-1")), new Script().Add($"addr flush dev dhcp\naddr add 10.0.0.66/24 dev dhcp"), Patience.Token);
        await Ip.Apply(host.Inside(Names.RouterNamespace("router-1")), new Script().Add($"addr flush dev {leg}\nroute del default\nroute add 10.66.0.0/16 via 198.51.100.66 proto static\naddr add 198.51.100.66/32 dev {outer}"), Patience.Token);
        await host.Inside(Names.RouterNamespace("router-1")).Run("nft", ["flush", "ruleset"], Patience.Token);
        Assert.NotEqual(before, await host.Picture());

        await host.Must(new EnsurePort(Network, Port));
        await host.Must(new EnsureRouter(Router));
        Assert.Equal(before, await host.Picture());
    }

    [Fact]
    public async Task Leftovers_of_a_lost_ledger_go_and_what_is_others_stays()
    {
        await using var lab = new NetworkLab();
        var (host, _) = await lab.HostWithInternet();
        var bare = await host.Picture();
        await host.Must(new EnsurePort(Network, Port));
        await host.Must(new EnsureRouter(Router));
        await host.Tool.Run("ip", ["link", "add", "cstffffffffffff", "type", "bridge"], Patience.Token);
        host.Ledger.Forget("port/port-11");
        host.Ledger.Forget("router/router-1");

        await host.Restart();
        Assert.Empty(await host.Parts.Holder.Items(Patience.Token));
        await host.Tool.Run("ip", ["link", "del", "cstffffffffffff"], Patience.Token);
        Assert.Equal(bare, await host.Picture());
    }

    [Fact]
    public async Task Removing_the_last_leaves_the_machine_as_it_was()
    {
        await using var lab = new NetworkLab();
        var (host, _) = await lab.HostWithInternet();
        var bare = await host.Picture();
        // Alone, without a router that would hold the network or take it along.
        await host.Must(new EnsurePort(Network, Port));
        await host.Must(new RemovePort("port-11"));
        Assert.Equal(bare, await host.Picture());

        var second = Example.Port(12) with { FixedIps = [new("s4", "10.0.0.12")] };
        await host.Must(new EnsurePort(Network, Port));
        var one = await host.Picture();
        await host.Must(new EnsurePort(Network, second));
        await host.Must(new RemovePort("port-12"));
        Assert.Equal(one, await host.Picture());
        await host.Must(new EnsureRouter(Router));
        await host.Must(new RemovePort("port-11"));
        Assert.DoesNotContain(Names.DhcpNamespace("net-1"), await host.Picture(), StringComparison.Ordinal);
        await host.Must(new RemovePort("port-11"));
        await host.Must(new RemoveRouter("router-1"));
        await host.Must(new RemoveRouter("router-1"));
        Assert.Equal(bare, await host.Picture());
        Assert.Empty(host.Ledger.All<EnsureNetwork>());
    }
}
