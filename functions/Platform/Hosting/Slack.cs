using System.Runtime.InteropServices;

namespace Cloud.Platform.Hosting;

/// <summary>
/// Gives memory back once the work that needed it is over. The collector keeps what it has for the next load, which may never come, and
/// code stays mapped that only the start or a load ran; so a cloud at rest would stay as big as its busiest moment.
/// </summary>
internal static class Slack
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    /// <summary>Bytes allocated between two looks that are still rest (heartbeats and timers take some 100 KB), and since the last time that make it worth the pause.</summary>
    private const long Rest = 4 << 20, Worth = 8 << 20;
    private const int DontNeed = 4;

    public static async Task GiveBack(TimeProvider clock, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Every, clock);
        long seen = 0, kept = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                var now = GC.GetTotalAllocatedBytes();
                if (now - seen < Rest && now - kept > Worth)
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    _ = malloc_trim(0); // what the compiler and the database had, which the C library keeps as well
                    foreach (var (start, length) in Mapping.Clean(File.ReadLines("/proc/self/smaps"))) _ = madvise(start, length, DontNeed);
                    now = kept = GC.GetTotalAllocatedBytes();
                }
                seen = now;
            }
        }
        catch (OperationCanceledException) { /* stopping */ }
    }

#pragma warning disable SYSLIB1054 // numbers need no generated code, which would be unsafe
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int malloc_trim(nint pad);
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int madvise(nint start, nint length, int advice);
#pragma warning restore SYSLIB1054
}
