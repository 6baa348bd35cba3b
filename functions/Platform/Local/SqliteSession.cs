using Cloud.Platform.State;
using SQLitePCL;

namespace Cloud.Platform.Local;

/// <summary>One connection with its prepared statements. Used by one thread at a time. What SQLite refuses is a <see cref="StoreUnavailableException"/>.</summary>
internal sealed class SqliteSession : IDisposable
{
    private const int Patience = 30_000; // ms, for a lock that another connection of this process holds

    private readonly sqlite3 _connection;
    private readonly Dictionary<string, sqlite3_stmt> _prepared = [];

    static SqliteSession() => Batteries_V2.Init();

    public SqliteSession(string path, bool readOnly)
    {
        Must(raw.sqlite3_open_v2(path, out _connection, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX | (readOnly ? 0 : raw.SQLITE_OPEN_CREATE), null));
        Must(raw.sqlite3_busy_timeout(_connection, Patience));
        // Else a statement is planned anew whenever other values are bound to it.
        Must(raw.sqlite3_db_config(_connection, raw.SQLITE_DBCONFIG_ENABLE_QPSG, 1, out _));
        // There is a session for each read at once, and the kernel has the pages as well: KiB each.
        Run("PRAGMA cache_size=-256");
        Run(readOnly ? "PRAGMA query_only=ON" : "PRAGMA journal_mode=WAL");
        if (!readOnly) Run("PRAGMA synchronous=FULL");
    }

    public void Run(string sql) => Must(raw.sqlite3_exec(_connection, sql));

    public void Execute(string sql, params ReadOnlySpan<object?> values)
    {
        using var rows = Query(sql, values);
        while (rows.Next()) { }
    }

    public long? Number(string sql, params ReadOnlySpan<object?> values)
    {
        using var rows = Query(sql, values);
        return rows.Next() && !rows.IsNull(0) ? rows.Number(0) : null;
    }

    /// <param name="values">For ?1, ?2, ...: text, numbers, bytes or null.</param>
    public Rows Query(string sql, params ReadOnlySpan<object?> values)
    {
        if (!_prepared.TryGetValue(sql, out var statement))
        {
            Must(raw.sqlite3_prepare_v3(_connection, sql, raw.SQLITE_PREPARE_PERSISTENT, out statement));
            _prepared[sql] = statement;
        }
        for (var i = 0; i < values.Length; i++)
            Must(values[i] switch
            {
                string text => raw.sqlite3_bind_text(statement, i + 1, text),
                long number => raw.sqlite3_bind_int64(statement, i + 1, number),
                ReadOnlyMemory<byte> { Length: > 0 } bytes => raw.sqlite3_bind_blob(statement, i + 1, bytes.Span),
                ReadOnlyMemory<byte> => raw.sqlite3_bind_zeroblob(statement, i + 1, 0),
                null => raw.sqlite3_bind_null(statement, i + 1),
                var other => throw new ArgumentException($"a {other.GetType().Name} can't be stored", nameof(values)),
            });
        return new(this, statement);
    }

    private void Must(int code)
    {
        if (code != raw.SQLITE_OK) throw Failure(code);
    }

    private StoreUnavailableException Failure(int code) => new($"the store can't be used: {code} {raw.sqlite3_errmsg(_connection).utf8_to_string()}");

    public void Dispose()
    {
        foreach (var statement in _prepared.Values) statement.Dispose();
        _connection.Dispose();
    }

    /// <summary>What a statement returns, row by row. Disposing it ends its look at the file.</summary>
    public readonly ref struct Rows(SqliteSession session, sqlite3_stmt statement)
    {
        public bool Next() => raw.sqlite3_step(statement) switch
        {
            raw.SQLITE_ROW => true,
            raw.SQLITE_DONE => false,
            var code => throw session.Failure(code),
        };

        public bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;
        public long Number(int column) => raw.sqlite3_column_int64(statement, column);
        public string Text(int column) => raw.sqlite3_column_text(statement, column).utf8_to_string();
        public byte[] Bytes(int column) => raw.sqlite3_column_blob(statement, column).ToArray();

        public void Dispose()
        {
            raw.sqlite3_reset(statement);
            raw.sqlite3_clear_bindings(statement);
        }
    }
}
