using System.Diagnostics;
using System.Globalization;

namespace Cloud.Bench;

/// <summary>Whose work is measured: one process or several.</summary>
public abstract class Subject
{
    private const int TicksPerSecond = 100; // USER_HZ, the same on every Linux

    /// <summary>User and system time so far, in ms; the kernel counts in steps of 10 ms.</summary>
    public abstract double CpuMs();

    /// <summary>Until it has used next to nothing for a moment: what requests left behind is done, and counts as theirs.</summary>
    /// <returns>False when it is still at work after ten seconds.</returns>
    public async Task<bool> Settle()
    {
        var clock = Stopwatch.StartNew();
        for (var before = CpuMs(); clock.Elapsed < TimeSpan.FromSeconds(10);)
        {
            await Task.Delay(300);
            var now = CpuMs();
            if (now - before <= 10) return true;
            before = now;
        }
        return false;
    }

    /// <summary>Of one process, children excluded.</summary>
    protected static double CpuMs(int pid)
    {
        var fields = Stat(pid);
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) * 1000 / TicksPerSecond;
    }

    /// <summary>What /proc says of a process, from its state on.</summary>
    protected static string[] Stat(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }
}
