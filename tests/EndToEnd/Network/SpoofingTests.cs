using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

/// <summary>What a guest may say in whose name: each forgery with a control run, in which port security is off and it does arrive.</summary>
public sealed class SpoofingTests
{
    private const string Foreign = "fa:16:3e:00:00:63", LinkLocal = "fe80::f816:3eff:fe00:b", Victim = "fe80::f816:3eff:fe00:63";
    private static readonly string A = Example.Mac(11), B = Example.Mac(12);

    private static readonly (string What, byte[] Frame)[] Forged =
    [
        ("a foreign MAC", Frames.Udp(B, Foreign, "10.0.0.11", "10.0.0.12", 1000, 1000, "mac")),
        ("a foreign MAC asking for a lease", Frames.Udp(null, Foreign, "0.0.0.0", "255.255.255.255", 68, 67, "discover")),
        ("a foreign MAC by RARP", Frames.Ethernet(null, Foreign, 0x8035, new byte[46])),
        ("a foreign IPv4 address", Frames.Udp(B, A, "10.0.0.99", "10.0.0.12", 1000, 1000, "ip")),
        ("the gateway's address by ARP", Frames.Arp(A, A, "10.0.0.1", "10.0.0.12")),
        ("a foreign MAC by ARP", Frames.Arp(A, Foreign, "10.0.0.11", "10.0.0.12")),
        ("an ARP probe for a foreign address", Frames.Arp(A, A, "0.0.0.0", "10.0.0.12")),
        ("a foreign IPv6 address", Frames.Udp(B, A, Victim, "fe80::f816:3eff:fe00:c", 1000, 1000, "ip6")),
        ("a foreign neighbour advertisement", Frames.NeighbourAdvert(A, LinkLocal, Victim)),
        ("duplicate address detection against another", Frames.NeighbourSolicit(A, "::", Victim)),
        ("a router advertisement", Frames.RouterAdvert(A, LinkLocal)),
        ("a redirect", Frames.Icmp6("33:33:00:00:00:01", A, LinkLocal, "ff02::1", 137, new byte[36])),
        ("a DHCP server", Frames.Udp(null, A, "10.0.0.11", "255.255.255.255", 67, 68, "offer")),
        ("a DHCPv6 server", Frames.Udp(B, A, LinkLocal, "fe80::f816:3eff:fe00:c", 547, 546, "reply")),
        ("a VLAN", Frames.Tagged(Frames.Udp(B, A, "10.0.0.11", "10.0.0.12", 1000, 1000, "vlan"))),
        ("a forgery in a VLAN", Frames.Tagged(Frames.Udp(B, A, "10.0.0.99", "10.0.0.12", 1000, 1000, "vlan"))),
        ("another protocol", Frames.Ethernet(B, A, 0x88cc, new byte[50])),
    ];

    private static readonly (string What, byte[] Frame)[] Honest =
    [
        ("ARP", Frames.Arp(A, A, "10.0.0.11", "10.0.0.12")),
        ("an ARP probe", Frames.Arp(A, A, "0.0.0.0", "10.0.0.11")),
        ("IPv4", Frames.Udp(B, A, "10.0.0.11", "10.0.0.12", 1000, 1000, "ip")),
        ("IPv6", Frames.Udp(B, A, LinkLocal, "fe80::f816:3eff:fe00:c", 1000, 1000, "ip6")),
        ("neighbour advertisement", Frames.NeighbourAdvert(A, LinkLocal, LinkLocal)),
        ("neighbour solicitation", Frames.NeighbourSolicit(A, LinkLocal, Victim)),
        ("duplicate address detection", Frames.NeighbourSolicit(A, "::", LinkLocal)),
        ("router solicitation", Frames.Icmp6("33:33:00:00:00:02", A, LinkLocal, "ff02::2", 133, new byte[4])),
        ("RARP after a migration", Frames.Ethernet(null, A, 0x8035, new byte[46])),
        ("DHCP", Frames.Udp(null, A, "0.0.0.0", "255.255.255.255", 68, 67, "discover")),
        ("an allowed address", Frames.Udp(B, A, "10.0.0.200", "10.0.0.12", 1000, 1000, "pair")),
        ("an allowed address of an allowed MAC", Frames.Arp("fa:16:3e:00:00:70", "fa:16:3e:00:00:70", "10.0.1.7", "10.0.0.12")),
        ("an allowed IPv6 prefix", Frames.NeighbourAdvert(A, "fd00::5", "fd00::5")),
    ];

