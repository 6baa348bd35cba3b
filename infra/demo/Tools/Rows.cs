using Microsoft.Data.Sqlite;

namespace Cloud.Demo.Tools;

/// <summary>The cloud's rows, looked at from outside.</summary>
public static class Rows
{
    public static IReadOnlySet<string> Read(string data) => Query(data, "SELECT partition || ' ' || key FROM rows").ToHashSet(StringComparer.Ordinal);

    public static IReadOnlyList<string> Messages(string data) => Query(data, "SELECT 'message in ' || queue || ' ' || id FROM messages UNION ALL SELECT 'dead letter in ' || queue || ' ' || id FROM dead");

    private static List<string> Query(string data, string sql)
    {
        using var db = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(data, "state.db"), Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        db.Open();
        using var command = db.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var all = new List<string>();
        while (reader.Read()) all.Add(reader.GetString(0));
        return all;
    }
}
