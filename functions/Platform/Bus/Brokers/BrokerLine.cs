using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using Amqp;
using Amqp.Framing;
using Amqp.Sasl;
using Azure.Identity;
using Cloud.Platform.State;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>One process's connection to the broker, opened when it is needed and again when it broke. Everything sent is sent through it.</summary>
internal sealed class BrokerLine(Broker broker, TimeProvider clock, ILogger log) : IAsyncDisposable
{
    /// <summary>How long a send tries: a broker that starts anew takes some seconds.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);
    private const int MostSenders = 100;

    private sealed record Line(Connection Connection, Session Session, ServiceBusTokens? Tokens)
    {
        public Dictionary<string, (SenderLink Link, LinkedListNode<string> Use)> Senders { get; } = [];
        /// <summary>The last used at the end.</summary>
        public LinkedList<string> Uses { get; } = [];
    }

    private readonly SemaphoreSlim _opening = new(1);
    private readonly CancellationTokenSource _closed = new();
    private Line? _line;

    /// <summary>Each with the address of its queue, in this order. When it returns the broker has them on disk.</summary>
    /// <exception cref="StoreUnavailableException">Perhaps sent, perhaps not.</exception>
    public async Task Send(IReadOnlyList<(string Address, Func<Amqp.Message> Message)> messages, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(Patience, clock);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct, _closed.Token);
        while (true)
        {
            Line? line = null;
            try
            {
                line = await Open(any.Token);
                var sent = new List<Task>();
                foreach (var (address, message) in messages) sent.Add((await Sender(line, address, any.Token)).SendAsync(message(), Patience));
                await Task.WhenAll(sent).Away().WaitAsync(any.Token);
                return;
            }
            catch (Exception e) when (Broke(e))
            {
                if (line is not null) Drop(line, e);
                if (!await Pause(ShortestPause, any.Token)) throw Unavailable(e, ct);
            }
            catch (OperationCanceledException e) { throw Unavailable(e, ct); }
        }
    }

    /// <summary>A session of its own for a receiver: RabbitMQ gives back what a receiver had not settled when its session ends, not when its link does.</summary>
    /// <param name="address">What it will receive from.</param>
    public async Task<Session> Session(string address, CancellationToken ct)
    {
        using var any = CancellationTokenSource.CreateLinkedTokenSource(ct, _closed.Token);
        while (true)
        {
            var line = await Open(any.Token);
            try
            {
                if (line.Tokens is { } tokens) await tokens.Show(address, any.Token);
                return new(line.Connection);
            }
            catch (Exception e) when (Broke(e))
            {
                Drop(line, e);
                await Task.Delay(ShortestPause, clock, any.Token);
            }
        }
    }

    internal static bool Broke(Exception e) => e is AmqpException or IOException or SocketException or TimeoutException or ObjectDisposedException or InvalidOperationException or AuthenticationFailedException;

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        if (_line is { } line) await line.Connection.CloseAsync(TimeSpan.FromSeconds(2)).Away().WaitAsync(Patience, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<Line> Open(CancellationToken ct)
    {
        await _opening.WaitAsync(ct);
        try
        {
            var told = false;
            for (var pause = ShortestPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                if (_line is { Connection.IsClosed: false, Session.IsClosed: false } line) return line;
                try { return _line = await Connect(ct); }
                catch (Exception e) when (Broke(e) || (e is OperationCanceledException && !ct.IsCancellationRequested))
                {
                    if (!told) log.LogWarning("no line to {Broker}: {Message}", broker, e.Message);
                    told = true;
                }
                await Task.Delay(pause, clock, ct);
            }
        }
        finally { _opening.Release(); }
    }

    private async Task<Line> Connect(CancellationToken ct)
    {
        var factory = new ConnectionFactory();
        factory.AMQP.IdleTimeout = (int)Patience.TotalMilliseconds;
        factory.AMQP.MaxLinksPerSession = MostSenders * 2;
        factory.TCP.NoDelay = true;
        if (broker.Address.User is null) factory.SASL.Profile = SaslProfile.Anonymous;
        var connection = await factory.CreateAsync(broker.Address).WaitAsync(Patience, clock, ct);
        return new(connection, new(connection), broker.IsServiceBus ? new(connection, broker, clock) : null);
    }

    private async Task<SenderLink> Sender(Line line, string address, CancellationToken ct)
    {
        if (line.Tokens is { } tokens) await tokens.Show(address, ct);
        lock (line.Senders)
        {
            if (line.Senders.TryGetValue(address, out var there) && !there.Link.IsClosed)
            {
                line.Uses.Remove(there.Use);
                line.Uses.AddLast(there.Use);
                return there.Link;
            }
            if (there.Use is not null) line.Uses.Remove(there.Use);
            var link = new SenderLink(line.Session, Name(address), broker.To(address), null);
            line.Senders[address] = (link, line.Uses.AddLast(address));
            if (line.Uses.Count > MostSenders && line.Senders.Remove(line.Uses.First!.Value, out var oldest))
            {
                line.Uses.RemoveFirst();
                _ = oldest.Link.CloseAsync(Patience, null).ContinueWith(t => t.Exception, TaskScheduler.Default);
            }
            return link;
        }
    }

    private long _links;
    private string Name(string address) => $"{address}#{Interlocked.Increment(ref _links)}";

    [SuppressMessage("Design", "CA1031", Justification = "it is thrown away")]
    private void Drop(Line line, Exception why)
    {
        if (!line.Connection.IsClosed) log.LogWarning("the line to {Broker} broke: {Message}", broker, why.Message);
        _ = Interlocked.CompareExchange(ref _line, null, line);
        try { line.Connection.Close(TimeSpan.Zero); }
        catch (Exception) { /* it was broken */ }
    }

    private async Task<bool> Pause(TimeSpan pause, CancellationToken ct)
    {
        await Task.Delay(pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !ct.IsCancellationRequested;
    }

    private static Exception Unavailable(Exception e, CancellationToken ct) => ct.IsCancellationRequested ? new OperationCanceledException(ct) : new StoreUnavailableException("the broker can't be used now", e);
}
