using System.Runtime.InteropServices;

namespace Cloud.Agents.Host.Linux;

/// <summary>System calls that .NET has no name for.</summary>
internal static class Native
{
    internal const int NewNet = 0x40000000, Bind = 0x1000, Detach = 2, Terminate = 15, Kill = 9, HangUp = 1;

    /// <exception cref="IOException">The call failed.</exception>
    internal static void Check(int result, string what)
    {
        if (result < 0)
            throw new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

#pragma warning disable SYSLIB1054 // The generated kind needs unsafe code in the whole project.
    [DllImport("libc", SetLastError = true)]
    internal static extern int kill(int pid, int signal);
    [DllImport("libc", SetLastError = true)]
    internal static extern int unshare(int flags);
    [DllImport("libc", SetLastError = true)]
    internal static extern int setns(SafeHandle fd, int type);
    [DllImport("libc", SetLastError = true, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    internal static extern int mount([MarshalAs(UnmanagedType.LPUTF8Str)] string source, [MarshalAs(UnmanagedType.LPUTF8Str)] string target, nint type, nuint flags, nint data);
    [DllImport("libc", SetLastError = true, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    internal static extern int umount2([MarshalAs(UnmanagedType.LPUTF8Str)] string target, int flags);
#pragma warning restore SYSLIB1054
}
