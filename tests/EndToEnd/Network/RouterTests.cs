using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

public sealed class RouterTests
{
    [Fact]
    public async Task Guests_reach_the_internet_and_are_reached_at_floating_addresses()
    {
        await using var lab = new NetworkLab();
        var (host, internet) = await lab.HostWithInternet();
        var (a, b) = (Example.Port(11), Example.Port(12, Example.Ping));
        await host.Must(new EnsurePort(Example.Network(), a));
        await host.Must(new EnsurePort(Example.Network(), b));
        await host.Must(new EnsureRouter(Example.Router(Example.Network(), ("198.51.100.50", "10.0.0.12"))));
        var (ga, gb) = (await lab.Guest(host, a, "ga", "10.0.0.11/24"), await lab.Guest(host, b, "gb", "10.0.0.12/24"));

        Assert.True(await ga.Pings("198.51.100.1"), "source NAT");
        Assert.True(await internet.Pings("198.51.100.50"), "floating address from outside");
        Assert.True(await ga.Pings("198.51.100.50"), "floating address of a neighbour");
        Assert.True(await gb.Pings("198.51.100.50"), "own floating address");
        Assert.True(await ga.Pings("10.0.0.12"), "open");
        Assert.False(await gb.Pings("10.0.0.11"), "closed");
    }
}
