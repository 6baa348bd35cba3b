namespace Cloud.Platform.Local;

/// <summary>Store and bus of the embedded cloud, in one file.</summary>
public sealed class LocalState : IDisposable
{
    private readonly SqliteFile _file;

    private LocalState(SqliteFile file, TimeProvider clock)
    {
        _file = file;
        Bus = new(file, clock);
        Store = new(file, Bus);
    }

    public SqliteStore Store { get; }
    public SqliteBus Bus { get; }

    /// <exception cref="State.StoreUnavailableException">Another process has it open.</exception>
    public static LocalState Open(string path, TimeProvider clock) => new(new(path), clock);

    public void Dispose()
    {
        Bus.Dispose();
        _file.Dispose();
    }
}
