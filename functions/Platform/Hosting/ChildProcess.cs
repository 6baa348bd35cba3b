using System.Diagnostics;

namespace Cloud.Platform.Hosting;

/// <summary>Starts this program once more with a verb; there <see cref="Confinement"/> takes over. At most two at a time.</summary>
public sealed class ChildProcess : IConfined, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly SemaphoreSlim _room = new(2);

    public async Task<string> Run(string verb, IReadOnlyList<string> arguments, ReadOnlyMemory<byte> input, CancellationToken ct)
    {
        await _room.WaitAsync(ct);
        try { return await Run([verb, .. arguments], input, ct); }
        finally { _room.Release(); }
    }

    private static async Task<string> Run(string[] command, ReadOnlyMemory<byte> input, CancellationToken ct)
    {
        using var wall = CancellationTokenSource.CreateLinkedTokenSource(ct);
        wall.CancelAfter(Patience);
        using var child = Start(command);
        try
        {
            var answer = child.StandardOutput.ReadToEndAsync(wall.Token);
            await Feed(child, input, wall.Token);
            await child.WaitForExitAsync(wall.Token);
            return child.ExitCode == 0 ? await answer : throw new ConfinedException($"{command[0]} ended with {child.ExitCode}");
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested) { throw new ConfinedException($"{command[0]} took too long", e); }
        finally
        {
            if (!child.HasExited) child.Kill();
        }
    }

    private static async Task Feed(Process child, ReadOnlyMemory<byte> input, CancellationToken ct)
    {
        try
        {
            await child.StandardInput.BaseStream.WriteAsync(input, ct);
            child.StandardInput.Close();
        }
        catch (IOException) { /* it has ended: its status says why */ }
    }

    private static Process Start(string[] arguments)
    {
        var info = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Cloud.Functions"), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        var root = info.Environment.TryGetValue("DOTNET_ROOT", out var set) ? set : null;
        info.Environment.Clear(); // nothing in it is the child's business
        if (root is not null) info.Environment["DOTNET_ROOT"] = root;
        foreach (var (name, value) in Confinement.Runtime) info.Environment[name] = value;
        return Process.Start(info)!;
    }

    public void Dispose() => _room.Dispose();
}
