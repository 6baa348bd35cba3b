using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

public sealed class FloatingIpMoveTests(ITestOutputHelper output)
{
    private const string Floating = "198.51.100.50";

    [Fact]
    public async Task A_floating_address_moves_within_a_router_and_between_routers()
    {
        await using var lab = new NetworkLab();
        var (host, internet) = await lab.HostWithInternet();
        var everything = new RuleSpec(true, false, 17, null, null, null);
        var other = Example.Network("net-2") with { Vni = 102 };
        var guests = new[] { (Example.Network(), Example.Port(11, everything), "a"), (Example.Network(), Example.Port(12, everything), "b"), (other, Example.Port(13, everything), "c") };
        var one = Example.Router(Example.Network());
        var two = Example.Router(other) with { RouterId = "router-2" };
        two = two with { External = two.External! with { PortId = "router-2-ext", Mac = Example.Mac(110), Addresses = ["198.51.100.20/24"] }, Interfaces = [two.Interfaces[0] with { PortId = "router-2-in", Mac = Example.Mac(111) }] };
        using var stop = new CancellationTokenSource();
        foreach (var (network, port, name) in guests)
        {
            await host.Must(new EnsurePort(network, port));
            await lab.Guest(host, port, name, port.FixedIps[0].Address + "/24");
            _ = Echo(lab.Run(name, () => Bound("0.0.0.0", 7)), name, stop.Token);
        }

        RouterSpec With(RouterSpec router, string? fixedAddress) => router with { FloatingIps = fixedAddress is null ? [] : [new("f", Floating, fixedAddress)] };
        await host.Must(new EnsureRouter(With(one, "10.0.0.11")));
        await host.Must(new EnsureRouter(With(two, null)));

        using var poll = new Poll(lab.Run("internet", () => Bound("198.51.100.1", 4000)), new IPEndPoint(IPAddress.Parse(Floating), 7));
        await poll.Until("a");
        await Move("within the router", "b", () => host.Must(new EnsureRouter(With(one, "10.0.0.12"))));
        await Move("to another router", "c", async () =>
        {
            await host.Must(new EnsureRouter(With(one, null)));
            await host.Must(new EnsureRouter(With(two, "10.0.0.13")));
        });
        // Told at once, not found out when the old way is worn out.
        Assert.Contains(Example.Mac(110), await internet.Run("ip", ["neigh", "show", Floating], Patience.Token));
        await stop.CancelAsync();

        async Task Move(string how, string to, Func<Task> move)
        {
            var start = Stopwatch.GetTimestamp();
            var moved = move();
            var gap = await poll.Until(to);
            await moved;
            output.WriteLine($"moved {how}: commands {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms, no answer for {gap.TotalMilliseconds:0} ms");
        }
    }

    private static Socket Bound(string address, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        return socket;
    }

    private static async Task Echo(Socket socket, string name, CancellationToken ct)
    {
        using var owned = socket;
        try
        {
            while (true)
            {
                var asked = await socket.ReceiveFromAsync(new byte[10], new IPEndPoint(IPAddress.Any, 0), ct);
                await socket.SendToAsync(Encoding.ASCII.GetBytes(name), asked.RemoteEndPoint, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    /// <summary>Asks from one port, so as one connection, every 2 ms who is there.</summary>
    private sealed class Poll : IDisposable
    {
        private readonly Socket socket;
        private readonly CancellationTokenSource stop = new();
        private readonly Task asking;
        private string last = "";
        private long lastAt = Stopwatch.GetTimestamp();

        public Poll(Socket socket, IPEndPoint target)
        {
            this.socket = socket;
            asking = Ask(target);
        }

        /// <returns>How long nobody answered before this one did.</returns>
        public async Task<TimeSpan> Until(string name)
        {
            var (buffer, patience) = (new byte[10], Patience.Token);
            while (true)
            {
                patience.ThrowIfCancellationRequested();
                var who = Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience));
                var gap = Stopwatch.GetElapsedTime(lastAt);
                (last, lastAt) = (who, Stopwatch.GetTimestamp());
                if (last == name)
                    return gap;
            }
        }

        public void Dispose()
        {
            stop.Cancel();
            asking.Wait();
            socket.Dispose();
            stop.Dispose();
        }

        private async Task Ask(IPEndPoint target)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
            try
            {
                while (await timer.WaitForNextTickAsync(stop.Token))
                    await socket.SendToAsync("?"u8.ToArray(), target, stop.Token);
            }
            catch (OperationCanceledException)
            {
                // Enough.
            }
        }
    }
}
