namespace Cloud.Agents.Host.Linux;

/// <summary>
/// A program that outlives this process, known by its pid file. A pid is believed only when the process was started with the
/// same configuration file: numbers are used again.
/// </summary>
/// <param name="configuration">Stands in its command line.</param>
public sealed class Daemon(string pidFile, string configuration)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private const int LooksBeforeKill = 200;

    public int? Pid
    {
        get
        {
            try
            {
                return int.TryParse(File.ReadAllText(pidFile), out var pid) && File.ReadAllText($"/proc/{pid}/cmdline").Contains(configuration, StringComparison.Ordinal) ? pid : null;
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>Has it read its files again.</summary>
    public void Reload()
    {
        if (Pid is { } pid)
            _ = Native.kill(pid, Native.HangUp);
    }

    /// <summary>Returns when it is gone.</summary>
    public async Task Stop(CancellationToken ct)
    {
        for (var i = 0; Pid is { } pid; i++)
        {
            if (i == 0 || i == LooksBeforeKill)
                _ = Native.kill(pid, i == 0 ? Native.Terminate : Native.Kill);
            await Task.Delay(Look, ct);
        }

        if (File.Exists(pidFile))
            File.Delete(pidFile);
    }
}
