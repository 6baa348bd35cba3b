using System.Collections.Concurrent;
using Amqp;
using Amqp.Framing;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>
/// Shows Service Bus, over one connection, that we may use a queue: a token (<see cref="Proof"/>) is put to the node <c>$cbs</c>,
/// once for each queue and again before it runs out.
/// </summary>
/// <remarks>https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#claims-based-security</remarks>
public sealed class ServiceBusTokens(Connection connection, Broker broker, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), Shortest = TimeSpan.FromMinutes(1), Longest = TimeSpan.FromHours(12);

    private const string Replies = "cbs-receive";

    private readonly ConcurrentDictionary<string, DateTimeOffset> _renewed = [];
    private readonly SemaphoreSlim _asking = new(1);
    private (SenderLink Send, ReceiverLink Receive)? _node;
    private ITimer? _timer;

    /// <exception cref="AmqpException">Refused.</exception>
    /// <exception cref="Azure.Identity.AuthenticationFailedException">There is nothing to show.</exception>
    public async Task Show(string address, CancellationToken ct)
    {
        if (_renewed.ContainsKey(address)) return;
        await Put(address, ct);
        Plan();
    }

    private async Task Again()
    {
        if (connection.IsClosed) { if (_timer is { } t) await t.DisposeAsync(); return; }
        try
        {
            foreach (var (address, due) in _renewed)
                if (due <= clock.GetUtcNow() + Shortest) await Put(address, CancellationToken.None);
            Plan();
        }
        catch (Exception e) when (BrokerLine.Broke(e)) { await connection.CloseAsync(TimeSpan.Zero).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); } // whoever needs it opens another
    }

    // A token may be worth days or next to nothing: neither makes a timer that is too long for it, nor one that never rests.
    private void Plan()
    {
        var rest = _renewed.Values.Min() - clock.GetUtcNow();
        rest = rest < Shortest ? Shortest : rest > Longest ? Longest : rest;
        lock (_renewed)
            if (_timer is null) _timer = clock.CreateTimer(_ => _ = Again(), null, rest, Timeout.InfiniteTimeSpan);
            else _timer.Change(rest, Timeout.InfiniteTimeSpan);
    }

    private async Task Put(string address, CancellationToken ct)
    {
        await _asking.WaitAsync(ct);
        try
        {
            if (_node is null)
            {
                var session = new Session(connection);
                // The answer's way first, or there may be none yet when it comes.
                var receive = new ReceiverLink(session, Replies, new Attach { Source = new Source { Address = "$cbs" }, Target = new Target { Address = Replies } }, null);
                receive.SetCredit(1);
                _node = (new(session, "cbs-send", "$cbs"), receive);
            }
            var audience = $"sb://{broker.Address.Host}/{address}";
            var proof = await Proof.Of(broker, audience, clock.GetUtcNow(), ct);
            var ask = new Amqp.Message(proof.Token)
            {
                Properties = new() { MessageId = address, ReplyTo = Replies },
                ApplicationProperties = new() { ["operation"] = "put-token", ["type"] = proof.Type, ["name"] = audience, ["expiration"] = proof.Until.UtcDateTime },
            };
            await _node.Value.Send.SendAsync(ask, Patience).Away().WaitAsync(ct);
            var answer = await _node.Value.Receive.ReceiveAsync(Patience).Away().WaitAsync(ct) ?? throw new TimeoutException("no answer of $cbs");
            _node.Value.Receive.Accept(answer);
            if (answer.ApplicationProperties?["status-code"] is not (200 or 202)) throw new AmqpException(ErrorCode.UnauthorizedAccess, $"{answer.ApplicationProperties?["status-description"]}");
            _renewed[address] = proof.Renewed;
        }
        finally { _asking.Release(); }
    }
}
