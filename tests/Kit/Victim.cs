using System.Diagnostics;

namespace Cloud.Tests.Kit;

/// <summary>A process that is killed and started again. Its output goes to a file.</summary>
/// <param name="excuses">Whether there was a reason to end by itself since that time, which is when it was started.</param>
public sealed class Victim(string name, string executable, IReadOnlyList<string> arguments, string log, Func<long, bool>? excuses = null) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private Process? _process;
    private long _started;

    public string Name => name;
    public int Kills { get; private set; }
    /// <summary>Ends that nobody asked for, and for which there was no excuse.</summary>
    public int Crashes { get; private set; }
    /// <summary>Starts that could not be.</summary>
    public int Refusals { get; private set; }
    public IReadOnlyDictionary<string, string> Environment { get; set; } = new Dictionary<string, string>();

    public void Start()
    {
        // Through sh, for the output to go to a file that needs nobody to read it; exec, so that the process is the one we know.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >> \"$0\" 2>&1", log, executable, .. arguments]);
        foreach (var (key, value) in Environment) start.Environment[key] = value;
        _started = Stopwatch.GetTimestamp();
        _process = Process.Start(start)!;
    }

    public async Task Kill(TimeSpan away)
    {
        await _gate.WaitAsync();
        try
        {
            if (_process!.HasExited) Count();
            else
            {
                _process.Kill();
                Kills++;
            }
            await _process.WaitForExitAsync();
            _process.Dispose();
            await Task.Delay(away);
            Start();
        }
        finally { _gate.Release(); }
    }

    /// <summary>Starts it again should it have ended by itself.</summary>
    public async Task Look()
    {
        await _gate.WaitAsync();
        try
        {
            if (!_process!.HasExited) return;
            Count();
            Start();
        }
        finally { _gate.Release(); }
    }

    // What is wanting at a start ends it; what runs has to go on.
    private void Count()
    {
        if (excuses?.Invoke(_started) == true && _process!.ExitTime - _process.StartTime < TimeSpan.FromSeconds(5)) Refusals++;
        else Crashes++;
    }

    /// <summary>Asks it to end.</summary>
    public async Task Stop()
    {
        if (_process is null || _process.HasExited) return;
        using (var kill = Process.Start("kill", [$"{_process.Id}"])) await kill.WaitForExitAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try { await _process.WaitForExitAsync(patience.Token); }
        catch (OperationCanceledException) { _process.Kill(); }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false } p)
        {
            p.Kill();
            await p.WaitForExitAsync();
        }
        _process?.Dispose();
        _gate.Dispose();
    }
}
