using System.Collections.Concurrent;
using Amqp;
using Cloud.Platform.Local;
using Cloud.Platform.State;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>
/// What this process receives of one queue: messages come in the queue's order and stay unsettled at the broker until they are done with, while
/// <see cref="QueueEngine"/> keeps the rules here: one of a session at a time, delays, locks, attempts. So the order of a session needs no help
/// of the broker's as long as one process reads the queue, and whatever is lost here the broker gives out again.
/// </summary>
internal sealed class Intake : IQueueJournal, IAsyncDisposable
{
    /// <summary>Taken at once, besides what waits for its time.</summary>
    private const int Window = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100), Patience = TimeSpan.FromSeconds(5);

    private readonly Broker _broker;
    private readonly BrokerLine _line;
    private readonly string _queue;
    private readonly TimeProvider _wire;
    private readonly IIds _ids;
    private readonly ILogger _log;
    private readonly QueueEngine _engine;
    private readonly ConcurrentDictionary<long, (Tap Tap, Amqp.Message Raw)> _held = [];
    private readonly ConcurrentDictionary<long, bool> _delayed = [];
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _marks = [];
    private readonly CancellationTokenSource _closed = new();
    private readonly Task _running;
    private long _sequence;
    private Task _burying = Task.CompletedTask;

    /// <param name="clock">Of delays and locks.</param>
    /// <param name="wire">Of the network.</param>
    /// <param name="taps">Links; each has one session where the broker keeps sessions, and one is enough where it doesn't.</param>
    public Intake(Broker broker, BrokerLine line, string queue, TimeProvider clock, TimeProvider wire, IIds ids, ILogger log, int taps, bool sessions)
    {
        (_broker, _line, _queue, _wire, _ids, _log) = (broker, line, queue, wire, ids, log);
        _engine = new(clock, this);
        _running = Task.WhenAll(Enumerable.Range(0, taps).Select(_ => Task.Run(() => Run(sessions))));
    }

    public async ValueTask<IReadOnlyList<Delivery>> Receive(int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct)
    {
        if (wait <= TimeSpan.Zero) await Caught(ct);
        var taken = await _engine.Receive(_queue, max, lockFor, wait, ct);
        await Buried();
        return taken;
    }

    public bool Complete(Delivery d) => _engine.Complete(d);

    public async ValueTask<bool> Abandon(Delivery d, TimeSpan delay)
    {
        var done = _engine.Abandon(d, delay);
        await Buried();
        return done;
    }

    public async ValueTask<bool> Reject(Delivery d, string reason)
    {
        var done = _engine.Reject(d, reason);
        await Buried();
        return done;
    }

    public bool Renew(Delivery d, TimeSpan lockFor) => _engine.Renew(d, lockFor);

    public int Depth => _engine.Depths().GetValueOrDefault(_queue);

    // More credit is given when half of it was used.
    private bool Full => _held.Count - _delayed.Count >= Window / 2;

    /// <summary>Waits until what the broker has by now is here, or as much as is taken at once: something sent to the queue now has come back.</summary>
    private async Task Caught(CancellationToken ct)
    {
        if (Full) return;
        var (mark, back) = (_ids.New(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _marks[mark] = back;
        try
        {
            await _line.Send([(_broker.Queue(_queue), () => Letter.Mark(mark))], ct);
            await back.Task.WaitAsync(Patience, _wire, ct);
        }
        catch (TimeoutException) { /* somebody else reads the queue as well, and had it */ }
        finally { _marks.TryRemove(mark, out _); }
    }

    private async Task Run(bool sessions)
    {
        try
        {
            while (true)
            {
                try { await new Tap(this, sessions ? new(null) : _broker.SessionOf(_queue) is { } one ? new ServiceBusSession.Wanted(one) : null).Run(_closed.Token); }
                catch (Exception e) when (BrokerLine.Broke(e)) { _log.LogWarning("{Queue} can't be received from: {Message}", _queue, e.Message); }
                await Task.Delay(Pause, _wire, _closed.Token);
            }
        }
        catch (OperationCanceledException) { /* closed */ }
    }

    private void Arrived(Tap tap, Amqp.Message raw)
    {
        if (Letter.MarkOf(raw) is { } mark)
        {
            tap.Accept(raw);
            if (_marks.TryGetValue(mark, out var back)) back.TrySetResult();
            return;
        }
        var message = Letter.Read(_queue, raw);
        lock (tap.Gate)
        {
            if (tap.Ended) return; // the broker gives it out again, and one from nowhere would stand in that one's way
            if (_engine.Holds(_queue, message.Id)) { tap.Accept(raw); return; } // it came twice, and the first is still here
            var sequence = Interlocked.Increment(ref _sequence);
            _held[sequence] = (tap, raw);
            if (message.NotBefore is not null) Delay(sequence, tap);
            _engine.Add(sequence, message, Letter.Given(raw));
        }
        if (!_marks.IsEmpty && Full)
            foreach (var back in _marks.Values) back.TrySetResult();
    }

    private void Delay(long sequence, Tap tap)
    {
        if (_delayed.TryAdd(sequence, true)) tap.Credit(Window + _delayed.Count);
    }

    private (Tap Tap, Amqp.Message Raw)? Let(long sequence)
    {
        _delayed.TryRemove(sequence, out _);
        return _held.TryRemove(sequence, out var held) ? held : null;
    }

    void IQueueJournal.Removed(long sequence)
    {
        if (Let(sequence) is (var tap, var raw)) tap.Accept(raw);
    }

    void IQueueJournal.Delayed(long sequence, int attempts, DateTimeOffset? notBefore)
    {
        if (notBefore is not null && _held.TryGetValue(sequence, out var held)) Delay(sequence, held.Tap);
    }

    void IQueueJournal.Died(long sequence, DeadLetter letter)
    {
        _engine.TakeDead(_queue, letter.Message.Id); // the broker keeps it
        if (Let(sequence) is not (var tap, var raw)) return;
        if (_broker.IsServiceBus) tap.Reject(raw, letter.Reason);
        else _burying = Task.WhenAll(_burying, Bury(tap, raw, letter));
    }

    /// <summary>First there, then no longer here: a death in between leaves two, not none.</summary>
    private async Task Bury(Tap tap, Amqp.Message raw, DeadLetter letter)
    {
        try
        {
            await _line.Send([(_broker.Dead(_queue), () => Letter.Write(letter))], _closed.Token);
            tap.Accept(raw);
        }
        catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException) { tap.Release(raw); }
    }

    private async Task Buried()
    {
        var burying = _burying;
        await burying;
        _ = Interlocked.CompareExchange(ref _burying, Task.CompletedTask, burying);
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _running;
        _engine.Dispose();
    }

    /// <summary>One link, for as long as it holds.</summary>
    private sealed class Tap(Intake intake, ServiceBusSession.Wanted? session)
    {
        /// <summary>How long a session that is empty is kept: others may be waiting for a link.</summary>
        private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

        private ReceiverLink? _link;
        private int _credit = Window;

        public Lock Gate { get; } = new();
        /// <summary>What still arrives is not ours any more. Read and changed behind the gate.</summary>
        public bool Ended { get; private set; }

        public async Task Run(CancellationToken ct)
        {
            var address = intake._broker.Queue(intake._queue);
            var at = await intake._line.Session(address, ct);
            try
            {
                var attached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _link = new(at, $"{intake._queue}#{intake._ids.New()}", ServiceBusSession.Source(intake._broker.From(address), session), (_, a) => { if (a.Source is not null) attached.TrySetResult(); });
                _link.AddClosedCallback((_, _) => closed.TrySetResult());
                // Where one waits for the next session, the broker answers when there is one.
                await await Task.WhenAny(attached.Task, closed.Task).WaitAsync(session is null ? BrokerLine.Patience : TimeSpan.FromMinutes(2), intake._wire, ct);
                if (!attached.Task.IsCompleted) return;
                _link.Start(Window, (_, raw) => intake.Arrived(this, raw));
                if (session is not { Id: null }) await closed.Task.WaitAsync(ct);
                else
                    for (var idle = 0; idle < 2 && !closed.Task.IsCompleted;)
                    {
                        await Task.WhenAny(closed.Task, Task.Delay(Idle / 2, intake._wire, ct));
                        ct.ThrowIfCancellationRequested();
                        idle = intake._held.Values.Any(h => h.Tap == this) ? 0 : idle + 1;
                    }
            }
            finally
            {
                // Whoever has one of these in hand finds that his lock is worth nothing.
                await at.CloseAsync(TimeSpan.FromSeconds(2), null).Away().WaitAsync(Patience, intake._wire, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                lock (Gate) Ended = true;
                var lost = intake._held.Where(h => h.Value.Tap == this).Select(h => h.Key).ToList();
                foreach (var sequence in lost) intake.Let(sequence);
                intake._engine.Forget(intake._queue, lost);
            }
        }

        public void Credit(int total)
        {
            if (total <= _credit) return;
            _credit = total + (Window / 2);
            Try(l => l.SetCredit(_credit, true));
        }

        public void Accept(Amqp.Message raw) => Try(l => l.Accept(raw));

        public void Release(Amqp.Message raw) => Try(l => l.Release(raw));

        public void Reject(Amqp.Message raw, string reason) => Try(l => l.Reject(raw, ServiceBusSession.DeadLetter(reason)));

        // A broken link settles nothing: the broker gives it out again.
        private void Try(Action<ReceiverLink> settle)
        {
            try { settle(_link!); }
            catch (Exception e) when (BrokerLine.Broke(e)) { intake._log.LogInformation("{Queue}: {Message}", intake._queue, e.Message); }
        }
    }
}
