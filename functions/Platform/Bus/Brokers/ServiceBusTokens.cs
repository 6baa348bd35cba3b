using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amqp;
using Amqp.Framing;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>
/// Shows Service Bus, over one connection, that we may use a queue: a token signed with the policy's key is put to the node <c>$cbs</c>,
/// once for each queue and again before it runs out.
/// </summary>
/// <remarks>https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#claims-based-security</remarks>
public sealed class ServiceBusTokens(Connection connection, Broker broker, (string Name, string Key) policy, TimeProvider clock)
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1), Renewed = TimeSpan.FromMinutes(45), Patience = TimeSpan.FromSeconds(20);

    private const string Replies = "cbs-receive";

    private readonly ConcurrentDictionary<string, DateTimeOffset> _shown = [];
    private readonly SemaphoreSlim _asking = new(1);
    private (SenderLink Send, ReceiverLink Receive)? _node;
    private ITimer? _timer;

    /// <exception cref="AmqpException">Refused.</exception>
    public async Task Show(string address, CancellationToken ct)
    {
        if (_shown.ContainsKey(address)) return;
        await Put(address, ct);
        _timer ??= clock.CreateTimer(_ => _ = Again(), null, Renewed, Renewed);
    }

    /// <summary>The value of a SharedAccessSignature for a resource until a time.</summary>
    public static string Token(string resource, string name, string key, DateTimeOffset until)
    {
        var (what, when) = (Uri.EscapeDataString(resource), until.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        var signature = Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{what}\n{when}")));
        return $"SharedAccessSignature sr={what}&sig={Uri.EscapeDataString(signature)}&se={when}&skn={name}";
    }

    private async Task Again()
    {
        if (connection.IsClosed) { if (_timer is { } t) await t.DisposeAsync(); return; }
        try { foreach (var address in _shown.Keys) await Put(address, CancellationToken.None); }
        catch (Exception e) when (BrokerLine.Broke(e)) { await connection.CloseAsync(TimeSpan.Zero).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); } // whoever needs it opens another
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
            var (audience, until) = ($"sb://{broker.Address.Host}/{address}", clock.GetUtcNow() + Life);
            var ask = new Amqp.Message(Token(audience, policy.Name, policy.Key, until))
            {
                Properties = new() { MessageId = address, ReplyTo = Replies },
                ApplicationProperties = new() { ["operation"] = "put-token", ["type"] = "servicebus.windows.net:sastoken", ["name"] = audience, ["expiration"] = until.UtcDateTime },
            };
            await _node.Value.Send.SendAsync(ask, Patience).Away().WaitAsync(ct);
            var answer = await _node.Value.Receive.ReceiveAsync(Patience).Away().WaitAsync(ct) ?? throw new TimeoutException("no answer of $cbs");
            _node.Value.Receive.Accept(answer);
            if (answer.ApplicationProperties?["status-code"] is not (200 or 202)) throw new AmqpException(ErrorCode.UnauthorizedAccess, $"{answer.ApplicationProperties?["status-description"]}");
            _shown[address] = until;
        }
        finally { _asking.Release(); }
    }
}
