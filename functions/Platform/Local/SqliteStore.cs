using System.Globalization;
using System.Runtime.CompilerServices;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Local;

/// <summary><see cref="IEntityStore"/> in one SQLite file. A commit's messages are in the same transaction.</summary>
public sealed class SqliteStore(SqliteFile file, SqliteBus bus) : IEntityStore
{
    private const int Chunk = 500;

    public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default) => new(file.Read(s =>
    {
        using var found = s.Query($"SELECT etag, {RowTable.Body} FROM {RowTable.Source} WHERE partition=?1 AND key=?2", partition, key);
        return found.Next() ? new Row(partition, key, Tag(found.Number(0)), found.Bytes(1)) : null;
    }));

    public ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default) => new(file.Read<IReadOnlyList<Row>>(s =>
    {
        var rows = new List<Row>();
        using var found = s.Query($"SELECT key, etag, {RowTable.Body} FROM {RowTable.Source} WHERE partition=?1 AND key>=?2 AND key<?3 ORDER BY key LIMIT ?4", partition, from, to, (long)limit);
        while (found.Next()) rows.Add(new(partition, found.Text(0), Tag(found.Number(1)), found.Bytes(2)));
        return rows;
    }));

    // Partition by partition: those that hold nothing of the range cost one step each, whatever else they hold.
    public async IAsyncEnumerable<Row> Scan(string from, string to, [EnumeratorCancellation] CancellationToken ct = default)
    {
        for (var partition = Next(""); partition is not null; partition = Next(partition))
            for (var start = from; start is not null;)
            {
                var page = await List(partition, start, to, Chunk, ct);
                foreach (var row in page) yield return row;
                start = page.Count < Chunk ? null : page[^1].Key + '\0';
                await Task.Yield();
            }
        string? Next(string after) => file.Read(s =>
        {
            using var found = s.Query("SELECT partition FROM rows WHERE partition>?1 ORDER BY partition LIMIT 1", after);
            return found.Next() ? found.Text(0) : null;
        });
    }

    // Each chunk is a read of its own: a long look holds nothing.
    public async IAsyncEnumerable<Row> Partitions(string prefix, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var (partition, key) = (prefix, "");
        while (true)
        {
            var page = file.Read(s =>
            {
                var rows = new List<Row>();
                using var found = s.Query($"SELECT partition, key, etag, {RowTable.Body} FROM {RowTable.Source} WHERE (partition, key)>(?1, ?2) AND partition<?3 ORDER BY partition, key LIMIT ?4", partition, key, prefix + char.MaxValue, (long)Chunk);
                while (found.Next()) rows.Add(new(found.Text(0), found.Text(1), Tag(found.Number(2)), found.Bytes(3)));
                return rows;
            });
            foreach (var row in page) yield return row;
            if (page.Count < Chunk) yield break;
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
            var (keys, apart) = (new HashSet<string>(ops.Count), new long?[ops.Count]);
            for (var i = 0; i < ops.Count; i++)
            {
                var op = ops[i];
                if (!keys.Add(op.Key)) throw new ConflictException(op.Key);
                var there = RowTable.Look(s, partition, op.Key);
                apart[i] = there?.Apart;
                if (op is Op.Upsert or Op.Delete { ETag: null }) continue;
                var wanted = op switch { Op.Replace r => r.ETag, Op.Delete d => d.ETag, Op.Check c => c.ETag, _ => null };
                if ((there is { } row ? Tag(row.ETag) : null) != wanted) throw new ConflictException(op.Key);
            }
            for (var i = 0; i < ops.Count; i++)
                switch (ops[i])
                {
                    case Op.Insert o: RowTable.Put(s, partition, o.Key, bus.NextTag(), o.Body, null); break;
                    case Op.Replace o: RowTable.Put(s, partition, o.Key, bus.NextTag(), o.Body, apart[i]); break;
                    case Op.Upsert o: RowTable.Put(s, partition, o.Key, bus.NextTag(), o.Body, apart[i]); break;
                    case Op.Delete o: RowTable.Delete(s, partition, o.Key, apart[i]); break;
                }
            sending.Apply(s);
        }

        public override void Durable() => sending.Durable();
    }
}
