using System.Text;

namespace Cloud.Platform.Local;

/// <summary>
/// How rows lie in the file. Small ones lie in the tree of their keys, one beside the other, so a page of a list is a few pages of the file however long the list is.
/// A large one has its body elsewhere: in a tree of whole rows each step of a search would read what overflows of the row it passes.
/// </summary>
internal static class RowTable
{
    /// <summary>Bytes of key and body, with the rest of the row below what SQLite keeps on a page of a tree (a quarter of 4 KiB).</summary>
    private const int Small = 860;

    public const string Body = "ifnull(rows.body, bodies.body)", Source = "rows LEFT JOIN bodies ON bodies.id=rows.apart";

    private const string Tables = """
        CREATE TABLE IF NOT EXISTS rows(partition TEXT NOT NULL, key TEXT NOT NULL, etag INTEGER NOT NULL, body BLOB, apart INTEGER, PRIMARY KEY(partition, key)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS bodies(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
        """;

    public static void Create(SqliteSession s)
    {
        if (s.Number("SELECT 1 FROM sqlite_master WHERE name='rows' AND sql NOT LIKE '%WITHOUT ROWID'") is null) s.Run(Tables);
        else s.Run($"""
            BEGIN IMMEDIATE;
            ALTER TABLE rows RENAME TO heap;
            {Tables}
            INSERT INTO bodies(id, body) SELECT rowid, body FROM heap WHERE length(CAST(key AS BLOB)) + length(body) > {Small};
            INSERT INTO rows(partition, key, etag, body, apart) SELECT partition, key, etag, CASE WHEN bodies.id IS NULL THEN heap.body END, bodies.id FROM heap LEFT JOIN bodies ON bodies.id=heap.rowid ORDER BY partition, key;
            DROP TABLE heap;
            COMMIT;
            """);
    }

    /// <summary>What is there of a row: its ETag, and where its body is when that lies apart.</summary>
    public static (long ETag, long? Apart)? Look(SqliteSession s, string partition, string key)
    {
        using var found = s.Query("SELECT etag, apart FROM rows WHERE partition=?1 AND key=?2", partition, key);
        return found.Next() ? (found.Number(0), found.IsNull(1) ? null : found.Number(1)) : null;
    }

    /// <param name="apart">Where the body lies that it replaces.</param>
    public static void Put(SqliteSession s, string partition, string key, long etag, ReadOnlyMemory<byte> body, long? apart)
    {
        if (Encoding.UTF8.GetByteCount(key) + body.Length <= Small)
        {
            if (apart is not null) Drop(s, apart);
            apart = null;
        }
        else if (apart is { } id) s.Execute("UPDATE bodies SET body=?2 WHERE id=?1", id, body);
        else apart = s.Number("INSERT INTO bodies(body) VALUES(?1) RETURNING id", body);
        s.Execute("INSERT INTO rows(partition, key, etag, body, apart) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(partition, key) DO UPDATE SET etag=?3, body=?4, apart=?5",
            partition, key, etag, apart is null ? (object?)body : null, apart);
    }

    public static void Delete(SqliteSession s, string partition, string key, long? apart)
    {
        s.Execute("DELETE FROM rows WHERE partition=?1 AND key=?2", partition, key);
        Drop(s, apart);
    }

    private static void Drop(SqliteSession s, long? apart)
    {
        if (apart is { } id) s.Execute("DELETE FROM bodies WHERE id=?1", id);
    }
}
