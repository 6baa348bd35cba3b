using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Cloud.Demo.Tools;

namespace Cloud.Demo.Steps;

/// <summary>
/// How long the second guest takes until it says BOOTED: started by us (from the request on), and by bare qemu with the arguments that
/// libvirt gave, on a copy of its disk and the same port, taking turns. Starting is asked for over HTTP: the openstack command alone takes two seconds.
/// </summary>
internal static partial class Boot
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    internal static async Task Compare(Stage s)
    {
        var token = await s.User.Run("token", "issue", "-f", "value", "-c", "id");
        var action = $"/compute/v2.1/servers/{s.Made.SecondServer}/action";
        var bare = Bare(s, s.Made.SecondServer);
        var (ours, theirs, starts) = (new List<Took>(), new List<Took>(), new List<double>());
        await Stop(s, token, action);
        for (var i = 0; i < s.Boots; i++)
        {
            theirs.Add(await ByQemu(s, bare));
            var (all, start) = await ByUs(s, token, action);
            ours.Add(all);
            starts.Add(start);
            await Stop(s, token, action);
        }

        var (us, bareQemu) = (Quickest(ours.Select(t => t.Seconds)), Quickest(theirs.Select(t => t.Seconds)));
        s.Measure($"guest boot through us, quickest of {s.Boots}", Text(us));
        s.Measure("the same guest by bare qemu", Text(bareQemu));
        s.Measure("difference", $"{(us - bareQemu) * 1000:+0;-0} ms");
        var (mean, error) = Mean([.. ours.Zip(theirs, (u, t) => (u.Seconds - t.Seconds) * 1000)]);
        s.Measure($"difference, mean of {s.Boots} pairs and its standard error", $"{mean:+0;-0} \u00b1 {error:0} ms");
        s.Measure("of ours: from the request to a running qemu", Text(Quickest(starts)));
        s.Measure("CPU time of qemu until then, through us / bare", $"{Text(Quickest(ours.Select(t => t.Cpu)))} / {Text(Quickest(theirs.Select(t => t.Cpu)))}");
        s.Measure("CPU time of all else meanwhile, through us / bare", $"{Text(Quickest(ours.Select(t => t.Others)))} / {Text(Quickest(theirs.Select(t => t.Others)))}");
        s.Say($"through us: {string.Join(", ", ours.Select(t => Text(t.Seconds)))}; bare: {string.Join(", ", theirs.Select(t => Text(t.Seconds)))}");
    }

    /// <param name="Cpu">Processor seconds of qemu.</param>
    /// <param name="Others">Of everything else meanwhile: where two processors are one core, it slows the guest down.</param>
    private readonly record struct Took(double Seconds, double Cpu, double Others);

    private static async Task<(Took All, double Start)> ByUs(Stage s, string token, string action)
    {
        var console = Path.Combine(s.Data, "host/consoles", s.Made.SecondServer + ".log");
        var from = new FileInfo(console) is { Exists: true } file ? file.Length : 0;
        var (began, busy) = (Stopwatch.GetTimestamp(), Kernel.BusySeconds());
        await s.Cloud.Post(token, action, new Dictionary<string, object?> { ["os-start"] = null }, s.Stop);
        int? qemu;
        while ((qemu = Kernel.Guest(s.Made.SecondServer)) is null) await Wait(s, began);
        var start = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return (await Says(s, console, from, began, busy, qemu.Value), start);
    }

    private static async Task<Took> ByQemu(Stage s, string[] arguments)
    {
        var console = Console(s);
        File.Delete(console);
        File.Copy(Disk(s), CopyOfDisk(s), overwrite: true); // it will be killed: the next boot of the real one must not find a dirty disk
        var (began, busy) = (Stopwatch.GetTimestamp(), Kernel.BusySeconds());
        await using var qemu = new Background(arguments[0], arguments[1..]);
        return await Says(s, console, 0, began, busy, qemu.Pid, qemu);
    }

    private static async Task<Took> Says(Stage s, string console, long from, long began, double busy, int pid, Background? qemu = null)
    {
        while (true)
        {
            if (File.Exists(console))
            {
                await using var file = new FileStream(console, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                file.Position = Math.Min(from, file.Length);
                if ((await new StreamReader(file, Encoding.Latin1).ReadToEndAsync(s.Stop)).Contains("BOOTED", StringComparison.Ordinal))
                {
                    var (seconds, cpu) = (Stopwatch.GetElapsedTime(began).TotalSeconds, Kernel.CpuSeconds(pid));
                    return new(seconds, cpu, Kernel.BusySeconds() - busy - cpu);
                }
            }

            if (qemu is { Lives: false }) throw new DemoFault("bare qemu to run", qemu.Lines.LastOrDefault().Line ?? "it ended");
            await Wait(s, began);
        }
    }

    private static async Task Wait(Stage s, long began)
    {
        if (Stopwatch.GetElapsedTime(began) > Patience) throw new DemoFault("the guest to boot", "it does not");
        await Task.Delay(5, s.Stop);
    }

    private static async Task Stop(Stage s, string token, string action)
    {
        await s.Cloud.Post(token, action, new Dictionary<string, object?> { ["os-stop"] = null }, s.Stop);
        await s.User.Becomes("SHUTOFF", TimeSpan.FromMinutes(2), "status", "server", "show", "two");
    }

    /// <summary>The arguments of the running guest, without what only libvirtd can give: monitor, secrets, open files.</summary>
    private static string[] Bare(Stage s, string server)
    {
        var all = Kernel.CommandLine(Kernel.Guest(server) ?? throw new DemoFault("the second server's qemu to run", "no such process"));
        var bare = new List<string> { all[0] };
        for (var i = 1; i < all.Length; i++)
        {
            var (option, value) = (all[i], i + 1 < all.Length ? all[i + 1] : "");
            if (option == "-S") continue;
            i++;
            if (option is "-mon" or "-add-fd" || value.Contains("charmonitor", StringComparison.Ordinal) || value.Contains("\"secret\"", StringComparison.Ordinal)) continue;
            if (value.StartsWith('-')) { bare.Add(option); i--; continue; } // an option without a value
            bare.AddRange([option, option switch
            {
                "-name" => "guest=cs-demo-bare",
                "-netdev" => TapFd().Replace(value, $"\"ifname\":\"{Tap(s)}\",\"script\":\"no\",\"downscript\":\"no\""),
                "-blockdev" => value.Replace(Disk(s), CopyOfDisk(s), StringComparison.Ordinal),
                "-chardev" => $"file,id=charserial0,path={Console(s)},append=on",
                _ => value,
            }]);
        }

        return [.. bare];
    }

    private static string Disk(Stage s) => Path.Combine(s.Data, "host/disks", s.Made.SecondServer + ".qcow2");

    private static string CopyOfDisk(Stage s) => Path.Combine(s.Data, "bare.qcow2");

    private static string Console(Stage s) => Path.Combine(s.Data, "bare.log");

    private static string Tap(Stage s) => Kernel.Links(s.Cloud.Owner).First(l => l.Alias.EndsWith("port/" + s.Made.SecondPort, StringComparison.Ordinal)).Name;

    // What else the machine does at the time only ever adds.
    private static double Quickest(IEnumerable<double> values) => values.Min();

    private static (double Mean, double StandardError) Mean(double[] values)
    {
        var mean = values.Average();
        return (mean, Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1) / values.Length));
    }

    private static string Text(double seconds) => seconds.ToString("0.00 s", CultureInfo.InvariantCulture);

    [GeneratedRegex("\"fd\":\"\\d+\"")]
    private static partial Regex TapFd();
}
