using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Networks;
using Xunit;

namespace Cloud.Tests.Unit.Agents.Network;

public sealed class DhcpFilesTests
{
    private static readonly SubnetSpec Four = new("s4", "10.0.0.0/24", "10.0.0.1", "10.0.0.2", [], [new("10.9.0.0/16", "10.0.0.9")]);
    private static readonly NetworkSpec Network = new("net", "project", 1, null, 1450,
    [
        Four, new("bare", "10.1.0.0/24", null, "10.1.0.2", ["9.9.9.9", "8.8.8.8"], []), new("off", "10.2.0.0/24", "10.2.0.1", null, [], []),
        new("s6", "fd00::/64", "fd00::1", "fd00::2", ["fd00::53"], [], "dhcpv6-stateful"), new("t6", "fd01::/64", "fd01::1", "fd01::2", [], [], "slaac"), new("u6", "fd02::/64", "fd02::1", "fd02::2", [], [], "dhcpv6-stateless"),
    ], []);

    private static PortSpec Port(string? hostName, params FixedIp[] ips) => new("port", null, "project", "fa:16:3e:00:00:0b", ips, true, [], [], hostName);

    [Fact]
    public void Each_subnet_hands_out_what_it_should()
    {
        var lines = DhcpFiles.Configuration(Network, new Dnsmasq("/nowhere/net", new Tool())).ToString().Split('\n');
        Assert.Equal("""
            interface=dhcp
            dhcp-authoritative
            dhcp-hostsfile=/nowhere/net/hosts
            addn-hosts=/nowhere/net/names
            domain=openstacklocal
            local=/openstacklocal/
            expand-hosts
            dhcp-option=option:mtu,1450
            dhcp-range=set:s0,10.0.0.0,static,255.255.255.0,86400
            dhcp-option=tag:s0,option:dns-server,10.0.0.2
            dhcp-option=tag:s0,option:router,10.0.0.1
            dhcp-option=tag:s0,option:classless-static-route,169.254.169.254/32,10.0.0.2,10.9.0.0/16,10.0.0.9,0.0.0.0/0,10.0.0.1
            dhcp-option=tag:s0,249,169.254.169.254/32,10.0.0.2,10.9.0.0/16,10.0.0.9,0.0.0.0/0,10.0.0.1
            dhcp-range=set:s1,10.1.0.0,static,255.255.255.0,86400
            dhcp-option=tag:s1,option:dns-server,9.9.9.9,8.8.8.8
            dhcp-option=tag:s1,option:router
            dhcp-option=tag:s1,option:classless-static-route,169.254.169.254/32,10.1.0.2
            dhcp-option=tag:s1,249,169.254.169.254/32,10.1.0.2
            dhcp-range=set:s3,fd00::,static,64,86400
            dhcp-option=tag:s3,option6:dns-server,[fd00::53]
            dhcp-range=set:s4,fd01::,ra-only,64
            dhcp-option=tag:s4,option6:dns-server,[fd01::2]
            dhcp-range=set:s5,fd02::,ra-stateless,64
            dhcp-option=tag:s5,option6:dns-server,[fd02::2]
            enable-ra
            ra-param=dhcp,mtu:1450,60,0

            """.Split('\n'), lines[Array.IndexOf(lines, "interface=dhcp")..]);
    }

    [Fact]
    public void Ports_get_their_addresses_where_DHCP_gives_any()
    {
        var port = Port("vm", new("s4", "10.0.0.5"), new("off", "10.2.0.5"), new("s6", "fd00::5"), new("t6", "fd01::5"));
        Assert.Equal("fa:16:3e:00:00:0b,10.0.0.5,vm\nfa:16:3e:00:00:0b,[fd00::5],vm\n", DhcpFiles.Hosts(Network, [port]).ToString());
        Assert.Equal("10.0.0.5 vm\n10.2.0.5 vm\nfd00::5 vm\nfd01::5 vm\n", DhcpFiles.Names(Network, [port]).ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("vm\n00:00:00:00:00:01,10.0.0.1")]
    [InlineData("vm,10.0.0.1")]
    [InlineData("vm 10.0.0.1")]
    [InlineData("vm.example.org")]
    [InlineData("-vm")]
    [InlineData("vm-")]
    [InlineData("ignore\0")]
    [InlineData("x234567890123456789012345678901234567890123456789012345678901234")]
    public void A_host_name_that_is_none_is_not_said(string? name)
    {
        Assert.Equal("fa:16:3e:00:00:0b,10.0.0.5,host-10-0-0-5\n", DhcpFiles.Hosts(Network, [Port(name, new FixedIp("s4", "10.0.0.5"))]).ToString());
        Assert.Equal("10.0.0.5 host-10-0-0-5\n", DhcpFiles.Names(Network, [Port(name, new FixedIp("s4", "10.0.0.5"))]).ToString());
    }

    [Fact]
    public void What_is_no_address_gets_nowhere()
    {
        foreach (var subnet in new[]
        {
            Four with { Dns = ["10.0.0.2\ndhcp-script=/bin/sh"] }, Four with { Gateway = "10.0.0.1,x" }, Four with { Cidr = "10.0.0.0/24\n" },
            Four with { DhcpAddress = "10.0.0.2 " }, Four with { HostRoutes = [new("10.0.0.0/8", "via\n")] }, Four with { HostRoutes = [new("10.0.0.0/8\n", "10.0.0.1")] },
        })
            Assert.Throws<HandlerFault>(() => DhcpFiles.Configuration(Network with { Subnets = [subnet] }, new Dnsmasq("/nowhere/net", new Tool())));
        Assert.Throws<HandlerFault>(() => DhcpFiles.Hosts(Network, [Port("vm", new FixedIp("s4", "10.0.0.5,x"))]));
        Assert.Throws<HandlerFault>(() => new Dnsmasq("/a\nb", new Tool()).Common());
    }

    [Fact]
    public void A_router_advertises_the_subnets_it_has_an_address_in()
    {
        var dnsmasq = new Dnsmasq("/nowhere/router", new Tool());
        var text = DhcpFiles.Advertisements([("leg1", Network, [Addresses.ParseInterface("fd01::1/64"), Addresses.ParseInterface("10.0.0.1/24")]), ("leg2", Network, [Addresses.ParseInterface("10.1.0.1/24")])], dnsmasq)!.ToString();
        Assert.EndsWith("port=0\nenable-ra\ninterface=leg1\nra-param=leg1,mtu:1450,60,1800\ndhcp-range=set:r,fd01::,ra-only,64\n", text, StringComparison.Ordinal);
        Assert.Null(DhcpFiles.Advertisements([("leg2", Network, [Addresses.ParseInterface("10.1.0.1/24")])], dnsmasq));
    }
}
