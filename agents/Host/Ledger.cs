using System.Text.Json;
using Cloud.Agents.Contract;
using Microsoft.Data.Sqlite;

namespace Cloud.Agents.Host;

/// <summary>What to do with a command that came in.</summary>
/// <param name="Reply">Given: answer this and do nothing.</param>
public readonly record struct Verdict(CommandReply? Reply)
{
    public bool Act => Reply is null;
}

/// <summary>
/// The host's memory, in one SQLite file: per key the highest fence ever seen, the commands of that fence with their replies,
/// and the wished state. Every write is on disk when the call returns. Fences outlive what they guard,
/// so that a removed thing isn't made again by a late message.
/// </summary>
public sealed class Ledger : ISpecs, INotes, IDisposable
{
    private readonly SqliteConnection db;
    private readonly Lock gate = new();

    public Ledger(string path)
    {
        db = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        db.Open();
        Execute("PRAGMA journal_mode=WAL");
        Execute("PRAGMA synchronous=FULL");
        Execute("""
            CREATE TABLE IF NOT EXISTS entry(key TEXT PRIMARY KEY, fence INTEGER NOT NULL, type TEXT, spec TEXT) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS entry_type ON entry(type) WHERE type IS NOT NULL;
            CREATE TABLE IF NOT EXISTS command(seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, id TEXT NOT NULL, reply TEXT, UNIQUE(key, id));
            CREATE TABLE IF NOT EXISTS note(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            """);
    }

    /// <summary>
    /// Records fence and wish before anything is done. Refused as stale: a fence below the highest seen, and the
    /// return of a command after which another one of the same key was begun (it was overtaken, e.g. by its own undo).
    /// </summary>
    public Verdict Begin(CommandMessage message)
    {
        lock (gate)
        {
            using var write = db.BeginTransaction();
            var key = message.Command.Key;
            var fence = Scalar("SELECT fence FROM entry WHERE key=$1", key) as long?;
            if (fence > message.Fence)
                return new(Reply(message, Outcome.Stale, $"fence {message.Fence} is below {fence}"));

            if (fence < message.Fence)
                Execute("DELETE FROM command WHERE key=$1", key);
            else if (Scalar("SELECT seq FROM command WHERE key=$1 AND id=$2", key, message.Id) is long seq)
            {
                if (Scalar("SELECT reply FROM command WHERE seq=$1", seq) is string reply)
                    return new((CommandReply)ContractJson.ReadHostMessage(System.Text.Encoding.UTF8.GetBytes(reply)) with { ReplyTo = message.ReplyTo });
                if (Scalar("SELECT 1 FROM command WHERE key=$1 AND seq>$2", key, seq) is not null)
                    return new(Reply(message, Outcome.Stale, "overtaken by a later command"));
            }

            Execute("INSERT INTO command(key, id) VALUES($1, $2) ON CONFLICT DO NOTHING", key, message.Id);
            Execute("INSERT INTO entry(key, fence) VALUES($1, $2) ON CONFLICT(key) DO UPDATE SET fence=$2", key, message.Fence);
            if (IsWish(message.Command))
                Store(message.Command);
            write.Commit();
            return default;
        }
    }

    /// <summary>Records the reply of a command that was carried out; after a removal the wish goes. Failures aren't kept: the same command may try again.</summary>
    public void End(CommandMessage message, CommandReply reply)
    {
        if (reply.Outcome != Outcome.Done)
            return;
        lock (gate)
        {
            using var write = db.BeginTransaction();
            var json = System.Text.Encoding.UTF8.GetString(ContractJson.Write(reply));
            Execute("UPDATE command SET reply=$3 WHERE key=$1 AND id=$2", message.Command.Key, message.Id, json);
            if (IsRemoval(message.Command))
                Execute("UPDATE entry SET type=NULL, spec=NULL WHERE key=$1", message.Command.Key);
            write.Commit();
        }
    }

    public TCommand? Get<TCommand>(string key) where TCommand : Command
    {
        lock (gate)
            return Scalar("SELECT spec FROM entry WHERE key=$1 AND type=$2", key, typeof(TCommand).Name) is string json ? Read<TCommand>(json) : null;
    }

    public IReadOnlyList<TCommand> All<TCommand>() where TCommand : Command
    {
        lock (gate)
        {
            using var command = Prepare("SELECT spec FROM entry WHERE type=$1 ORDER BY key", typeof(TCommand).Name);
            using var reader = command.ExecuteReader();
            var all = new List<TCommand>();
            while (reader.Read())
                all.Add(Read<TCommand>(reader.GetString(0)));
            return all;
        }
    }

