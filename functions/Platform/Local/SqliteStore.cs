using System.Globalization;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Local;

/// <summary><see cref="IEntityStore"/> in one SQLite file. A commit's messages are in the same transaction.</summary>
public sealed class SqliteStore(SqliteFile file, SqliteBus bus) : IEntityStore
{
    public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default) => new(file.Read(s =>
    {
        using var found = s.Query("SELECT etag, body FROM rows WHERE partition=?1 AND key=?2", partition, key);
        return found.Next() ? new Row(partition, key, Tag(found.Number(0)), found.Bytes(1)) : null;
    }));

    public ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default) => new(file.Read<IReadOnlyList<Row>>(s =>
    {
        var rows = new List<Row>();
        using var found = s.Query("SELECT key, etag, body FROM rows WHERE partition=?1 AND key>=?2 AND key<?3 ORDER BY key LIMIT ?4", partition, from, to, (long)limit);
        while (found.Next()) rows.Add(new(partition, found.Text(0), Tag(found.Number(1)), found.Bytes(2)));
        return rows;
    }));

    public IAsyncEnumerable<Row> Scan(string from, string to, CancellationToken ct = default) =>
        Paged("SELECT partition, key, etag, body FROM rows WHERE (partition, key)>(?1, ?2) AND key>=?3 AND key<?4 ORDER BY partition, key LIMIT 500", "", from, to);

    public IAsyncEnumerable<Row> Partitions(string prefix, CancellationToken ct = default) =>
        Paged("SELECT partition, key, etag, body FROM rows WHERE (partition, key)>(?1, ?2) AND partition<?4 AND ?3='' ORDER BY partition, key LIMIT 500", prefix, "", prefix + char.MaxValue);

    // Page by page, each read on its own: a long scan holds nothing.
    private async IAsyncEnumerable<Row> Paged(string sql, string first, string from, string to)
    {
        var (partition, key) = (first, "");
        while (true)
        {
            var page = file.Read(s =>
            {
                var rows = new List<Row>();
                using var found = s.Query(sql, partition, key, from, to);
                while (found.Next()) rows.Add(new(found.Text(0), found.Text(1), Tag(found.Number(2)), found.Bytes(3)));
                return rows;
            });
            foreach (var row in page) yield return row;
            if (page.Count < 500) yield break;
            (partition, key) = (page[^1].Partition, page[^1].Key);
            await Task.Yield();
        }
    }

    public ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        EntityGroup.Check(ops, messages);
        return new(file.Do(new Group(bus, partition, ops, new SqliteBus.Sending(bus, messages ?? []))));
    }

    private static string Tag(long etag) => etag.ToString(CultureInfo.InvariantCulture);

    private sealed class Group(SqliteBus bus, string partition, IReadOnlyList<Op> ops, SqliteBus.Sending sending) : SqliteFile.Write
    {
        public override void Apply(SqliteSession s)
        {
            var keys = new HashSet<string>();
            foreach (var op in ops)
            {
                if (!keys.Add(op.Key)) throw new ConflictException(op.Key);
                if (op is Op.Upsert or Op.Delete { ETag: null }) continue;
                var there = s.Number("SELECT etag FROM rows WHERE partition=?1 AND key=?2", partition, op.Key) is { } etag ? Tag(etag) : null;
                var wanted = op switch { Op.Replace r => r.ETag, Op.Delete d => d.ETag, Op.Check c => c.ETag, _ => null };
                if (there != wanted) throw new ConflictException(op.Key);
            }
            foreach (var op in ops)
                switch (op)
                {
                    case Op.Insert i: Put(s, op.Key, i.Body); break;
                    case Op.Replace r: Put(s, op.Key, r.Body); break;
                    case Op.Upsert u: Put(s, op.Key, u.Body); break;
                    case Op.Delete: s.Execute("DELETE FROM rows WHERE partition=?1 AND key=?2", partition, op.Key); break;
                }
            sending.Apply(s);
        }

        public override void Durable() => sending.Durable();

        private void Put(SqliteSession s, string key, ReadOnlyMemory<byte> body) =>
            s.Execute("INSERT INTO rows(partition, key, etag, body) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(partition, key) DO UPDATE SET etag=?3, body=?4", partition, key, bus.NextTag(), body);
    }
}
