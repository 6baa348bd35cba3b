using System.Collections.Concurrent;
using System.Threading.Channels;
using Cloud.Platform.State;

namespace Cloud.Platform.Local;

/// <summary>
/// One SQLite file owned by this process. All writes go through one thread that commits whatever has come together in one durable
/// transaction (WAL, synchronous=FULL); reads run beside it.
/// </summary>
public sealed class SqliteFile : IDisposable
{
    /// <summary>A write. <see cref="Apply"/> must look before it writes: what it throws must leave nothing written.</summary>
    internal abstract class Write
    {
        public readonly TaskCompletionSource Done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Exception? Refused;
        public abstract void Apply(SqliteSession session);
        /// <summary>On the writer's thread, when it is on disk.</summary>
        public virtual void Durable() { }
    }

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly FileStream _owner;
    private readonly SqliteSession _writer;
    /// <summary>The last used first: as many as there are reads at once, each with its pages at hand.</summary>
    private readonly ConcurrentStack<SqliteSession> _readers = new();
    private readonly Channel<Write> _queue = Channel.CreateUnbounded<Write>(new() { SingleReader = true });
    private readonly ConcurrentQueue<Action<SqliteSession>> _later = new();
    private readonly Timer _flush;
    private int _flushes;
    private readonly Thread _thread;

    /// <exception cref="StoreUnavailableException">Another process has it open.</exception>
    public SqliteFile(string path)
    {
        _path = path;
        try { _owner = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
        catch (IOException e) { throw new StoreUnavailableException($"{path} is in use by another process", e); }
        _writer = new(path, readOnly: false);
        RowTable.Create(_writer);
        _writer.Run("""
            CREATE TABLE IF NOT EXISTS etags(one INTEGER PRIMARY KEY, last INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS messages(seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, session TEXT, due INTEGER, attempts INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL);
            CREATE UNIQUE INDEX IF NOT EXISTS messages_id ON messages(queue, id);
            CREATE TABLE IF NOT EXISTS dead(queue TEXT NOT NULL, id TEXT NOT NULL, session TEXT, attempts INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(queue, id)) WITHOUT ROWID;
            """);
        _flush = new(_ =>
        {
            Volatile.Write(ref _flushes, 0);
            _queue.Writer.TryWrite(new Nothing());
        });
        _thread = new Thread(WriteLoop) { Name = "store writer", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Ends when the write is on disk.</summary>
    internal Task Do(Write write)
    {
        if (!_queue.Writer.TryWrite(write)) throw new StoreUnavailableException("the store is closed");
        return write.Done.Task;
    }

    /// <summary>Writes it with the next write that somebody waits for, before it, or after a second; a kill before that loses it.</summary>
    internal void Later(Action<SqliteSession> write)
    {
        _later.Enqueue(write);
        if (Interlocked.Exchange(ref _flushes, 1) == 0) _flush.Change(Patience, Timeout.InfiniteTimeSpan);
    }

    internal T Read<T>(Func<SqliteSession, T> read)
    {
        if (!_readers.TryPop(out var session)) session = new(_path, readOnly: true);
        try { return read(session); }
        finally { _readers.Push(session); }
    }

    private void WriteLoop()
    {
        var batch = new List<Write>();
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < 256 && _queue.Reader.TryRead(out var write)) batch.Add(write);
            Commit(batch);
        }
    }

    private void Commit(List<Write> batch)
    {
        // What was asked for before any write of this batch comes before it.
        var later = new List<Action<SqliteSession>>(_later.Count);
        while (later.Count < later.Capacity && _later.TryDequeue(out var one)) later.Add(one);
        try
        {
            _writer.Execute("BEGIN IMMEDIATE");
            foreach (var write in later) write(_writer);
            foreach (var write in batch)
            {
                try { write.Apply(_writer); }
                catch (ConflictException e) { write.Refused = e; }
            }
            _writer.Execute("COMMIT");
        }
        catch (StoreUnavailableException e)
        {
            try { _writer.Execute("ROLLBACK"); }
            catch (StoreUnavailableException) { /* it rolled back by itself */ }
            later.ForEach(_later.Enqueue);
            foreach (var write in batch) write.Done.TrySetException(new StoreUnavailableException(e.Message, e));
            return;
        }
        foreach (var write in batch)
        {
            if (write.Refused is null) { write.Durable(); write.Done.TrySetResult(); }
            else write.Done.TrySetException(write.Refused);
        }
    }

    private sealed class Nothing : Write
    {
        public override void Apply(SqliteSession session) { }
    }

    public void Dispose()
    {
        _flush.Dispose();
        _queue.Writer.TryWrite(new Nothing());
        _queue.Writer.TryComplete();
        _thread.Join();
        foreach (var reader in _readers) reader.Dispose();
        _writer.Dispose();
        _owner.Dispose();
    }
}
