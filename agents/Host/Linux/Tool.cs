using System.ComponentModel;
using System.Diagnostics;

namespace Cloud.Agents.Host.Linux;

/// <summary>One run of a program. Arguments are an array that the program gets as it is: there is no shell anywhere.</summary>
/// <param name="Input">Text for its standard input.</param>
/// <param name="Timeout">30 s when null; then it is killed.</param>
public sealed record ToolCall(string Program, IReadOnlyList<string> Arguments, string? Input = null, TimeSpan? Timeout = null)
{
    public override string ToString() => $"{Program} {string.Join(' ', Arguments)}";
}

public sealed record ToolResult(int ExitCode, string Output, string Error);

/// <summary>Runs programs; the only place of the host agent that starts processes.</summary>
public interface ITool
{
    /// <summary>Runs to the end, whatever the exit code.</summary>
    /// <exception cref="HandlerFault">It could not be started, or took too long.</exception>
    Task<ToolResult> Try(ToolCall call, CancellationToken ct);
}

public static class ToolExtensions
{
    /// <summary>Runs a program that must succeed; returns its standard output.</summary>
    /// <exception cref="HandlerFault">With the end of its standard error; may be tried again.</exception>
    public static async Task<string> Run(this ITool tool, ToolCall call, CancellationToken ct)
    {
        var result = await tool.Try(call, ct);
        return result.ExitCode == 0
            ? result.Output
            : throw new HandlerFault($"{call} ended with {result.ExitCode}: {Tail(result.Error)}", retry: true);
    }

    public static Task<string> Run(this ITool tool, string program, IReadOnlyList<string> arguments, CancellationToken ct) =>
        tool.Run(new ToolCall(program, arguments), ct);

    public static Task<ToolResult> Try(this ITool tool, string program, IReadOnlyList<string> arguments, CancellationToken ct) =>
        tool.Try(new ToolCall(program, arguments), ct);

    private static string Tail(string text) => (text.Length > 500 ? text[^500..] : text).Trim();
}

/// <inheritdoc cref="ITool"/>
public sealed class Tool : ITool
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    public async Task<ToolResult> Try(ToolCall call, CancellationToken ct)
    {
        using var process = Start(call);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(call.Timeout ?? DefaultTimeout);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await Feed(process, call.Input, deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            ct.ThrowIfCancellationRequested();
            throw new HandlerFault($"{call} took longer than {(call.Timeout ?? DefaultTimeout).TotalSeconds:0} s", retry: true);
        }

        // A program that leaves a daemon behind may leave our pipes open in it: what has been said by now is all.
        await Task.WhenAny(Task.WhenAll(output, error), Task.Delay(TimeSpan.FromSeconds(1), ct));
        return new ToolResult(process.ExitCode, Said(output), Said(error));
    }

    private static Process Start(ToolCall call)
    {
        var info = new ProcessStartInfo(call.Program, call.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" },
        };
        try
        {
            return Process.Start(info)!;
        }
        catch (Win32Exception e)
        {
            throw new HandlerFault($"{call.Program} does not start: {e.Message}", retry: false, e);
        }
    }

    private static async Task Feed(Process process, string? input, CancellationToken ct)
    {
        try
        {
            await process.StandardInput.WriteAsync((input ?? "").AsMemory(), ct);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code says why.
        }
    }

    private static string Said(Task<string> text) => text.IsCompletedSuccessfully ? text.Result : "";
}
