using System.Collections.Concurrent;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>
/// <see cref="IBus"/> on a broker that speaks AMQP 1.0: Azure Service Bus, or RabbitMQ with its plugin. Sending is the broker's: when it returns the
/// message is on its disk. Receiving is peek-lock: a message stays there, unsettled, until it is completed; a process or a line that is gone
/// gives all it had back. docs/azure.md says what each broker does and doesn't do.
/// </summary>
/// <param name="clock">Of delays and locks.</param>
/// <param name="ordered">Queues whose messages have sessions: on Service Bus those are received by session.</param>
/// <param name="wire">Of the network, where that is another one.</param>
public sealed class AmqpBus(Broker broker, TimeProvider clock, IIds ids, ILogger log, IReadOnlySet<string>? ordered = null, TimeProvider? wire = null) : IBus, IAsyncDisposable
{
    private const int SessionsAtOnce = 8;

    private readonly TimeProvider _wire = wire ?? clock;
    private readonly BrokerLine _line = new(broker, wire ?? clock, log);
    private readonly ConcurrentDictionary<string, Lazy<Intake>> _intakes = [];
    private DeadShelf? _shelf;

    private DeadShelf Shelf => _shelf ??= new(broker, _line, clock, ids);

    public async ValueTask Send(IReadOnlyList<Message> messages, CancellationToken ct = default) =>
        await _line.Send([.. messages.Select(m => (broker.Queue(m.Queue), (Func<Amqp.Message>)(() => Letter.Write(broker, m))))], ct);

    public async ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct = default)
    {
        var got = await Of(queue).Receive(max, lockFor, wait, ct);
        if (got.Count == 0) await Leave(queue);
        return got;
    }

    public async ValueTask<bool> Complete(Delivery delivery, CancellationToken ct = default)
    {
        var done = Of(delivery.Message.Queue).Complete(delivery);
        await Leave(delivery.Message.Queue);
        return done;
    }

    public ValueTask<bool> Abandon(Delivery delivery, TimeSpan delay, CancellationToken ct = default) => Of(delivery.Message.Queue).Abandon(delivery, delay);

    public ValueTask<bool> Reject(Delivery delivery, string reason, CancellationToken ct = default) => Of(delivery.Message.Queue).Reject(delivery, reason);

    public ValueTask<bool> Renew(Delivery delivery, TimeSpan lockFor, CancellationToken ct = default) => new(Of(delivery.Message.Queue).Renew(delivery, lockFor));

    public async ValueTask<IReadOnlyList<DeadLetter>> DeadLetters(string queue, int max, CancellationToken ct = default) => await Shelf.List(queue, max, ct);

    public async ValueTask<bool> Replay(string queue, string messageId, CancellationToken ct = default) => await Shelf.Replay(queue, messageId, ct);

    /// <summary>Only of queues that this process receives from, and of those what it holds: AMQP can't ask for more.</summary>
    public ValueTask<IReadOnlyDictionary<string, int>> Depths(CancellationToken ct = default) =>
        new(_intakes.Where(i => i.Value.Value.Depth > 0).ToDictionary(i => i.Key, i => i.Value.Value.Depth));

    public async ValueTask DisposeAsync()
    {
        foreach (var intake in _intakes.Values) await intake.Value.DisposeAsync();
        await _line.DisposeAsync();
    }

    private Intake Of(string queue) => _intakes.GetOrAdd(queue, q => new(() =>
    {
        var sessions = broker.IsServiceBus && ordered?.Contains(q) == true;
        return new(broker, _line, q, clock, _wire, ids, log, sessions ? SessionsAtOnce : 1, sessions);
    })).Value;

    /// <summary>A queue for one answer is left as soon as that is there, or nobody waits any more.</summary>
    private async ValueTask Leave(string queue)
    {
        if (Broker.IsAnswer(queue) && _intakes.TryRemove(queue, out var intake)) await intake.Value.DisposeAsync();
    }
}
