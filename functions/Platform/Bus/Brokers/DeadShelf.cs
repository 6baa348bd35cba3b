using Amqp;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>Looks at a queue's dead letters at the broker: takes them all, and gives back those that stay by ending the session.</summary>
internal sealed class DeadShelf(Broker broker, BrokerLine line, TimeProvider clock, IIds ids)
{
    // Service Bus has them at once and then none; on RabbitMQ a mark at the end tells.
    private static readonly TimeSpan Empty = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(5);
    private const int Most = 1000;

    private readonly SemaphoreSlim _one = new(1);

    public Task<IReadOnlyList<DeadLetter>> List(string queue, int max, CancellationToken ct) =>
        Look<IReadOnlyList<DeadLetter>>(queue, (found, _) => Task.FromResult<IReadOnlyList<DeadLetter>>([.. found.Select(f => f.Letter).DistinctBy(l => l.Message.Id).OrderBy(l => l.At).Take(max)]), ct);

    /// <summary>Sent first and taken away then: a death in between leaves both.</summary>
    public Task<bool> Replay(string queue, string id, CancellationToken ct) => Look(queue, async (found, link) =>
    {
        var wanted = found.Where(f => f.Letter.Message.Id == id).ToList();
        if (wanted.Count == 0) return false;
        await line.Send([(broker.Queue(queue), () => Letter.Write(broker, wanted[0].Letter.Message))], ct);
        foreach (var (_, raw) in wanted) link.Accept(raw);
        return true;
    }, ct);

    private async Task<T> Look<T>(string queue, Func<List<(DeadLetter Letter, Amqp.Message Raw)>, ReceiverLink, Task<T>> then, CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            var (address, mark, found) = (broker.Dead(queue), ids.New(), new List<(DeadLetter, Amqp.Message)>());
            if (!broker.IsServiceBus) await line.Send([(address, () => Letter.Mark(mark))], ct);
            var session = await line.Session(address, ct);
            try
            {
                var link = new ReceiverLink(session, ids.New(), broker.From(address), null);
                link.SetCredit(Most);
                while (found.Count < Most && await link.ReceiveAsync(found.Count > 0 && broker.IsServiceBus ? Empty : Patience).Away().WaitAsync(ct) is { } raw)
                {
                    if (Letter.MarkOf(raw) is not { } m) { found.Add((Letter.ReadDead(queue, raw, clock.GetUtcNow()), raw)); continue; }
                    link.Accept(raw);
                    if (m == mark) break;
                }
                var answer = await then(found, link);
                foreach (var (_, raw) in found) link.Release(raw); // what was accepted stays so
                return answer;
            }
            finally { await session.CloseAsync(Patience, null).Away().WaitAsync(Patience, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); }
        }
        catch (Exception e) when (BrokerLine.Broke(e)) { throw new State.StoreUnavailableException("the broker can't be used now", e); }
        finally { _one.Release(); }
    }
}
