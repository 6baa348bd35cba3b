using System.Net;
using System.Net.Sockets;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

public sealed class Ipv6Tests
{
    [Fact]
    public async Task A_guest_configures_itself_and_finds_the_router()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var (inner, outer) = (Example.Network("net-1", Example.Subnet6("slaac")), Example.Network("net-2", Example.Subnet6("slaac") with { SubnetId = "t6", Cidr = "fd01::/64", Gateway = "fd01::1", DhcpAddress = "fd01::2" }) with { Vni = 102 });
        var ping = new RuleSpec(true, true, 58, null, null, null);
        var a = Example.Port(11, ping) with { FixedIps = [new("s6", "fd00::f816:3eff:fe00:b")] };
        var b = Example.Port(12, ping) with { FixedIps = [new("s6", "fd00::f816:3eff:fe00:c")] };
        var c = Example.Port(13) with { FixedIps = [new("t6", "fd01::f816:3eff:fe00:d")] };
        foreach (var (network, port) in new[] { (inner, a), (inner, b), (outer, c) })
            await host.Must(new EnsurePort(network, port));
        var (ga, gb, gc) = (await lab.Guest(host, a, "a"), await lab.Guest(host, b, "b"), await lab.Guest(host, c, "c"));
        await lab.Eventually(async () => (await ga.Run("ip", ["-6", "addr"], Patience.Token)).Contains("fd00::f816:3eff:fe00:b/64", StringComparison.Ordinal));
        await lab.Eventually(async () => (await gb.Run("ip", ["-6", "addr"], Patience.Token)).Contains("fd00::f816:3eff:fe00:c/64", StringComparison.Ordinal));
        Assert.DoesNotContain("default", await ga.Run("ip", ["-6", "route"], Patience.Token), StringComparison.Ordinal);
        Assert.True(await ga.Pings("fd00::f816:3eff:fe00:c"), "a neighbour");

        await host.Must(new EnsureRouter(new RouterSpec("router-1", "project", true, null,
            [new(inner, "r1", Example.Mac(101), ["fd00::1/64"]), new(outer, "r2", Example.Mac(102), ["fd01::1/64"])], [], [])));
        foreach (var guest in new[] { ga, gc })
            await lab.Eventually(async () => (await guest.Run("ip", ["-6", "route"], Patience.Token)).Contains("default", StringComparison.Ordinal));
        Assert.True(await gc.Pings("fd00::f816:3eff:fe00:b"), "through the router");
        Assert.False(await ga.Pings("fd01::f816:3eff:fe00:d"), "closed");
    }

    [Fact]
    public async Task A_guest_is_leased_its_address()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var port = Example.Port(11) with { FixedIps = [new("s6", "fd00::abc")] };
        await host.Must(new EnsurePort(Example.Network("net-1", Example.Subnet6("dhcpv6-stateful")), port));
        await lab.Guest(host, port, "a");

        var (socket, everyServer) = lab.Run("a", () =>
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(IPEndPoint.Parse("[::]:546"));
            return (socket, new IPEndPoint(IPAddress.Parse("ff02::1:2%eth0"), 547));
        });
        using var owned = socket;
        byte[] client = [0, 3, 0, 1, .. Frames.Hardware(port.Mac)];
        byte[] solicit = [1, 1, 2, 3, 0, 1, 0, (byte)client.Length, .. client, 0, 3, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        var answer = new byte[1500];
        var length = 0;
        await lab.Eventually(async () =>
        {
            await socket.SendToAsync(solicit, everyServer);
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            try
            {
                length = await socket.ReceiveAsync(answer, patience.Token);
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        });
        Assert.Equal(2, answer[0]);
        Assert.True(answer.AsSpan(0, length).IndexOf(Frames.Ip("fd00::abc")) > 0, "the port's address is offered");
    }
}
