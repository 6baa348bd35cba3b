using Microsoft.Data.Sqlite;

namespace Cloud.Demo.Tools;

/// <summary>The cloud's rows, looked at from outside.</summary>
public static class Rows
{
    public static IReadOnlySet<string> Read(string data) => Query(data, "SELECT partition || ' ' || key FROM rows").ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// Rows that came since <paramref name="before"/>, but for what is kept on purpose: history (events, the intervals made of them, resources and whose addresses were as metering and telemetry remember them), the limits of
    /// projects that still exist, and sums of zero of what hosts have given away.
    /// </summary>
    public static IReadOnlyList<string> Left(string data, IReadOnlySet<string> before) =>
    [
        .. Query(data, """
            SELECT partition || ' ' || key FROM rows
            WHERE partition <> 'events' AND partition NOT LIKE 'metering%' AND partition NOT LIKE 'metric%' AND partition <> 'traffic' AND NOT (key = 'total' AND CAST(body AS TEXT) NOT GLOB '*[1-9]*')
              AND NOT (key LIKE 'quota|%' AND EXISTS (SELECT 1 FROM rows p WHERE p.partition = 'cloud' AND p.key = 'project|' || rows.partition))
            """).Where(r => !before.Contains(r)),
    ];

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
