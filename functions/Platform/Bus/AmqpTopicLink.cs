using Amqp;
using Amqp.Framing;
using Amqp.Listener;
using Amqp.Types;
using Cloud.Platform.State;

namespace Cloud.Platform.Bus;

/// <summary>
/// Sends a topic to one receiver, as much as it has credit for. What it settles moves the subscription, without holes: accepted and rejected count as had,
/// released and modified come once more. A broken line leaves the rest for the next time.
/// </summary>
internal sealed class AmqpTopicLink
{
    private const int MostUnsettled = 256;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly AmqpParts _parts;
    private readonly ListenerLink _link;
    private readonly IAmqpTopic _topic;
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    /// <summary>Sent and not yet part of what is settled without holes, by number.</summary>
    private readonly SortedDictionary<long, bool> _sent = [];
    private readonly Dictionary<Amqp.Message, AmqpItem> _lent = new(ReferenceEqualityComparer.Instance);
    private readonly Queue<AmqpItem> _again = new();
    private readonly AmqpCredit _credit;
    private TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _settled, _written;
    private Task _writing = Task.CompletedTask;

    private AmqpTopicLink(AmqpParts parts, ListenerLink link, IAmqpTopic topic) => (_parts, _link, _topic, _credit) = (parts, link, topic, new(_gate));

    /// <returns>What ends the link.</returns>
    internal static Action Start(AmqpParts parts, ListenerLink link, IAmqpTopic topic)
    {
        var sending = new AmqpTopicLink(parts, link, topic);
        link.Closed += (_, _) => sending._closed.Cancel();
        link.InitializeSender((credit, _, _) => sending._credit.Add(credit), (message, state, settled, _) => sending.Settle(message, state, settled), null);
        _ = sending.Send();
        return () => _ = sending.End("amqp:link:stolen", "somebody else attached to this subscription");
    }

    private async Task Send()
    {
        try
        {
            while (true)
            {
                var room = await _credit.Room(RoomFor, _closed.Token);
                IReadOnlyList<AmqpItem> items;
                using var wait = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token);
                lock (_gate)
                {
                    items = _again.Count > 0 ? [_again.Dequeue()] : [];
                    _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
                if (items.Count == 0) items = await Wait(room, wait);
                foreach (var item in items) Hand(item);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or AmqpException or ObjectDisposedException) { /* the line is closed */ }
        catch (UnauthorizedAccessException) { await End(ErrorCode.UnauthorizedAccess, "the credential is no longer good"); }
        catch (StoreUnavailableException e)
        {
            _parts.Log.LogError(e, "AMQP: a topic can't be read");
            await End(ErrorCode.InternalError, "try again");
        }
    }

    /// <summary>What comes next; none when something was released meanwhile.</summary>
    private async Task<IReadOnlyList<AmqpItem>> Wait(int room, CancellationTokenSource wait)
    {
        var next = _topic.Next(room, wait.Token).AsTask();
        if (await Task.WhenAny(next, _released.Task) != next) await wait.CancelAsync();
        try { return await next; }
        catch (OperationCanceledException) when (!_closed.IsCancellationRequested) { return []; }
    }

    private void Hand(AmqpItem item)
    {
        var message = new Amqp.Message
        {
            Header = new Header { Durable = true }, Properties = new Properties { MessageId = item.Id, Subject = item.Subject, GroupId = item.Group, ContentType = new Symbol(item.ContentType) },
            ApplicationProperties = new ApplicationProperties { ["cursor"] = item.Number }, BodySection = new Data { Binary = item.Body.ToArray() },
        };
        lock (_gate)
        {
            _lent[message] = item;
            _sent[item.Number] = false;
            _credit.Take();
        }
        _link.SendMessage(message);
    }

    private void Settle(Amqp.Message message, DeliveryState state, bool settled)
    {
        lock (_gate)
        {
            if (!_lent.Remove(message, out var item)) return;
            _credit.Settled();
            // What a broken line had lent is said to be rejected with the line's error.
            if (_link.IsClosed || _closed.IsCancellationRequested) return;
            if (state is Accepted or Rejected)
            {
                _sent[item.Number] = true;
                while (_sent.Count > 0 && _sent.First() is { Value: true, Key: var first }) { _sent.Remove(first); _settled = first; }
                if (_writing.IsCompleted && _settled > _written) _writing = Write();
            }
            else
            {
                _again.Enqueue(item);
                _released.TrySetResult();
            }
        }
        try
        {
            if (!settled) _link.DisposeMessage(message, state, settled: true);
        }
        catch (AmqpException) { /* closed meanwhile: it comes again */ }
    }

    /// <summary>One write at a time; what is settled meanwhile is in the next.</summary>
    private async Task Write()
    {
        await Task.Yield();
        while (true)
        {
            long upto;
            lock (_gate)
            {
                if ((upto = _settled) <= _written) { _writing = Task.CompletedTask; return; }
            }
            try { await _topic.Settled(upto, CancellationToken.None); }
            catch (StoreUnavailableException) { return; } // the next one tries again
            catch (UnauthorizedAccessException) { await End(ErrorCode.ResourceDeleted, "the subscription is gone"); return; }
            _written = upto;
        }
    }

    private async Task End(string condition, string why)
    {
        await _closed.CancelAsync();
        await _link.CloseAsync(Pause, new Error(condition) { Description = why }).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>With so much credit. Of what comes again there is always room for one.</summary>
    private int RoomFor(int credit) => Math.Min(credit, MostUnsettled - _sent.Count) is > 0 and var room ? room : credit > 0 && _again.Count > 0 ? 1 : 0;
}
