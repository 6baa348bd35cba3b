using System.Runtime.InteropServices;

namespace Cloud.Platform.Hosting;

/// <summary>Gives memory back once the work that needed it is over. The collector keeps what it has for the next load, which may never come; so a cloud at rest would stay as big as its busiest moment.</summary>
internal static class Slack
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    /// <summary>Bytes allocated between two looks that are still rest (heartbeats and timers take some 100 KB), and since the last time that make it worth the pause.</summary>
    private const long Rest = 4 << 20, Worth = 32 << 20;

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
                    kept = now;
                }
                seen = now;
            }
        }
        catch (OperationCanceledException) { /* stopping */ }
    }

#pragma warning disable SYSLIB1054 // a number needs no generated code, which would be unsafe
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int malloc_trim(nint pad);
#pragma warning restore SYSLIB1054
}
