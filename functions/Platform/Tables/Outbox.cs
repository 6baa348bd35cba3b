using System.Collections.Concurrent;
using System.Text;
using Azure;
using Azure.Data.Tables;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Tables;

/// <summary>
/// Messages promised with a write: in the write's own transaction as an entity, sent after it, then removed. Before the write a delayed
/// message announces that somebody will look at the partition, so a process that dies between write and sending breaks no promise. One
/// announcement serves all writes of the next half minute.
/// </summary>
public sealed class Outbox(TableCalls table, IBus bus, TimeProvider clock, IIds ids)
{
    public const string Queue = "outbox";
    private const int MostAnnounced = 10_000;
    // A write takes less than the nearest; so whoever looks finds all promises that this announcement was for.
    private static readonly TimeSpan Far = TimeSpan.FromMinutes(2), Nearest = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _announced = [];

    /// <summary>One message as it is kept.</summary>
    private sealed record Kept(string Queue, string Id, byte[] Body, string? Session, DateTimeOffset? NotBefore);

    public async ValueTask<TableEntity> Promise(string partition, IReadOnlyList<Message> messages, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (!_announced.TryGetValue(partition, out var due) || due - now < Nearest)
        {
            due = now + Far;
            await bus.Send([new(Queue, $"{partition}.{due.UtcTicks}", Encoding.UTF8.GetBytes(partition), NotBefore: due)], ct);
            if (_announced.Count >= MostAnnounced) _announced.Clear();
            _announced[partition] = due;
        }
        var promise = TableRow.Entity(partition, "", Json.Write(messages.Select(m => new Kept(m.Queue, m.Id, m.Body.ToArray(), m.Session, m.NotBefore)).ToArray()));
        promise.RowKey = TableKeys.Promise + ids.New();
        return promise;
    }

    /// <summary>After the write: what can't be sent now is sent by who was announced.</summary>
    public async ValueTask Keep(TableEntity promise, IReadOnlyList<Message> messages, CancellationToken ct)
    {
        try
        {
            await bus.Send(messages, ct);
            await Forget(promise, ct);
        }
        catch (Exception e) when (e is StoreUnavailableException or IOException or OperationCanceledException) { /* it stays */ }
    }

    /// <summary>Sends what is still promised in a partition. Message of <see cref="Queue"/>.</summary>
    public async Task Drain(Delivery delivery, CancellationToken ct)
    {
        var partition = Encoding.UTF8.GetString(delivery.Message.Body.Span);
        var old = clock.GetUtcNow() - Nearest; // younger ones have an announcement of their own, and perhaps a sender
        await foreach (var promise in table.Query(TableKeys.PromisesIn(partition), 100, ct))
        {
            if (TimeOrderedIds.MadeAt(promise.RowKey[TableKeys.Promise.Length..]) > old) continue;
            await bus.Send([.. Json.Read<Kept[]>(TableRow.Body(promise)).Select(k => new Message(k.Queue, k.Id, k.Body, k.Session, k.NotBefore))], ct);
            await Forget(promise, ct);
        }
    }

    private async Task Forget(TableEntity promise, CancellationToken ct) => await table.Read(t => t.DeleteEntityAsync(promise.PartitionKey, promise.RowKey, ETag.All, ct), ct);
}
