using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Tables;

/// <summary>
/// <see cref="IEntityStore"/> in a table of Azure Storage. A commit is one entity group transaction; its messages are in it as an entity of
/// their own until they are sent (<see cref="Outbox"/>).
/// </summary>
/// <remarks>https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions</remarks>
public sealed class TableStore(TableCalls table, IBus bus, TimeProvider clock, IIds ids) : IEntityStore
{
    private const int Page = 1000;

    public Outbox Outbox { get; } = new(table, bus, clock, ids);

    public async ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default) =>
        await Find(partition, key, ct) is { } entity ? TableRow.Read(entity) : null;

    public async ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default)
    {
        var rows = new List<Row>();
        if (limit > 0)
            await foreach (var row in Query($"{TableKeys.In(partition)} and {TableKeys.Within("RowKey", from, to)}", Math.Min(limit, Page), ct))
            {
                rows.Add(row);
                if (rows.Count == limit) break;
            }
        return rows;
    }

    public IAsyncEnumerable<Row> Scan(string from, string to, CancellationToken ct = default) => Query(TableKeys.Within("RowKey", from, to), Page, ct);

    public IAsyncEnumerable<Row> Partitions(string prefix, CancellationToken ct = default) => Query(TableKeys.Within("PartitionKey", prefix, prefix + char.MaxValue), Page, ct);

    public async ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Message>? messages = null, CancellationToken ct = default)
    {
        EntityGroup.Check(ops, messages);
        var keys = new HashSet<string>();
        if (ops.FirstOrDefault(o => !keys.Add(o.Key)) is { } twice) throw new ConflictException(twice.Key);
        if (messages is not { Count: > 0 }) await new Group(this, partition, ops, null).Write(ct);
        else if (ops.Count == 0) await bus.Send(messages, ct);
        else
        {
            var promise = await Outbox.Promise(partition, messages, ct);
            await new Group(this, partition, ops, promise).Write(ct);
            await Outbox.Keep(promise, messages, ct);
        }
    }

    private Task<TableEntity?> Find(string partition, string key, CancellationToken ct) => table.Read(async t =>
        await t.GetEntityIfExistsAsync<TableEntity>(TableKeys.Encode(partition), TableKeys.Encode(key), cancellationToken: ct) is { HasValue: true, Value: { } entity } ? entity : null, ct);

    private async IAsyncEnumerable<Row> Query(string filter, int page, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var entity in table.Query(filter, page, ct))
            if (TableRow.Read(entity) is { } row) yield return row;
    }

    /// <summary>One group on its way. What it finds out when it is refused it knows at the next try: rows to delete that are gone, absences that are entities.</summary>
    private sealed class Group(TableStore store, string partition, IReadOnlyList<Op> ops, TableEntity? promise)
    {
        private readonly HashSet<string> _gone = [];
        private readonly Dictionary<string, ETag> _absent = [];

        public async Task Write(CancellationToken ct)
        {
            while (true)
            {
                var left = ops.Where(o => !_gone.Contains(o.Key)).ToList();
                List<TableTransactionAction> actions = [.. left.Select(Action)];
                if (promise is not null) actions.Add(new(TableTransactionActionType.Add, promise));
                if (actions.Count == 0 || await store.Table.Write(actions, ct) is not { } refused) return;
                var op = refused.FailedTransactionActionIndex is { } at && at < left.Count ? left[at] : throw new ConflictException(left[0].Key);
                if (!await Learn(op, refused.Status, ct)) throw new ConflictException(op.Key);
            }
        }

        private async ValueTask<bool> Learn(Op op, int status, CancellationToken ct)
        {
            if (op is Op.Delete { ETag: null } && status == 404) return _gone.Add(op.Key);
            if (op is not (Op.Insert or Op.Check { ETag: null }) || status != 409) return false;
            if (await store.Find(partition, op.Key, ct) is not { } entity) return !_absent.ContainsKey(op.Key); // it went meanwhile: once more
            return TableRow.IsAbsence(entity) && _absent.TryAdd(op.Key, entity.ETag);
        }

        private TableTransactionAction Action(Op op)
        {
            TableTransactionAction On(TableTransactionActionType type, TableEntity entity, ETag tag = default) => new(type, entity, tag);
            var absent = _absent.TryGetValue(op.Key, out var ghost);
            return op switch
            {
                Op.Insert i when absent => On(TableTransactionActionType.UpdateReplace, TableRow.Entity(partition, op.Key, i.Body), ghost),
                Op.Insert i => On(TableTransactionActionType.Add, TableRow.Entity(partition, op.Key, i.Body)),
                Op.Replace r => On(TableTransactionActionType.UpdateReplace, TableRow.Entity(partition, op.Key, r.Body), new(r.ETag)),
                Op.Upsert u => On(TableTransactionActionType.UpsertReplace, TableRow.Entity(partition, op.Key, u.Body)),
                Op.Delete d => On(TableTransactionActionType.Delete, TableRow.Bare(partition, op.Key), d.ETag is { } tag ? new(tag) : ETag.All),
                // An entity can be insisted on only by writing it; merged with nothing it stays as it is, but for its ETag.
                Op.Check { ETag: { } tag } => On(TableTransactionActionType.UpdateMerge, TableRow.Bare(partition, op.Key), new(tag)),
                Op.Check when absent => On(TableTransactionActionType.UpdateMerge, TableRow.Bare(partition, op.Key), ghost),
                Op.Check => On(TableTransactionActionType.Add, TableRow.Absence(partition, op.Key)),
                _ => throw new ArgumentException($"{op.GetType().Name} is no write", nameof(op)),
            };
        }
    }

    private TableCalls Table => table;
}
