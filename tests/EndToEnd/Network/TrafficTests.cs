using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Usage;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

/// <summary>What passes floating IPs is counted by the kernel: to the byte, and whatever happens to the agent, the rules or the address meanwhile.</summary>
public sealed class TrafficTests
{
    // An echo request or reply with 1000 bytes of data: with ICMP's 8 and IP's 20.
    private const int Packet = 1028;
    private const string Floating = "198.51.100.50", Id = "id-198-51-100-50";

    [Fact]
    public async Task Every_byte_of_a_floating_address_is_counted_once_each_way()
    {
        await using var lab = new NetworkLab();
        var (host, internet) = await lab.HostWithInternet();
        var port = Example.Port(12, Example.Ping);
        await host.Must(new EnsurePort(Example.Network(), port));
        await host.Must(new EnsureRouter(Example.Router(Example.Network(), (Floating, "10.0.0.12"))));
        var guest = await lab.Guest(host, port, "g", "10.0.0.12/24");

        await Ping(internet, Floating, 3);
        await Ping(guest, "198.51.100.1", 2);
        var first = Assert.Single(await host.Parts.Holder.Traffic(Patience.Token));
        Assert.Equal((Id, 5L * Packet, 5L * Packet), (first.FloatingIpId, first.BytesIn, first.BytesOut));

        // A new agent, rules that are made anew, and another address beside it: it goes on counting.
        await host.Restart();
        await host.Must(new EnsureRouter(Example.Router(Example.Network(), (Floating, "10.0.0.12"), ("198.51.100.51", "10.0.0.11"))));
        await Ping(internet, Floating, 1);
        var (second, other) = ((await host.Parts.Holder.Traffic(Patience.Token)).Single(t => t.FloatingIpId == Id), "id-198-51-100-51");
        Assert.Equal(first with { BytesIn = 6 * Packet, BytesOut = 6 * Packet }, second);

        // It goes, also while an agent that knew of it is gone; what it had stays to be told.
        var finals = new Finals(host.Ledger);
        await host.Must(new EnsureRouter(Example.Router(Example.Network(), ("198.51.100.51", "10.0.0.11"))));
        Assert.Equal([second], finals.All());
        Assert.Equal([other], (await host.Parts.Holder.Traffic(Patience.Token)).Select(t => t.FloatingIpId));

        // It comes back: another time, other counters.
        await host.Must(new EnsureRouter(Example.Router(Example.Network(), (Floating, "10.0.0.12"))));
        await Ping(internet, Floating, 1);
        var third = Assert.Single(await host.Parts.Holder.Traffic(Patience.Token));
        Assert.Equal((Id, (long)Packet, (long)Packet, false), (third.FloatingIpId, third.BytesIn, third.BytesOut, third.Epoch == first.Epoch));
        await host.Must(new RemoveRouter("router-1"));
        Assert.Contains(third, finals.All());
        Assert.Equal(3, finals.All().Count);
        finals.Drop(finals.All());
        Assert.Empty(finals.All());
    }

    [Fact]
    public async Task An_address_that_went_while_no_agent_ran_is_read_by_the_next()
    {
        await using var lab = new NetworkLab();
        var (host, internet) = await lab.HostWithInternet();
        var port = Example.Port(12, Example.Ping);
        await host.Must(new EnsurePort(Example.Network(), port));
        await host.Must(new EnsureRouter(Example.Router(Example.Network(), (Floating, "10.0.0.12"))));
        await lab.Guest(host, port, "g", "10.0.0.12/24");
        await Ping(internet, Floating, 2);

        // The wish was written, then the process died.
        host.Ledger.Put(new EnsureRouter(Example.Router(Example.Network())));
        await host.Restart();

        var final = Assert.Single(new Finals(host.Ledger).All());
        Assert.Equal((Id, 2L * Packet, 2L * Packet), (final.FloatingIpId, final.BytesIn, final.BytesOut));
        Assert.Empty(await host.Parts.Holder.Traffic(Patience.Token));
    }

    private static async Task Ping(ITool from, string address, int times)
    {
        for (var i = 0; i < times; i++)
            await from.Run("ping", ["-c", "1", "-W", "5", "-s", "1000", address], Patience.Token);
    }
}
