using System.Runtime.InteropServices;

namespace Cloud.Agents.Host.Linux;

/// <summary>Files that are either whole and on disk, or not there.</summary>
public static class Durable
{
    /// <summary>Makes a finished <paramref name="part"/> appear as <paramref name="path"/>, replacing what was there. Survives a power cut once it returns.</summary>
    public static void Publish(string part, string path)
    {
        using (var file = File.OpenHandle(part, FileMode.Open, FileAccess.ReadWrite))
            RandomAccess.FlushToDisk(file);
        File.Move(part, path, overwrite: true);
        SyncFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Deletes a file for good; that it isn't there is fine.</summary>
    public static void Delete(string path)
    {
        if (!File.Exists(path))
            return;
        File.Delete(path);
        SyncFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>A name is on disk only when its folder is. .NET opens no folders, libc does.</summary>
    private static void SyncFolder(string folder)
    {
        var fd = open(folder, 0x80000 /* O_RDONLY | O_CLOEXEC */);
        if (fd < 0)
            throw new IOException($"cannot open {folder}: error {Marshal.GetLastPInvokeError()}");
        var failed = fsync(fd) != 0;
        _ = close(fd);
        if (failed)
            throw new IOException($"cannot sync {folder}");
    }

#pragma warning disable SYSLIB1054 // The generated kind needs unsafe code in the whole project.
    [DllImport("libc", SetLastError = true, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
    [DllImport("libc", SetLastError = true)]
    private static extern int fsync(int fd);
    [DllImport("libc")]
    private static extern int close(int fd);
#pragma warning restore SYSLIB1054
}
