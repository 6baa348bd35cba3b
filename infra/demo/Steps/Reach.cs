using System.Diagnostics;
using Cloud.Demo.Tools;

namespace Cloud.Demo.Steps;

/// <summary>The guest boots, gets an address of the internet, and lets in what its rules allow and nothing else.</summary>
internal static class Reach
{
    private const int Echo = 7777;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    internal static async Task Run(Stage s)
    {
        await s.User.Becomes("ACTIVE", TimeSpan.FromMinutes(2), "status", "server", "show", "one");
        await Booted(s, "one");
        var console = (await s.User.Run("console", "log", "show", "one")).Split('\n').Select(l => l.TrimEnd()).Where(l => l.Length > 0).ToList();
        s.Expect(console.Any(l => l.Contains("login:", StringComparison.Ordinal)), "the console shows a login prompt", $"{console.Count} lines");
        s.Exhibit("console log of server one, its end", console.TakeLast(8));

        s.Made.FloatingIp = (await s.User.Run("floating", "ip", "create", "internet", "-f", "value", "-c", "floating_ip_address")).Trim();
        await s.User.Run("server", "add", "floating", "ip", "one", s.Made.FloatingIp);
        await s.Until("the internet pings the floating IP", TimeSpan.FromSeconds(30), async () =>
        {
            var ping = await s.Internet.Try(TimeSpan.FromSeconds(20), "ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", s.Made.FloatingIp);
            return (ping.Code == 0, ping.Out.Split('\n').FirstOrDefault(l => l.Contains("received", StringComparison.Ordinal)) ?? ping.Error);
        });

        var guest = new Guest(s, s.Made.FloatingIp);
        s.Expect(await guest.Run("hostname") == "one", "ssh with the key pair reaches the guest", await guest.Run("hostname"));
        var hello = await guest.Run("cat /home/cirros/hello");
        s.Expect(hello == "hello from user_data", "user_data ran at the first boot", hello);
        await Egress(s, guest);
        await Ingress(s);
    }

    /// <summary>Waits until a guest says that its network, metadata and user_data are done.</summary>
    internal static Task Booted(Stage s, string name) => s.Until($"guest {name} has booted", TimeSpan.FromMinutes(5), async () =>
    {
        var text = (await s.User.Ask("console", "log", "show", name)).Split('\n');
        return (text.Any(l => l.Contains("USERDATA-DONE", StringComparison.Ordinal)), text.LastOrDefault(l => l.Contains("BOOTED", StringComparison.Ordinal))?.Trim() ?? "not yet");
    });

    /// <summary>One rule lets the guest out, to one address and port. Port 81 answers as well, as the internet itself can see.</summary>
    private static async Task Egress(Stage s, Guest guest)
    {
        var allowed = await guest.Run($"timeout 10 wget -q -O - http://{Internet.Address}/");
        s.Expect(allowed == "hello from the internet", "the guest reaches port 80, which its rules allow", allowed);
        s.Expect(await s.Internet.Opens(Internet.Address, 81), "port 81 is served, too", "it answers the internet", "it is closed");
        var denied = await guest.Run($"timeout 3 wget -q -O - http://{Internet.Address}:81/; echo ended");
        s.Expect(denied == "ended", "the guest does not reach port 81", "no answer", denied);
    }

    private static async Task Ingress(Stage s)
    {
        var address = s.Made.FloatingIp;
        s.Expect(!await s.Internet.Opens(address, Echo) && !await s.Internet.Opens(address, 80), "ports without a rule are closed, though served", $"no answer from {Echo} and 80", "an answer");

        var opened = Opened(s, address);
        var rule = await s.User.Make("security", "group", "rule", "create", "web", "--ingress", "--protocol", "tcp", "--dst-port", $"{Echo}", "--remote-ip", "0.0.0.0/0");
        var after = Stopwatch.GetTimestamp();
        var took = Stopwatch.GetElapsedTime(after, await opened.WaitAsync(TimeSpan.FromSeconds(15), s.Stop));
        s.Expect(took < Second, "a new rule opens the port within a second of the command's end", took < TimeSpan.Zero ? $"{-took.TotalMilliseconds:0} ms before it" : $"{took.TotalMilliseconds:0} ms after it");

        await using var session = s.Internet.Beside("socat", "-", $"TCP4:{address}:{Echo}");
        await session.Write("first");
        await s.Until("a session is established", TimeSpan.FromSeconds(10), () => Task.FromResult((session.Lines.Any(l => l.Line == "first"), "it sends lines back")));

        await s.User.Run("security", "group", "rule", "delete", rule);
        await Task.Delay(Second, s.Stop);
        await session.Write("second");
        var open = await s.Internet.Opens(address, Echo);
        s.Expect(!open && !session.Lines.Any(l => l.Line == "second"), "without the rule the port is closed within a second, the established session included", "neither a new connection nor an answer on the old one", open ? "a new connection" : "an answer on the old connection");
        s.Expect(await new Guest(s, address).Run("hostname") == "one", "what other rules allow goes on", "ssh answers");
    }

    /// <summary>The moment at which a connection first comes about.</summary>
    private static async Task<long> Opened(Stage s, string address)
    {
        while (!await s.Internet.Opens(address, Echo, 0.1)) s.Stop.ThrowIfCancellationRequested();
        return Stopwatch.GetTimestamp();
    }
}
