namespace Cloud.Agents.Host;

/// <summary>The agent's folder. Guests run as another user: they may pass through, and see nothing but what they were given.</summary>
public static class DataFolder
{
    private const UnixFileMode Pass = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <returns>Held as long as this process lives: one agent per folder.</returns>
    /// <exception cref="IOException">Another agent has it.</exception>
    public static IDisposable Open(HostOptions options)
    {
        foreach (var folder in new[] { options.Data, options.Images, options.Disks, options.Consoles, options.ConfigDrives, options.Networks })
            Directory.CreateDirectory(folder, Pass);
        Create(LedgerFile(options)).Dispose();
        return Create(Path.Combine(options.Data, "agent.lock"), FileShare.None);
    }

    public static string LedgerFile(HostOptions options) => Path.Combine(options.Data, "ledger.db");

    private static FileStream Create(string path, FileShare share = FileShare.ReadWrite) =>
        new(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share, UnixCreateMode = Private });
}
