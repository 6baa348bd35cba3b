using System.Net.Sockets;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

public sealed class MetadataTests
{
    [Fact]
    public async Task Two_tenants_with_the_same_address_are_not_taken_for_each_other()
    {
        await using var lab = new NetworkLab();
        Assert.SkipUnless(File.Exists("/usr/bin/busybox") || File.Exists("/bin/busybox"), "needs busybox");
        var host = await lab.Host("h");
        var networks = new[] { Example.Network("net-1"), Example.Network("net-2") with { Vni = 102 } };
        var ports = new[] { Example.Port(11), Example.Port(11) with { PortId = "other-11", ServerId = "other-11" } };
        var guests = new List<ITool>();
        foreach (var (network, port) in networks.Zip(ports))
        {
            await host.Must(new EnsurePort(network, port));
            await host.Must(new EnsureRouter(Example.Router(network) with { RouterId = "router-" + network.NetworkId, External = null, Interfaces = [new(network, "in-" + network.NetworkId, Example.Mac(101), ["10.0.0.1/24"])] }));
            guests.Add(await lab.Guest(host, port, port.PortId, "10.0.0.11/24"));
        }

        // The second has no route but the default one: it would ask its router.
        await guests[0].Run("ip", ["route", "add", "169.254.169.254", "via", "10.0.0.2"], Patience.Token);
        Assert.Equal("server-11", await Ask(guests[0]));
        Assert.Equal("other-11", await Ask(guests[1]));
        Assert.Equal("server-11", await Ask(guests[0], "X-Instance-ID: other-11"));

        // Nobody speaks for a port of no guest.
        await host.Must(new EnsurePort(networks[0], ports[0] with { ServerId = null }));
        Assert.Equal("", await Ask(guests[0], "X-Instance-ID: other-11"));

        // The agent starts anew, with connections of the old one still dying.
        await host.Restart();
        Assert.Equal("other-11", await Ask(guests[1]));
    }

    [Fact]
    public async Task A_guest_asks_by_IPv6_and_without_DHCP()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var network = Example.Network("net-1", Example.Subnet with { DhcpAddress = null }, Example.Subnet6(null) with { DhcpAddress = null });
        var port = Example.Port(11) with { Rules = [] };
        await host.Must(new EnsurePort(network, port));
        // Of all that a guest could say, this needs no rule.
        var guest = await lab.Guest(host, port, "a", "10.0.0.11/24");
        await guest.Run("ip", ["route", "add", "169.254.169.254", "dev", "eth0"], Patience.Token);
        Assert.Equal("server-11", await Ask(guest));

        using var socket = await lab.Connect("a", "fe80::a9fe:a9fe%eth0", 80);
        Assert.NotNull(socket);
        await socket.SendAsync("GET / HTTP/1.1\r\nHost: metadata\r\nX-Instance-ID: other\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(new NetworkStream(socket));
        Assert.Contains("\r\n\r\n9\r\nserver-11\r\n", await reader.ReadToEndAsync(Patience.Token));
    }

    private static Task<string> Ask(ITool guest, string header = "X-Forwarded-For: 10.0.0.12") =>
        guest.Run("busybox", ["wget", "-q", "-O", "-", "--header", header, "http://169.254.169.254/openstack/latest"], Patience.Token);
}
