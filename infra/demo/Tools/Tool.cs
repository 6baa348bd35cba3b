using System.Diagnostics;

namespace Cloud.Demo.Tools;

/// <param name="Code">Exit code; -1 when it took too long and was killed.</param>
public sealed record Ran(int Code, string Out, string Error, TimeSpan Took);

/// <summary>Programs, called with argument arrays and never by a shell.</summary>
public static class Tool
{
    public static async Task<Ran> Try(string program, IEnumerable<string> arguments, TimeSpan patience, CancellationToken ct, string? input = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var began = Stopwatch.GetTimestamp();
        using var process = Open(program, arguments, environment);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
        late.CancelAfter(patience);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(CancellationToken.None), process.StandardError.ReadToEndAsync(CancellationToken.None));
        try
        {
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), late.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            ct.ThrowIfCancellationRequested();
            return new(-1, await output, await error, Stopwatch.GetElapsedTime(began));
        }
        catch (IOException) { await process.WaitForExitAsync(late.Token); } // it didn't want its input
        return new(process.ExitCode, await output, await error, Stopwatch.GetElapsedTime(began));
    }

    /// <exception cref="DemoFault">It failed.</exception>
    public static async Task<string> Run(string program, IEnumerable<string> arguments, TimeSpan patience, CancellationToken ct, string? input = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        string[] all = [.. arguments];
        var ran = await Try(program, all, patience, ct, input, environment);
        return ran.Code == 0 ? ran.Out : throw new DemoFault($"'{program} {string.Join(' ', all)}' to work", ran.Code < 0 ? $"no end within {patience.TotalSeconds:0} s" : $"exit code {ran.Code}, {Tail(ran.Error.Length > 0 ? ran.Error : ran.Out)}");
    }

    internal static Process Open(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("OS_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        if (environment is not null)
            foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static string Tail(string text) => string.Join(" / ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(4));
}

/// <summary>A program that runs beside; its lines are kept with the moment at which they came.</summary>
public sealed class Background : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<(TimeSpan At, string Line)> _lines = [];
    private readonly long _began = Stopwatch.GetTimestamp();

    public Background(string program, params IEnumerable<string> arguments)
    {
        _process = Tool.Open(program, arguments);
        _process.OutputDataReceived += (_, e) => Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Add(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Pid => _process.Id;

    public bool Lives => !_process.HasExited;

    public IReadOnlyList<(TimeSpan At, string Line)> Lines
    {
        get { lock (_lines) return [.. _lines]; }
    }

    public async Task Write(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null) return;
        lock (_lines) _lines.Add((Stopwatch.GetElapsedTime(_began), line));
    }
}
