using System.Collections.Concurrent;
using Amqp;
using Amqp.Framing;
using Amqp.Listener;
using Cloud.Platform.State;

namespace Cloud.Platform.Bus;

/// <summary>
/// Lends a queue's messages to one host: accepted completes them, rejected gives them up, released or modified brings them back after
/// a second, and a broken line at once. Their locks are renewed for as long as the host has them.
/// </summary>
internal sealed class AmqpLending
{
    private const int MaxLent = 128;
    private static readonly TimeSpan LockFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly AmqpParts _parts;
    private readonly string _queue;
    private readonly ListenerLink _link;
    private readonly CancellationTokenSource _closed = new();
    private readonly ConcurrentDictionary<Amqp.Message, Delivery> _lent = new(ReferenceEqualityComparer.Instance);
    private readonly AmqpCredit _credit = new(new());

    private AmqpLending(AmqpParts parts, string queue, ListenerLink link) => (_parts, _queue, _link) = (parts, queue, link);

    internal static void Start(AmqpParts parts, string queue, ListenerLink link)
    {
        var lending = new AmqpLending(parts, queue, link);
        link.Closed += (_, _) => lending._closed.Cancel();
        link.InitializeSender((credit, _, _) => lending._credit.Add(credit), (message, state, settled, _) => _ = lending.Settle(message, state, settled), null);
        _ = lending.Lend();
        _ = lending.Renew();
    }

    private async Task Lend()
    {
        try
        {
            while (true)
            {
                var room = await _credit.Room(credit => Math.Min(credit, MaxLent - _lent.Count), _closed.Token);
                var open = true;
                foreach (var delivery in await _parts.Bus.Receive(_queue, room, LockFor, TimeSpan.FromMinutes(5), _closed.Token))
                    if (open) open = await Hand(delivery);
                    else await _parts.Bus.Abandon(delivery, TimeSpan.Zero);
                if (!open) return;
            }
        }
        catch (OperationCanceledException) { /* the line is closed */ }
        catch (StoreUnavailableException e)
        {
            _parts.Log.LogError(e, "AMQP: {Queue} can't be read", _queue);
            await _link.CloseAsync(Pause, new Error(ErrorCode.InternalError)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>False when the line is closed.</returns>
    private async Task<bool> Hand(Delivery delivery)
    {
        var message = new Amqp.Message { BodySection = new Data { Binary = delivery.Message.Body.ToArray() } };
        _lent[message] = delivery;
        _credit.Take();
        try
        {
            _link.SendMessage(message);
            return !_link.IsClosed && !_closed.IsCancellationRequested;
        }
        catch (AmqpException)
        {
            // Closed between: nobody will settle it.
            if (_lent.TryRemove(message, out _)) await _parts.Bus.Abandon(delivery, TimeSpan.Zero);
            return false;
        }
    }

    private async Task Settle(Amqp.Message message, DeliveryState state, bool settled)
    {
        if (!_lent.TryRemove(message, out var delivery)) return;
        // A host says why it gives one up. What a broken line had lent is said to be rejected as well, with the line's error: nothing more is lent on it.
        var given = state is Rejected { Error.Condition: { } why } && why == ErrorCode.NotAllowed;
        if (_link.IsClosed || (state is Rejected && !given)) await _closed.CancelAsync();
        _credit.Settled();
        try
        {
            _ = state switch
            {
                Accepted => await _parts.Bus.Complete(delivery),
                Rejected rejected when given => await _parts.Bus.Reject(delivery, rejected.Error.Description ?? "refused by the host"),
                _ => await _parts.Bus.Abandon(delivery, _closed.IsCancellationRequested ? TimeSpan.Zero : Pause),
            };
            if (_closed.IsCancellationRequested) _link.Close(TimeSpan.Zero);
            else if (!settled) _link.DisposeMessage(message, state, settled: true);
        }
        catch (Exception e) when (e is AmqpException or StoreUnavailableException) { /* its lock runs out and it comes again */ }
    }

    private async Task Renew()
    {
        using var timer = new PeriodicTimer(LockFor / 3, _parts.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_closed.Token))
                foreach (var delivery in _lent.Values) await _parts.Bus.Renew(delivery, LockFor, _closed.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or StoreUnavailableException) { /* the line is closed, or its messages come again */ }
    }
}
