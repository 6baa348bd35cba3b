using System.Runtime.InteropServices;
using System.Text;

namespace Cloud.Platform.Hosting;

/// <summary>
/// A process gives up all but its memory and its time: no more descriptors, so no file and no network; no child, no file that grows, no core; 2 s of processor and 256 MiB;
/// and, where it was root, every right, for it goes on as nobody. Only then it reads what it was sent. Whatever it needs must be loaded by then.
/// </summary>
public static class Confinement
{
    private const int Cpu = 0, FileSize = 1, Data = 2, Core = 4, Processes = 6, Descriptors = 7;
    private const int NoNewPrivileges = 38;
    private const uint Nobody = 65534;
    private const int MaxInput = 1 << 20;

    /// <summary>What the runtime must be told so that it can live like that: no threads that begin later, and a heap of its own limit.</summary>
    public static readonly IReadOnlyList<(string Name, string Value)> Runtime =
        [("DOTNET_TieredCompilation", "0"), ("DOTNET_EnableDiagnostics", "0"), ("DOTNET_GCHeapHardLimit", "4000000"), ("DOTNET_gcConcurrent", "0")];

    /// <summary>Answers what comes on standard input on standard output, and ends the process.</summary>
    public static void Run(Func<byte[], string> answer)
    {
        using var input = Console.OpenStandardInput();
        using var output = Console.OpenStandardOutput();
        answer([]); // loads what it needs
        output.Write([]);
        Confine();
        var bytes = new byte[MaxInput];
        var length = input.ReadAtLeast(bytes, MaxInput, throwOnEndOfStream: false);
        output.Write(Encoding.UTF8.GetBytes(answer(bytes[..length])));
        _exit(0); // the runtime's own way out would wait two seconds for a thread that can't be made any more
    }

    private static void Confine()
    {
        Limit(Cpu, 2 + (long)Math.Ceiling(Environment.CpuUsage.TotalTime.TotalSeconds)); // starting took its own, more on a slow disk
        Limit(FileSize, 0);
        Limit(Data, 256 << 20);
        Limit(Core, 0);
        Limit(Processes, 0);
        Limit(Descriptors, 0);
        Must(prctl(NoNewPrivileges, 1, 0, 0, 0));
        if (geteuid() != 0) return;
        Must(setgroups(0, 0));
        Must(setresgid(Nobody, Nobody, Nobody));
        Must(setresuid(Nobody, Nobody, Nobody));
    }

    private static void Limit(int what, long most) => Must(setrlimit(what, new RLimit(most, most)));

    private static void Must(int result)
    {
        if (result != 0) throw new InvalidOperationException("the process could not be confined");
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RLimit(long Soft, long Hard);

#pragma warning disable SYSLIB1054, SYSLIB1092 // plain numbers need no generated code, which would be unsafe
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int setrlimit(int resource, in RLimit limit);
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int prctl(int option, nint a, nint b, nint c, nint d);
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern uint geteuid();
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern void _exit(int status);
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int setgroups(nint size, nint list);
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int setresgid(uint real, uint effective, uint saved);
    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int setresuid(uint real, uint effective, uint saved);
#pragma warning restore SYSLIB1054, SYSLIB1092
}
