using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Cloud.Demo.Tools;

namespace Cloud.Demo.Steps;

/// <summary>The volume's data and the floating IP go from one server to another.</summary>
internal static partial class Move
{
    private const string Mark = "VOLUME-SAYS";

    /// <summary>The second guest waits for the volume and reads it to its console.</summary>
    private const string UserData = $$"""
        #!/bin/sh
        ( while ! mount -t ext4 /dev/vdb /mnt 2>/dev/null; do sleep 1; done; echo "{{Mark}} $(cat /mnt/note)" > /dev/console ) > /dev/null 2>&1 &
        """;

    internal static async Task Run(Stage s)
    {
        s.Made.Secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        s.Made.SecondServer = await Tenant.Server(s, "two", UserData); // boots while the first one writes
        await Write(s, new Guest(s, s.Made.FloatingIp));
        await s.User.Becomes("ACTIVE", TimeSpan.FromMinutes(2), "status", "server", "show", "two");
        await Reach.Booted(s, "two");

        await s.User.Run("server", "add", "volume", "two", "notes");
        await s.Until("the second guest reads on the volume what the first one wrote", TimeSpan.FromMinutes(2), async () =>
        {
            var line = (await s.User.Ask("console", "log", "show", "two")).Split('\n').LastOrDefault(l => l.Contains(Mark, StringComparison.Ordinal))?.Trim();
            return (line == $"{Mark} {s.Made.Secret}", line ?? "nothing on its console yet");
        });
        await Address(s);
    }

    private static async Task Write(Stage s, Guest first)
    {
        await s.User.Run("server", "add", "volume", "one", "notes");
        await s.User.Becomes("in-use", TimeSpan.FromMinutes(1), "status", "volume", "show", "notes");
        await s.Until("the guest sees a disk of 1 GiB", TimeSpan.FromSeconds(30), async () =>
        {
            var size = (await first.Try("cat /sys/block/vdb/size")).Out.Trim();
            return (size == "2097152", size.Length > 0 ? $"{size} sectors" : "no disk");
        });
        await first.Run($"mkfs.ext4 -q -F /dev/vdb && mount -t ext4 /dev/vdb /mnt && echo {s.Made.Secret} > /mnt/note && sync && umount /mnt");
        s.Say($"the guest made a file system and wrote {s.Made.Secret}");
        await s.User.Run("server", "remove", "volume", "one", "notes");
        await s.User.Becomes("available", TimeSpan.FromMinutes(1), "status", "volume", "show", "notes");
        await s.Until("the disk is gone from the guest", TimeSpan.FromSeconds(30), async () => ((await first.Try("test -e /sys/block/vdb")).Code == 1, "no vdb"));
    }

    private static async Task Address(Stage s)
    {
        s.Made.SecondPort = (await s.User.Run("port", "list", "--server", "two", "-f", "value", "-c", "id")).Trim();
        await using var ping = s.Internet.Beside("ping", "-D", "-n", "-i", "0.01", s.Made.FloatingIp);
        await s.Until("a ping loop runs", TimeSpan.FromSeconds(10), () => Task.FromResult((Answers(ping).Count > 20, "100 a second")));
        await s.User.Run("floating", "ip", "set", "--port", s.Made.SecondPort, s.Made.FloatingIp);
        var moved = Answers(ping).Count;
        await s.Until("the floating IP answers after its move", TimeSpan.FromSeconds(20), () => Task.FromResult((Answers(ping).Count > moved + 50, "pings are answered again")));
        var guest = new Guest(s, s.Made.FloatingIp);
        s.Expect(await guest.Run("hostname") == "two", "the second server answers at the same address", await guest.Run("hostname"));

        var at = Answers(ping);
        var gap = at.Zip(at.Skip(1), (a, b) => b - a).Max();
        s.Measure("gap in a ping loop while the floating IP moved", string.Create(CultureInfo.InvariantCulture, $"{gap * 1000:0} ms"));
        s.Expect((await guest.Run("cat /mnt/note")) == s.Made.Secret, "the data, read by ssh at the same address", s.Made.Secret);
    }

    /// <summary>Moments of all answers, in seconds.</summary>
    private static List<double> Answers(Background ping) =>
        [.. ping.Lines.Select(l => Answer().Match(l.Line)).Where(m => m.Success).Select(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"^\[(\d+\.\d+)\] \d+ bytes from ")]
    private static partial Regex Answer();
}
