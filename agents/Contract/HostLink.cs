using System.Diagnostics.CodeAnalysis;
using Amqp;
using Amqp.Framing;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Contract;

/// <summary>
/// A host's line over AMQP 1.0: user <c>host.NAME</c>, one connection with a receiver on the host's own queue and a sender to the
/// replies queue. A broken line is opened again, for ever; the secret is read anew each time.
/// </summary>
/// <param name="control">amqp://host:port or amqps://host:port; with <c>?broker</c> where it is a broker instead of our own listener.</param>
public sealed class HostLink(string control, string name, string credentialFile, TimeProvider clock, ILoggerFactory logs) : IHostLink
{
    /// <summary>Commands at once: each holds one of as many credits until it is settled.</summary>
    private const int Parallel = 32;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    /// <summary>Of both queues and of what is sent: a broker (<c>?broker</c> behind the address) keeps over its next restart only what says so. Our own listener keeps all, and never answers a line that speaks of durability at all, not even with 0 (HostLinkTests).</summary>
    private bool AtBroker => new Uri(control).Query == "?broker";
    private const uint Durable = 2;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private sealed record Line(Connection Connection, Session Session, SenderLink Replies);

    private readonly ILogger _log = logs.CreateLogger<HostLink>();
    private readonly SemaphoreSlim _opening = new(1);
    private Line? _line;

    public async Task Run(Func<CommandMessage, CancellationToken, Task<CommandReply>> handle, CancellationToken ct)
    {
        using var slots = new SemaphoreSlim(Parallel);
        try
        {
            while (true)
            {
                var line = await Open(ct);
                try
                {
                    var receiver = AtBroker ? new ReceiverLink(line.Session, "commands", new Source { Address = Names.HostQueue(name), Durable = Durable }, null) : new ReceiverLink(line.Session, "commands", Names.HostQueue(name));
                    receiver.SetCredit(Parallel);
                    while (await receiver.ReceiveAsync(Timeout.InfiniteTimeSpan).WaitAsync(ct) is { } message)
                    {
                        await slots.WaitAsync(ct);
                        _ = One(receiver, message, handle, slots, ct);
                    }
                }
                catch (AmqpException e) { _log.LogWarning("the line to {Control} broke: {Message}", control, e.Message); }
                Drop(line);
                await Task.Delay(ShortestPause, clock, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { /* asked to end */ }
        // What runs was cancelled with us; nobody may use the line after we return.
        for (var i = 0; i < Parallel; i++) await slots.WaitAsync(CancellationToken.None);
    }

    public async Task Send(HostMessage message, CancellationToken ct)
    {
        var body = new Data { Binary = ContractJson.Write(message) };
        for (var pause = ShortestPause; ;)
        {
            var line = await Open(ct);
            try
            {
                await line.Replies.SendAsync(AtBroker ? new Message { Header = new() { Durable = true }, BodySection = body } : new Message { BodySection = body }, Patience).WaitAsync(ct);
                return;
            }
            catch (AmqpException e) when (e.Error?.Condition is { } why && (why == ErrorCode.UnauthorizedAccess || why == ErrorCode.DecodeError) && !line.Replies.IsClosed)
            {
                throw new RefusedException($"the control plane refuses {message.GetType().Name}: {e.Message}", e);
            }
            catch (AmqpException e) when (e.Error?.Condition == ErrorCode.MessageReleased && !line.Replies.IsClosed)
            {
                // It can't be stored now. The line is good, and a broken one would count against all commands in hand.
                await Task.Delay(pause, clock, ct);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            catch (Exception e) when (e is AmqpException or TimeoutException)
            {
                Drop(line);
                await Task.Delay(ShortestPause, clock, ct);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_line is { } line) await line.Connection.CloseAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _opening.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "whatever a command does to its handler, it must come again")]
    private async Task One(ReceiverLink receiver, Message message, Func<CommandMessage, CancellationToken, Task<CommandReply>> handle, SemaphoreSlim slots, CancellationToken ct)
    {
        try
        {
            try
            {
                await Send(await handle(ContractJson.ReadCommand(((Data)message.BodySection).Binary), ct), ct);
                receiver.Accept(message);
            }
            catch (RefusedException e)
            {
                _log.LogError(e, "a command is given up");
                receiver.Reject(message, new Error(ErrorCode.NotAllowed) { Description = e.Message });
            }
            catch (Exception e) when (e is not AmqpException)
            {
                if (!ct.IsCancellationRequested) _log.LogWarning("a command is given back: {Message}", e.Message);
                receiver.Release(message);
            }
        }
        catch (AmqpException) { /* the line broke meanwhile: the command comes again and its answer is known */ }
        finally { slots.Release(); }
    }

    /// <summary>The line, opened if need be; tries until it is there.</summary>
    private async Task<Line> Open(CancellationToken ct)
    {
        await _opening.WaitAsync(ct);
        try
        {
            var told = "";
            for (var pause = ShortestPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                if (_line is { Connection.IsClosed: false, Replies.IsClosed: false } line) return line;
                try { return _line = await Connect(ct); }
                catch (Exception e) when (e is AmqpException or IOException or System.Net.Sockets.SocketException or TimeoutException or OperationCanceledException && !ct.IsCancellationRequested)
                {
                    if (told != e.Message) _log.LogWarning("no line to {Control}: {Message}", control, e.Message);
                    told = e.Message;
                }
                await Task.Delay(pause, clock, ct);
            }
        }
        finally { _opening.Release(); }
    }

    private async Task<Line> Connect(CancellationToken ct)
    {
        var at = new Uri(control);
        var secret = (await File.ReadAllTextAsync(credentialFile, ct)).Trim();
        var factory = new ConnectionFactory();
        factory.AMQP.IdleTimeout = (int)Patience.TotalMilliseconds;
        factory.AMQP.ContainerId = Names.HostQueue(name);
        factory.TCP.NoDelay = true;
        var connection = await factory.CreateAsync(new Address(at.Host, at.Port, Names.HostQueue(name), secret, "/", at.Scheme)).WaitAsync(Patience, ct);
        var session = new Session(connection);
        var attached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var replies = new SenderLink(session, "replies", AtBroker ? new Target { Address = Names.Replies, Durable = Durable } : new Target { Address = Names.Replies }, (_, _) => attached.TrySetResult());
        replies.Closed += (_, error) => attached.TrySetException(new AmqpException(error ?? new Error(ErrorCode.ConnectionForced)));
        await attached.Task.WaitAsync(Patience, ct);
        _log.LogInformation("line to {Control} is open", control);
        return new(connection, session, replies);
    }

    private void Drop(Line line)
    {
        Interlocked.CompareExchange(ref _line, null, line);
        _ = line.Connection.CloseAsync(TimeSpan.FromSeconds(2)).ContinueWith(t => t.Exception, TaskContinuationOptions.OnlyOnFaulted);
    }
}

/// <summary>The control plane won't have this message, however often it is sent.</summary>
public sealed class RefusedException(string message, Exception inner) : Exception(message, inner);
