using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Xunit;

namespace Cloud.Tests.Kit;

/// <summary>./cloud with the programs that were built with the tests.</summary>
internal sealed class CloudCommand : IDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _patience = new(Patience.Span);
    private int _open = 2;

    public CloudCommand(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "cloud"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["CLOUD_BIN"] = AppContext.BaseDirectory.TrimEnd('/');
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Add(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Of the loopback, with a port that nobody listens on.</summary>
    public static string FreeAddress() => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort()}");

    public static int FreePort() => FreePorts.One();

    /// <summary>The next line that begins so; others before it are passed over.</summary>
    public async Task<string> Says(string beginning)
    {
        var others = new List<string>();
        try
        {
            await foreach (var line in _lines.Reader.ReadAllAsync(_patience.Token))
                if (line.StartsWith(beginning, StringComparison.Ordinal)) return line;
                else others.Add(line);
        }
        catch (OperationCanceledException) { /* what it said instead tells more */ }
        throw new InvalidOperationException($"it never said '{beginning}' but: {string.Join('\n', others)}");
    }

    public async Task<int> Ended()
    {
        await _process.WaitForExitAsync(_patience.Token);
        return _process.ExitCode;
    }

    // Not Ctrl-C's signal: who is started in the background ignores that one, and so do all below it.
    public void Interrupt() => Assert.Equal(0, kill(_process.Id, 15));

    public void Kill() => _process.Kill();

    public void Dispose()
    {
        _process.Dispose();
        _patience.Dispose();
    }

    private void Add(string? line)
    {
        if (line is not null) _lines.Writer.TryWrite(line);
        else if (Interlocked.Decrement(ref _open) == 0) _lines.Writer.TryComplete();
    }

    [DllImport("libc")] private static extern int kill(int process, int signal);
}
