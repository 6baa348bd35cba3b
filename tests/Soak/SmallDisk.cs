using System.Diagnostics;

namespace Cloud.Soak;

/// <summary>A file system of our own, in a file and so small that it can be filled: it knows when it was full. Needs root and loop devices.</summary>
public sealed class SmallDisk(string at) : IAsyncDisposable
{
    private const int MiB = 96;
    private const int NoSpace = 28; // ENOSPC

    private readonly string _image = at + ".img";
    private readonly string _filler = Path.Combine(at, "filler");
    private long _emptied;
    private bool _isFull, _mounted;

    public int Fillings { get; private set; }

    public async Task Mount()
    {
        Directory.CreateDirectory(at);
        await using (var file = File.Create(_image)) file.SetLength((long)MiB << 20);
        await Run("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", _image);
        await Run("mount", "-o", "loop", _image, at);
        _mounted = true;
    }

    /// <summary>Not a byte more fits on it, for as long as that lasts.</summary>
    public async Task Fill(Func<Task> meanwhile)
    {
        (Fillings, _isFull) = (Fillings + 1, true);
        using var still = new CancellationTokenSource();
        // What others give up is taken as well.
        var filling = Task.Run(() => Take(still.Token), CancellationToken.None);
        try { await meanwhile(); }
        finally
        {
            await still.CancelAsync();
            await filling;
            File.Delete(_filler);
            Volatile.Write(ref _emptied, Stopwatch.GetTimestamp());
            _isFull = false;
        }
    }

    /// <summary>Whether it was full at any time since then.</summary>
    public bool WasFullSince(long timestamp) => _isFull || Volatile.Read(ref _emptied) >= timestamp;

    private async Task Take(CancellationToken ct)
    {
        var some = new byte[1 << 20];
        await using var file = new FileStream(_filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var size = some.Length; !ct.IsCancellationRequested;)
            try { file.Write(some, 0, size); }
            catch (IOException e) when (e.HResult == NoSpace)
            {
                if (size > 512) size /= 2;
                else await Task.Delay(5, CancellationToken.None);
            }
    }

    private static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program}: {errors.Trim()}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_mounted) await Run("umount", at);
    }
}
