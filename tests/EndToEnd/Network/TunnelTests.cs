using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

public sealed class TunnelTests
{
    [Fact]
    public async Task Guests_on_two_hosts_share_a_network_and_each_host_serves_its_own()
    {
        await using var lab = new NetworkLab();
        Assert.SkipUnless(File.Exists("/usr/bin/busybox") || File.Exists("/bin/busybox"), "needs busybox");
        var (one, two) = (await lab.Host("h1", "172.31.0.1"), await lab.Host("h2", "172.31.0.2"));
        await lab.Cable("h1", "ul", "h2", "ul");
        await Ip.Apply(one.Tool, new Script().Add($"addr add 172.31.0.1/24 dev ul\nlink set ul up"), Patience.Token);
        await Ip.Apply(two.Tool, new Script().Add($"addr add 172.31.0.2/24 dev ul\nlink set ul up"), Patience.Token);
        var network = Example.Network();
        var (a, b) = (Example.Port(11), Example.Port(12, Example.Ping));
        await one.Must(new EnsurePort(network, a));
        await two.Must(new EnsurePort(network with { Peers = ["172.31.0.1", "172.31.0.2"] }, b));
        await one.Must(new EnsureNetwork(network with { Peers = ["172.31.0.1", "172.31.0.2"] }));
        foreach (var port in new[] { Names.Vxlan("net-1"), Names.DhcpPort("net-1") })
            Assert.Contains("isolated on", await one.Tool.Run("ip", ["-d", "link", "show", "dev", port], Patience.Token));
        var (ga, gb) = (await lab.Guest(one, a, "a", "10.0.0.11/24"), await lab.Guest(two, b, "b", "10.0.0.12/24"));

        Assert.True(await ga.Pings("10.0.0.12"), "open");
        Assert.False(await gb.Pings("10.0.0.11"), "closed");
        foreach (var (guest, n) in new[] { (ga, 11), (gb, 12) })
        {
            var lease = await guest.Try("busybox", ["udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", "/bin/true"], Patience.Token);
            Assert.Contains($"lease of 10.0.0.{n} obtained from 10.0.0.2", lease.Error);
            await guest.Run("ip", ["route", "add", "169.254.169.254", "via", "10.0.0.2"], Patience.Token);
            Assert.Equal($"server-{n}", await guest.Run("busybox", ["wget", "-q", "-O", "-", "http://169.254.169.254/"], Patience.Token));
        }

        // Alone again: the tunnel goes.
        await one.Must(new EnsureNetwork(network with { Peers = ["172.31.0.1"] }));
        Assert.False((await Ip.Interfaces(one.Tool, Patience.Token)).ContainsKey(Names.Vxlan(network.NetworkId)));
        Assert.False(await ga.Pings("10.0.0.12"), "cut");
    }
}
