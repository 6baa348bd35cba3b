using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

public sealed class SecurityGroupTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("10.0.0.11", "10.0.0.12")]
    [InlineData("fd00::11", "fd00::12")]
    public async Task A_port_opens_and_closes_for_what_is_established_too(string addressA, string addressB)
    {
        var six = addressA.Contains(':', StringComparison.Ordinal);
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var network = Example.Network("net-1", six ? Example.Subnet6(null) : Example.Subnet);
        var (a, closed) = (At(Example.Port(11), addressA), At(Example.Port(12), addressB));
        var open = closed with { Rules = [.. closed.Rules, new RuleSpec(true, six, 6, 22, 22, [addressA + (six ? "/128" : "/32")])] };
        await host.Must(new EnsurePort(network, a));
        await host.Must(new EnsurePort(network, closed));
        await lab.Guest(host, a, "a", addressA + (six ? "/64" : "/24"));
        await lab.Guest(host, closed, "b", addressB + (six ? "/64" : "/24"));
        using var server = lab.Listen("b", addressB, 22);
        using var other = lab.Listen("b", addressB, 80);

        Assert.Null(await lab.Connect("a", addressB, 22));
        await host.Must(new EnsurePort(network, open));
        using var session = await lab.Connect("a", addressB, 22);
        Assert.NotNull(session);
        using var there = await server.AcceptSocketAsync();
        Assert.True(await Says(session, there));
        Assert.True(await Says(there, session));
        Assert.Null(await lab.Connect("a", addressB, 80));

        var clock = Stopwatch.StartNew();
        await host.Must(new EnsurePort(network, closed));
        output.WriteLine($"closed in {clock.ElapsedMilliseconds} ms");
        Assert.False(await Says(session, there));
        Assert.False(await Says(there, session));
        Assert.Null(await lab.Connect("a", addressB, 22));

        // It was the rule and nothing else: what was said meanwhile arrives.
        await host.Must(new EnsurePort(network, open));
        Assert.Equal(1, await there.ReceiveAsync(new byte[1], Patience.Token));
    }

    [Fact]
    public async Task What_a_guest_may_begin_is_answered_and_no_more()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var a = Example.Port(11) with { Rules = [new RuleSpec(false, false, 6, 80, 80, ["10.0.0.12/32"])] };
        var b = Example.Port(12, new RuleSpec(true, false, null, null, null, null));
        await host.Must(new EnsurePort(Example.Network(), a));
        await host.Must(new EnsurePort(Example.Network(), b));
        await lab.Guest(host, a, "a", "10.0.0.11/24");
        await lab.Guest(host, b, "b", "10.0.0.12/24");
        using var open = lab.Listen("b", "10.0.0.12", 80);
        using var closed = lab.Listen("b", "10.0.0.12", 81);
        using var back = lab.Listen("a", "10.0.0.11", 80);

        using var session = await lab.Connect("a", "10.0.0.12", 80);
        Assert.NotNull(session);
        using var there = await open.AcceptSocketAsync();
        Assert.True(await Says(there, session));
        Assert.Null(await lab.Connect("a", "10.0.0.12", 81));
        Assert.Null(await lab.Connect("b", "10.0.0.11", 80));

        await host.Must(new EnsurePort(Example.Network(), a with { Rules = [] }));
        Assert.False(await Says(there, session));
        Assert.False(await Says(session, there));
    }

    [Theory]
    [InlineData("10.0.0.11", "10.0.0.12")]
    [InlineData("fd00::11", "fd00::12")]
    public async Task Members_of_a_group_are_let_in_as_long_as_they_are_members(string addressA, string addressB)
    {
        var six = addressA.Contains(':', StringComparison.Ordinal);
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var network = Example.Network("net-1", six ? Example.Subnet6(null) : Example.Subnet);
        var (a, b) = (At(Example.Port(11), addressA), At(Example.Port(12, new RuleSpec(true, six, 6, 22, 22, null, "friends")), addressB));
        await host.Must(new EnsurePort(network, a));
        await host.Must(new EnsurePort(network, b));
        await lab.Guest(host, a, "a", addressA + (six ? "/64" : "/24"));
        await lab.Guest(host, b, "b", addressB + (six ? "/64" : "/24"));
        using var server = lab.Listen("b", addressB, 22);

        Assert.Null(await lab.Connect("a", addressB, 22));
        string[] members = [addressA, addressB, "10.0.0.99", "fd00::99"];
        await host.Must(new EnsureGroup("friends", members));
        using var session = await lab.Connect("a", addressB, 22);
        Assert.NotNull(session);
        using var there = await server.AcceptSocketAsync();

        // Neither a new agent nor a firewall that flushes everything forgets them.
        var before = await host.Picture();
        await host.Restart();
        Assert.Equal(before, await host.Picture());
        await host.Tool.Run("nft", ["flush", "ruleset"], Patience.Token);
        await host.Must(new EnsurePort(network, b));
        Assert.Equal(before, await host.Picture());
        Assert.True(await Says(session, there));
        Assert.True(await Says(there, session));

        await host.Must(new EnsureGroup("friends", ["10.0.0.99", "fd00::99"]));
        Assert.False(await Says(session, there));
        Assert.False(await Says(there, session));
        Assert.Null(await lab.Connect("a", addressB, 22));
    }

    [Fact]
    public async Task Members_are_known_before_the_first_port_that_asks_for_them()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        await host.Must(new EnsureGroup("friends", ["10.0.0.11"]));
        var (a, b) = (Example.Port(11), Example.Port(12, Example.Ping with { RemoteGroup = "friends" }));
        await host.Must(new EnsurePort(Example.Network(), a));
        await host.Must(new EnsurePort(Example.Network(), b));
        var ga = await lab.Guest(host, a, "a", "10.0.0.11/24");
        await lab.Guest(host, b, "b", "10.0.0.12/24");
        Assert.True(await ga.Pings("10.0.0.12"));
    }

    [Fact]
    public async Task Connections_of_one_network_mean_nothing_in_another()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var udp = Example.Ingress(17);
        var (a, b, other) = (Example.Port(11), Example.Port(12, udp), Example.Network("net-2") with { Vni = 102 });
        var (a2, b2) = (a with { PortId = "other-11" }, b with { PortId = "other-12" });
        foreach (var (network, port) in new[] { (Example.Network(), a), (Example.Network(), b), (other, a2), (other, b2) })
            await host.Must(new EnsurePort(network, port));
        var nics = new List<Nic>();
        foreach (var port in new[] { a, b, a2, b2 })
            nics.Add(await lab.Nic(host, port));
        var question = Frames.Udp(b.Mac, a.Mac, "10.0.0.11", "10.0.0.12", 1000, 2000, "question");
        var answer = Frames.Udp(a.Mac, b.Mac, "10.0.0.12", "10.0.0.11", 2000, 1000, "answer");
        var last = Frames.Arp(b.Mac, b.Mac, "10.0.0.12", "10.0.0.11");

        nics[0].Send(question);
        await nics[1].Next(f => f.AsSpan().SequenceEqual(question));
        foreach (var (from, to, expected) in new[] { (nics[3], nics[2], false), (nics[1], nics[0], true) })
        {
            from.Send(answer);
            from.Send(last);
            var seen = new List<byte[]>();
            await to.Next(f => f.AsSpan().SequenceEqual(last), seen);
            Assert.Equal(expected, seen.Any(f => f.AsSpan().SequenceEqual(answer)));
        }
    }

    [Fact]
    public async Task Rules_that_make_no_sense_close_their_own_port_only()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var (a, b, c) = (Example.Port(11), Example.Port(12, Example.Ping), Example.Port(13, Example.Ping));
        foreach (var port in new[] { a, b, c })
            await host.Must(new EnsurePort(Example.Network(), port));
        var ga = await lab.Guest(host, a, "a", "10.0.0.11/24");
        await lab.Guest(host, b, "b", "10.0.0.12/24");
        await lab.Guest(host, c, "c", "10.0.0.13/24");
        Assert.True(await ga.Pings("10.0.0.12"));

        // Ports of a protocol that has none.
        var reply = await host.Do(new EnsurePort(Example.Network(), b with { Rules = [.. b.Rules, Example.Ingress(50, 22)] }));
        Assert.Equal((Outcome.Failed, false), (reply.Outcome, reply.Retry));
        Assert.False(await ga.Pings("10.0.0.12"));
        await host.Must(new EnsurePort(Example.Network(), c with { Rules = [.. c.Rules, Example.Ingress(6, 22)] }));
        Assert.True(await ga.Pings("10.0.0.13"));

        // And it stays so when everything is built anew.
        await host.Tool.Run("nft", ["flush", "ruleset"], Patience.Token);
        await host.Restart();
        Assert.False(await ga.Pings("10.0.0.12"));
        Assert.True(await ga.Pings("10.0.0.13"));
        await host.Must(new EnsurePort(Example.Network(), b));
        Assert.True(await ga.Pings("10.0.0.12"));
    }

    [Fact]
    public async Task A_change_of_rules_is_one_transaction_and_flushed_rules_come_back()
    {
        await using var lab = new NetworkLab();
        var host = await lab.Host("h");
        var port = Example.Port(11);
        await host.Must(new EnsurePort(Example.Network(), port));
        host.Tool.Take();
        await host.Must(new EnsurePort(Example.Network(), port with { Rules = [.. port.Rules, Example.Ping] }));
        Assert.Equal(["nft -f -"], host.Tool.Take());

        var before = await host.Picture();
        await host.Tool.Run("nft", ["flush", "ruleset"], Patience.Token);
        var time = new FakeTimeProvider();
        using var stop = new CancellationTokenSource();
        var watching = host.Parts.Holder.Watch(time, stop.Token);
        time.Advance(TimeSpan.FromSeconds(10));
        await lab.Eventually(async () => await host.Picture() == before);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    private static PortSpec At(PortSpec port, string address) => port with { FixedIps = [new("s", address)] };

    /// <summary>Whether a byte gets from one to the other in a fifth of a second.</summary>
    private static async Task<bool> Says(Socket from, Socket to)
    {
        await from.SendAsync(new byte[1], Patience.Token);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        try
        {
            return await to.ReceiveAsync(new byte[1], patience.Token) == 1;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
