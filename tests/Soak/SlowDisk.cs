using System.Diagnostics;

namespace Cloud.Soak;

/// <summary>
/// A disk that takes its time, as a worn or shared one does: each sync of a process waits before it is done, one in fifty twenty times as long. By a library
/// between the process and libc, for not every kernel can delay a device. Needs gcc.
/// </summary>
public static class SlowDisk
{
    public const int Milliseconds = 40;

    private const string Code = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <time.h>
        static void late(void) {
          static int n;
          const char *ms = getenv("CS_SLOW_DISK");
          long t = (ms ? atol(ms) : 0) * (__sync_add_and_fetch(&n, 1) % 50 ? 1 : 20);
          struct timespec wait = {t / 1000, t % 1000 * 1000000};
          nanosleep(&wait, 0);
        }
        int fsync(int f) { static int (*real)(int); if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync"); late(); return real(f); }
        int fdatasync(int f) { static int (*real)(int); if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync"); late(); return real(f); }
        """;

    /// <summary>What a process's environment must hold.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> Make(string folder)
    {
        var (source, library) = (Path.Combine(folder, "slow.c"), Path.Combine(folder, "slow.so"));
        await File.WriteAllTextAsync(source, Code);
        using var gcc = Process.Start("gcc", ["-shared", "-fPIC", "-O1", "-o", library, source]);
        await gcc.WaitForExitAsync();
        return gcc.ExitCode == 0 ? new Dictionary<string, string> { ["LD_PRELOAD"] = library, ["CS_SLOW_DISK"] = $"{Milliseconds}" } : throw new InvalidOperationException("gcc could not make the slow disk");
    }
}
