using System.Diagnostics;

namespace Cloud.Soak;

/// <summary>A process that is killed and started again. Its output goes to a file.</summary>
public sealed class Victim(string name, string executable, IReadOnlyList<string> arguments, string log) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private Process? _process;

    public string Name => name;
    public int Kills { get; private set; }
    /// <summary>Ends that nobody asked for.</summary>
    public int Crashes { get; private set; }

    public void Start()
    {
        // Through sh, for the output to go to a file that needs nobody to read it; exec, so that the process is the one we know.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >> \"$0\" 2>&1", log, executable, .. arguments]);
        _process = Process.Start(start)!;
    }

    public async Task Kill(TimeSpan away)
    {
        await _gate.WaitAsync();
        try
        {
            if (_process!.HasExited) Crashes++;
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
            Crashes++;
            Start();
        }
        finally { _gate.Release(); }
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
