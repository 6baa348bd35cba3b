using System.Diagnostics;

namespace Cloud.Bench;

/// <summary>docs/benchmarks.md: a run's figures with where they come from.</summary>
internal static class Machine
{
    public static string Page(string tables) => $"""
        # Benchmarks

        Written by `./cloud bench --write docs/benchmarks.md` from one run. Do not edit.

        - machine: {Cpu()}, {Environment.ProcessorCount} cores, {Memory()} GiB; {Git("uname", "-sr")}; .NET {Environment.Version}
        - commit: {Git("git", "rev-parse", "--short=12", "HEAD")}
        - load average when the run ended: {File.ReadAllText("/proc/loadavg").Split(' ')[0]}; the client runs on the same machine and counts for nothing

        CPU-ms are the control plane process's own user and system time divided by the operations, what they leave to be done afterwards included (events, host commands, syncs).
        Its {Run.Hosts} simulated hosts run in the same process, so their cost is in every figure. A server's life is POST, polled to ACTIVE (the time shown), DELETE, polled to 404; the polls are counted too.
        Every write is durable before it is answered (SQLite, `synchronous=FULL`). The figures of OpenStack Zed are constants of `tests/Bench/Zed.cs`, which says where they are from.

        {tables}
        """;

    private static string Cpu() => File.ReadLines("/proc/cpuinfo").First(l => l.StartsWith("model name", StringComparison.Ordinal)).Split(':', 2)[1].Trim();

    private static long Memory() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;

    private static string Git(string tool, params string[] args)
    {
        using var run = Process.Start(new ProcessStartInfo(tool, args) { RedirectStandardOutput = true })!;
        var text = run.StandardOutput.ReadToEnd().Trim();
        run.WaitForExit();
        return text;
    }
}
