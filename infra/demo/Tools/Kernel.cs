using System.Text.Json;

namespace Cloud.Demo.Tools;

/// <summary>What of one cloud exists on this machine.</summary>
public static class Kernel
{
    public static int? Guest(string server) => Processes().FirstOrDefault(p => p.CommandLine.Any(a => a.StartsWith($"guest=cs-{server}", StringComparison.Ordinal))) is { Pid: > 0 } found ? found.Pid : null;

    /// <summary>Processor time that a process has used.</summary>
    public static double CpuSeconds(int pid)
    {
        using var process = System.Diagnostics.Process.GetProcessById(pid);
        return process.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>Processor time that everything on this machine has used.</summary>
    public static double BusySeconds()
    {
        // user nice system idle iowait irq softirq, in hundredths of a second (proc(5))
        var times = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(7).Select(t => long.Parse(t, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        return (times.Sum() - times[3] - times[4]) / 100.0;
    }

    public static string[] CommandLine(int pid)
    {
        try { return File.ReadAllText($"/proc/{pid}/cmdline").TrimEnd('\0').Split('\0'); }
        catch (IOException) { return []; } // it ended meanwhile
    }

    public static List<(string Name, string Alias)> Links(string owner)
    {
        using var links = JsonDocument.Parse(Tool.Run("ip", ["-json", "link"], TimeSpan.FromSeconds(20), CancellationToken.None).GetAwaiter().GetResult());
        return [.. links.RootElement.EnumerateArray()
            .Select(l => (l.GetProperty("ifname").GetString()!, l.TryGetProperty("ifalias", out var a) ? a.GetString()! : ""))
            .Where(l => l.Item2.StartsWith($"cs:{owner}:", StringComparison.Ordinal))];
    }

    /// <summary>Every process, interface, namespace, rule set and mount that names this cloud, except the demo itself.</summary>
    public static async Task<List<string>> Everything(string data, string owner)
    {
        var found = new List<string>();
        found.AddRange(Processes().Where(p => p.Pid != Environment.ProcessId && p.CommandLine.Any(a => a.Contains(data + "/", StringComparison.Ordinal) || a == data)).Select(p => $"process {p.Pid} {string.Join(' ', p.CommandLine.Take(4))}"));
        found.AddRange(Links(owner).Select(l => $"interface {l.Name}"));
        found.AddRange((await File.ReadAllLinesAsync("/proc/self/mountinfo")).Where(m => m.Contains(data + "/", StringComparison.Ordinal)).Select(m => $"mount {m.Split(' ')[4]}"));
        found.AddRange((await Tool.Run("ip", ["netns", "list"], TimeSpan.FromSeconds(20), CancellationToken.None)).Split('\n').Where(n => n.Contains(owner, StringComparison.Ordinal)).Select(n => "namespace " + n));
        var tables = await Tool.Run("nft", ["list", "tables"], TimeSpan.FromSeconds(20), CancellationToken.None);
        found.AddRange(tables.Split('\n').Where(t => t.Contains("cs_" + owner, StringComparison.Ordinal)).Select(t => "nft " + t));
        return found;
    }

    /// <summary>Files below these folders.</summary>
    public static List<string> Files(params IEnumerable<string> folders) =>
        [.. folders.Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories)).Select(f => "file " + f)];

    private static IEnumerable<(int Pid, string[] CommandLine)> Processes() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(n => int.TryParse(n, out _)).Select(n => (int.Parse(n!), CommandLine(int.Parse(n!))));
}