    [Fact]
    public async Task Forgeries_are_dropped_at_the_tap()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var a = Example.Port(11) with { AllowedPairs = [new(null, "10.0.0.200/32"), new("fa:16:3e:00:00:70", "10.0.1.0/24"), new(null, "fd00::/64")] };
        var b = Example.Port(12) with { PortSecurity = false };
        await host.Must(new EnsurePort(Example.Network(), a));
        await host.Must(new EnsurePort(Example.Network(), b));
        var (from, to) = (await lab.Nic(host, a), await lab.Nic(host, b));

        Assert.Equal(Honest.Select(h => h.What), await Arrived([.. Forged, .. Honest], from, to));
        await host.Must(new EnsurePort(Example.Network(), a with { PortSecurity = false }));
        Assert.Equal(Forged.Select(f => f.What), await Arrived(Forged, from, to));
    }

    [Fact]
    public async Task A_router_advertisement_in_fragments_is_one()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var (a, b) = (Example.Port(11), Example.Port(12) with { PortSecurity = false });
        await host.Must(new EnsurePort(Example.Network(), a));
        await host.Must(new EnsurePort(Example.Network(), b));
        var (from, to) = (await lab.Nic(host, a), await lab.Nic(host, b));
        var pieces = Frames.Fragments(Frames.LongRouterAdvert(A, LinkLocal));

        Assert.DoesNotContain(await Seen(pieces, from, to), IsFragment);
        await host.Must(new EnsurePort(Example.Network(), a with { PortSecurity = false }));
        Assert.Equal(2, (await Seen(pieces, from, to)).Count(IsFragment));

        // On its way it was put together and taken apart: its number is another.
        static bool IsFragment(byte[] frame) => frame.AsSpan(12, 2).SequenceEqual<byte>([0x86, 0xdd]) && frame[20] == 44;
    }

    [Fact]
    public async Task The_host_itself_is_out_of_reach()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var port = Example.Port(11);
        await host.Must(new EnsurePort(Example.Network(), port));
        await host.Tool.Run("ip", ["addr", "add", "10.0.0.77/24", "dev", "lo"], Patience.Token);
        var nic = await lab.Nic(host, port);
        static bool IsAnswer(byte[] frame) => frame.AsSpan(12, 2).SequenceEqual<byte>([8, 6]) && frame[21] == 2;

        // The DHCP server, asked after the host, answers.
        nic.Send(Frames.Arp(A, A, "10.0.0.11", "10.0.0.77"));
        nic.Send(Frames.Arp(A, A, "10.0.0.11", "10.0.0.2"));
        Assert.Equal(Frames.Ip("10.0.0.2"), (await nic.Next(IsAnswer))[28..32]);
        await host.Tool.Run("nft", ["flush", "chain", "bridge", host.Table, "input"], Patience.Token);
        nic.Send(Frames.Arp(A, A, "10.0.0.11", "10.0.0.77"));
        Assert.Equal(Frames.Ip("10.0.0.77"), (await nic.Next(IsAnswer))[28..32]);
    }

    private static async Task<IEnumerable<string>> Arrived((string What, byte[] Frame)[] frames, Nic from, Nic to)
    {
        var seen = await Seen(frames.Select(f => f.Frame), from, to);
        return [.. frames.Where(f => seen.Any(s => s.AsSpan().SequenceEqual(f.Frame))).Select(f => f.What)];
    }

    /// <summary>What came through: the frame sent last, which always does, tells that no more are under way.</summary>
    private static async Task<List<byte[]>> Seen(IEnumerable<byte[]> frames, Nic from, Nic to)
    {
        var last = Frames.Arp(A, A, "10.0.0.11", "10.0.0.250");
        foreach (var frame in frames)
            from.Send(frame);
        from.Send(last);
        var seen = new List<byte[]>();
        await to.Next(f => f.AsSpan().SequenceEqual(last), seen);
        return seen;
    }
}
