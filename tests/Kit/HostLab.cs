using System.Net;
using Amqp;
using Amqp.Framing;
using Amqp.Sasl;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Bus;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cloud.Tests.Kit;

/// <summary>A listener for hosts on a loopback port over queues in memory, and one host with a secret. The clock of listener and queues stands still.</summary>
internal sealed class HostLab : IAsyncDisposable
{
    internal const string Host = "h1";
    private readonly string _secretFile = Path.GetTempFileName();
    private readonly List<HostLink> _links = [];
    private readonly List<Connection> _connections = [];

    private HostLab()
    {
        Memory = new(Clock);
        Store = new(Memory);
        Bus = new(Memory);
    }

    internal FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    internal MemoryBus Memory { get; }
    internal MemoryStore Store { get; }
    internal WatchedBus Bus { get; }
    internal AmqpListener Listener { get; private set; } = null!;
    internal string Secret { get; private set; } = "";

    internal static async Task<HostLab> Start()
    {
        var lab = new HostLab();
        lab.Secret = await HostKeys.Make(lab.Store, Host);
        await File.WriteAllTextAsync(lab._secretFile, lab.Secret + "\n");
        lab.Listen(0);
        return lab;
    }

    internal void Listen(int port) => Listener = new(Bus, (host, secret) => HostKeys.Check(Store, host, secret), new(IPAddress.Loopback, port), Clock, new TimeOrderedIds(Clock), NullLogger.Instance);

    internal HostLink Link(string host = Host)
    {
        var link = new HostLink($"amqp://127.0.0.1:{Listener.Address.Port}", host, _secretFile, TimeProvider.System, NullLoggerFactory.Instance);
        _links.Add(link);
        return link;
    }

    /// <summary>A plain client of the protocol, for what <see cref="HostLink"/> would never do.</summary>
    internal async Task<Session> Session(string user = "host." + Host, string? secret = null, SaslProfile? sasl = null)
    {
        var factory = new ConnectionFactory();
        if (sasl is not null) factory.SASL.Profile = sasl;
        var address = sasl is null ? new Address("127.0.0.1", Listener.Address.Port, user, secret ?? Secret, "/", "amqp") : new Address("127.0.0.1", Listener.Address.Port, null, null, "/", "amqp");
        var connection = await factory.CreateAsync(address);
        _connections.Add(connection);
        return new(connection);
    }

    internal ValueTask Command(string id, Command? command = null) => Memory.Send([Dispatch.ToBus(new(id, Host, 1, "", command ?? new RemoveDisk(id)))]);

    internal async Task<IReadOnlyDictionary<string, int>> Depths() => await Memory.Depths();

    /// <summary>The error with which the other side closed this link.</summary>
    internal static async Task<Error> Refusal(Link link)
    {
        var closed = new TaskCompletionSource<Error?>(TaskCreationOptions.RunContinuationsAsynchronously);
        link.AddClosedCallback((_, error) => closed.TrySetResult(error));
        return await closed.Task.WaitAsync(Patience.Span) ?? throw new InvalidOperationException("closed without a reason");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links) await link.DisposeAsync();
        foreach (var connection in _connections) await connection.CloseAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Listener.DisposeAsync();
        Memory.Dispose();
        File.Delete(_secretFile);
    }
}

/// <summary>Tells what happens to messages, as it happens.</summary>
internal sealed class WatchedBus(IBus inner) : IBus
{
    private readonly System.Threading.Channels.Channel<string> _seen = System.Threading.Channels.Channel.CreateUnbounded<string>();

    /// <summary>The next thing that happened, e.g. <c>complete c1</c>; passes over others until one begins with <paramref name="what"/>.</summary>
    internal async Task<string> Next(string what = "")
    {
        using var patience = new CancellationTokenSource(Patience.Span);
        await foreach (var seen in _seen.Reader.ReadAllAsync(patience.Token))
            if (seen.StartsWith(what, StringComparison.Ordinal)) return seen;
        throw new InvalidOperationException("nothing more happens");
    }

    public async ValueTask Send(IReadOnlyList<Cloud.Platform.Bus.Message> messages, CancellationToken ct = default)
    {
        await inner.Send(messages, ct);
        foreach (var m in messages) See("send " + m.Queue);
    }

    public async ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct = default)
    {
        var taken = await inner.Receive(queue, max, lockFor, wait, ct);
        foreach (var d in taken) See($"lend {d.Message.Id} {d.Attempt}");
        return taken;
    }

    public ValueTask<bool> Complete(Delivery delivery, CancellationToken ct = default) => After("complete " + delivery.Message.Id, inner.Complete(delivery, ct));
    public ValueTask<bool> Abandon(Delivery delivery, TimeSpan delay, CancellationToken ct = default) => After($"abandon {delivery.Message.Id} {delay.TotalSeconds}", inner.Abandon(delivery, delay, ct));
    public ValueTask<bool> Reject(Delivery delivery, string reason, CancellationToken ct = default) => After("reject " + delivery.Message.Id, inner.Reject(delivery, reason, ct));
    public ValueTask<bool> Renew(Delivery delivery, TimeSpan lockFor, CancellationToken ct = default) => After("renew " + delivery.Message.Id, inner.Renew(delivery, lockFor, ct));
    public ValueTask<IReadOnlyList<DeadLetter>> DeadLetters(string queue, int max, CancellationToken ct = default) => inner.DeadLetters(queue, max, ct);
    public ValueTask<bool> Replay(string queue, string messageId, CancellationToken ct = default) => inner.Replay(queue, messageId, ct);
    public ValueTask<IReadOnlyDictionary<string, int>> Depths(CancellationToken ct = default) => inner.Depths(ct);

    private async ValueTask<bool> After(string what, ValueTask<bool> done)
    {
        var worked = await done;
        See(worked ? what : what + " too late");
        return worked;
    }

    private void See(string what) => _seen.Writer.TryWrite(what);
}
