using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Networks;
using Xunit;

namespace Cloud.Tests.Unit.Agents.Network;

public sealed class PortChainsTests
{
    private static readonly Mac Dhcp = Mac.Parse("02:00:00:00:00:01");
    private static readonly PortSpec Port = new("port-1", "server-1", "project", "FA:16:3E:00:00:0B", [new("s4", "10.0.0.11"), new("s6", "fd00::11")], true,
        [new("fa:16:3e:00:00:70", "10.0.1.0/24"), new(null, "fd01::/64")], [new(true, false, 6, 22, 22, null), new(false, false, null, null, null, null)], "vm");

    [Fact]
    public void A_port_speaks_as_itself_and_hears_what_it_may() => Assert.Equal("""
        chain from-133c41404c73 {
        ether saddr != { fa:16:3e:00:00:0b,fa:16:3e:00:00:70 } drop
        ether type 0x8035 accept
        ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept
        ip6 saddr :: icmpv6 type { 131, 132, 133, 135, 143 } accept
        ether type arp ether saddr fa:16:3e:00:00:0b arp saddr ether fa:16:3e:00:00:0b arp saddr ip { 10.0.0.11/32 } accept
        ether type arp ether saddr fa:16:3e:00:00:0b arp saddr ether fa:16:3e:00:00:0b arp saddr ip 0.0.0.0 arp daddr ip { 10.0.0.11/32 } accept
        ether type ip ether saddr fa:16:3e:00:00:0b ip saddr { 10.0.0.11/32 } ip daddr 169.254.169.254 tcp dport 80 ether daddr set 02:00:00:00:00:01 accept
        ether type ip ether saddr fa:16:3e:00:00:0b ip saddr { 10.0.0.11/32 } accept
        ether type ip6 ether saddr fa:16:3e:00:00:0b ip6 saddr { fd00::11/128,fd01::/64,fe80::f816:3eff:fe00:b/128 } accept
        ether type arp ether saddr fa:16:3e:00:00:70 arp saddr ether fa:16:3e:00:00:70 arp saddr ip { 10.0.1.0/24 } accept
        ether type arp ether saddr fa:16:3e:00:00:70 arp saddr ether fa:16:3e:00:00:70 arp saddr ip 0.0.0.0 arp daddr ip { 10.0.1.0/24 } accept
        ether type ip ether saddr fa:16:3e:00:00:70 ip saddr { 10.0.1.0/24 } ip daddr 169.254.169.254 tcp dport 80 ether daddr set 02:00:00:00:00:01 accept
        ether type ip ether saddr fa:16:3e:00:00:70 ip saddr { 10.0.1.0/24 } accept
        ether type ip6 ether saddr fa:16:3e:00:00:70 ip6 saddr { fe80::f816:3eff:fe00:70/128 } accept
        drop
        }
        chain out-133c41404c73 {
        ether type { arp, 0x8035 } return
        meta protocol ip udp dport 68 drop
        meta protocol ip6 udp dport 546 drop
        icmpv6 type { 134, 137 } drop
        icmpv6 type 136 @th,64,128 != { 0xfd000000000000000000000000000011, 0xfd010000000000000000000000000000-0xfd01000000000000ffffffffffffffff, 0xfe80000000000000f8163efffe00000b, 0xfe80000000000000f8163efffe000070, } drop
        ip6 saddr :: icmpv6 type 135 @th,64,128 != { 0xfd000000000000000000000000000011, 0xfd010000000000000000000000000000-0xfd01000000000000ffffffffffffffff, 0xfe80000000000000f8163efffe00000b, 0xfe80000000000000f8163efffe000070, } drop
        icmpv6 type { 131, 132, 133, 135, 136, 143 } return
        meta protocol ip udp sport 68 udp dport 67 return
        meta protocol ip6 udp sport 546 udp dport 547 return
        ip daddr 169.254.169.254 tcp dport 80 return
        ip6 daddr fe80::a9fe:a9fe tcp dport 80 return
        meta mark 4 drop
        meta mark 2 return
        meta mark 1 goto reply-out-133c41404c73
        meta protocol ip return
        drop
        }
        chain reply-out-133c41404c73 {
        meta protocol ip meta l4proto 6 th sport 22-22 return
        drop
        }
        chain in-133c41404c73 {
        ether type { arp, 0x8035 } accept
        icmpv6 type { 130, 134, 135, 136 } accept
        meta protocol ip udp sport 67 udp dport 68 accept
        meta protocol ip6 udp sport 547 udp dport 546 accept
        ip saddr 169.254.169.254 tcp sport 80 meta mark 1 accept
        ip6 saddr fe80::a9fe:a9fe tcp sport 80 meta mark 1 accept
        meta mark 4 drop
        meta mark 2 accept
        meta mark 1 goto reply-in-133c41404c73
        meta protocol ip meta l4proto 6 th dport 22-22 accept
        drop
        }
        chain reply-in-133c41404c73 {
        meta protocol ip accept
        drop
        }

        """, PortChains.Of(Port, Dhcp).ToString());

    [Fact]
    public void A_port_that_is_switched_off_is_closed() =>
        Assert.Equal(PortChains.Closed("port-1").ToString(), PortChains.Of(Port with { AdminUp = false }, Dhcp).ToString());

    [Fact]
    public void Without_port_security_everything_passes()
    {
        var text = PortChains.Of(Port with { PortSecurity = false }, Dhcp).ToString();
        Assert.DoesNotContain("drop", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split("\naccept\n").Length - 1);
    }
}