    public void Put(Command command)
    {
        lock (gate)
        {
            using var write = db.BeginTransaction();
            Execute("INSERT INTO entry(key, fence) VALUES($1, 0) ON CONFLICT(key) DO NOTHING", command.Key);
            Store(command);
            write.Commit();
        }
    }

    public void Forget(string key)
    {
        lock (gate)
            Execute("UPDATE entry SET type=NULL, spec=NULL WHERE key=$1", key);
    }

    /// <summary>Keys that have a wish, with their fences.</summary>
    public IReadOnlyDictionary<string, long> Wishes() => Fences("SELECT key, fence FROM entry WHERE type IS NOT NULL");

    /// <summary>The highest fence seen for a key; 0 when none was.</summary>
    public long Fence(string key)
    {
        lock (gate)
            return Scalar("SELECT fence FROM entry WHERE key=$1", key) as long? ?? 0;
    }

    /// <summary>Keys whose last command isn't known to have been carried out.</summary>
    public IReadOnlySet<string> Undone()
    {
        lock (gate)
        {
            // SQLite takes the other columns from the row that has the maximum.
            using var command = Prepare("SELECT key, reply, MAX(seq) FROM command GROUP BY key");
            using var reader = command.ExecuteReader();
            var keys = new HashSet<string>(StringComparer.Ordinal);
            while (reader.Read())
                if (reader.IsDBNull(1))
                    keys.Add(reader.GetString(0));
            return keys;
        }
    }

    /// <summary>A small fact a handler keeps, such as the nonce of the last restart.</summary>
    public string? Note(string key)
    {
        lock (gate)
            return Scalar("SELECT value FROM note WHERE key=$1", key) as string;
    }

    public void Note(string key, string? value)
    {
        lock (gate)
        {
            if (value is null)
                Execute("DELETE FROM note WHERE key=$1", key);
            else
                Execute("INSERT INTO note(key, value) VALUES($1, $2) ON CONFLICT(key) DO UPDATE SET value=$2", key, value);
        }
    }

    public IReadOnlyDictionary<string, string> Notes(string prefix)
    {
        lock (gate)
        {
            using var command = Prepare("SELECT key, value FROM note WHERE key>=$1 AND key<$2", prefix, prefix + char.MaxValue);
            using var reader = command.ExecuteReader();
            var notes = new Dictionary<string, string>(StringComparer.Ordinal);
            while (reader.Read())
                notes[reader.GetString(0)] = reader.GetString(1);
            return notes;
        }
    }

    public void Dispose() => db.Dispose();

    private static CommandReply Reply(CommandMessage m, Outcome outcome, string message) =>
        new(m.Host, m.Id, m.ReplyTo, m.Command.Key, m.Fence, outcome, Message: message);

    private static bool IsWish(Command command) =>
        command is EnsureImage or EnsureDisk or CopyDisk or EnsureNetwork or EnsureGroup or EnsurePort or EnsureRouter or EnsureDomain;

    private static bool IsRemoval(Command command) =>
        command is RemoveImage or RemoveDisk or RemovePort or RemoveRouter or RemoveDomain;

    private static TCommand Read<TCommand>(string json) where TCommand : Command =>
        (TCommand)JsonSerializer.Deserialize(json, ContractJson.Default.Command)!;

    private void Store(Command command) =>
        Execute("UPDATE entry SET type=$2, spec=$3 WHERE key=$1", command.Key, command.GetType().Name, JsonSerializer.Serialize(command, ContractJson.Default.Command));

    private Dictionary<string, long> Fences(string sql)
    {
        lock (gate)
        {
            using var command = Prepare(sql);
            using var reader = command.ExecuteReader();
            var fences = new Dictionary<string, long>(StringComparer.Ordinal);
            while (reader.Read())
                fences[reader.GetString(0)] = reader.GetInt64(1);
            return fences;
        }
    }

    private void Execute(string sql, params ReadOnlySpan<object> values)
    {
        using var command = Prepare(sql, values);
        command.ExecuteNonQuery();
    }

    private object? Scalar(string sql, params ReadOnlySpan<object> values)
    {
        using var command = Prepare(sql, values);
        return command.ExecuteScalar() is { } value and not DBNull ? value : null;
    }

    private SqliteCommand Prepare(string sql, params ReadOnlySpan<object> values)
    {
        var command = db.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
            command.Parameters.AddWithValue($"${i + 1}", values[i]);
        return command;
    }
}
