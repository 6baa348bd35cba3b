using Cloud.Platform.Bus;

namespace Cloud.Platform.Local;

/// <summary>What must survive the process. Called in order; <see cref="Added"/> messages are already stored when the engine gets them.</summary>
public interface IQueueJournal
{
    void Removed(long sequence);
    void Delayed(long sequence, int attempts, DateTimeOffset? notBefore);
    void Died(long sequence, DeadLetter letter);
}

/// <summary>
/// The rules of <see cref="IBus"/> in memory: order, sessions, locks, delays, dead letters. Only one process owns a bus of this kind,
/// so locks needn't survive it: after a kill every message is free again at once.
/// </summary>
public sealed class QueueEngine(TimeProvider clock, IQueueJournal journal) : IDisposable
{
    public const int MaxAttempts = 10;

    private sealed class Entry(long sequence, Message message, int attempts)
    {
        public readonly long Sequence = sequence;
        public readonly Message Message = message;
        public int Attempts = attempts;
        public DateTimeOffset? NotBefore = message.NotBefore;
        public DateTimeOffset LockedUntil;
        public string? Lock;
    }

    private sealed class Queue
    {
        public readonly Dictionary<long, Entry> All = [];
        public readonly Dictionary<string, Entry> ById = [];
        /// <summary>Free and due. Of a session only its first.</summary>
        public readonly SortedSet<long> Ready = [];
        public readonly Dictionary<string, SortedSet<long>> Sessions = [];
        public readonly Dictionary<string, DeadLetter> Dead = [];
        public TaskCompletionSource Arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue> _queues = [];
    private readonly PriorityQueue<(Queue Queue, long Sequence), DateTimeOffset> _alarms = new();
    private DateTimeOffset _nextAlarm = DateTimeOffset.MaxValue;
    private ITimer? _timer;
    private long _locks;

    public void Add(long sequence, Message message, int attempts = 0)
    {
        lock (_gate)
        {
            var q = Get(message.Queue);
            if (q.ById.ContainsKey(message.Id)) return;
            var e = new Entry(sequence, message, attempts);
            q.All.Add(sequence, e);
            q.ById.Add(message.Id, e);
            if (message.Session is { } s)
            {
                if (!q.Sessions.TryGetValue(s, out var line)) q.Sessions[s] = line = [];
                line.Add(sequence);
            }
            Free(q, e);
        }
    }

    public void AddDead(DeadLetter letter)
    {
        lock (_gate) Get(letter.Message.Queue).Dead[letter.Message.Id] = letter;
    }

    public bool Holds(string queue, string id)
    {
        lock (_gate) return _queues.TryGetValue(queue, out var q) && q.ById.ContainsKey(id);
    }

    public async ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct)
    {
        var until = clock.GetUtcNow() + wait;
        while (true)
        {
            Task arrived;
            lock (_gate)
            {
                var q = Get(queue);
                var taken = Take(q, max, lockFor);
                if (taken.Count > 0) return taken;
                arrived = q.Arrived.Task;
            }
            var left = until - clock.GetUtcNow();
            if (left <= TimeSpan.Zero) return [];
            try { await arrived.WaitAsync(left, clock, ct); }
            catch (TimeoutException) { Forget(queue); return []; }
        }
    }

    public bool Complete(Delivery d)
    {
        lock (_gate)
        {
            if (Held(d) is not (var q, var e)) return false;
            Remove(q, e);
            journal.Removed(e.Sequence);
            return true;
        }
    }

    public bool Abandon(Delivery d, TimeSpan delay)
    {
        lock (_gate)
        {
            if (Held(d) is not (var q, var e)) return false;
            if (e.Attempts >= MaxAttempts) { Kill(q, e, "too many attempts"); return true; }
            e.Lock = null;
            e.NotBefore = delay > TimeSpan.Zero ? clock.GetUtcNow() + delay : null;
            journal.Delayed(e.Sequence, e.Attempts, e.NotBefore);
            Free(q, e);
            return true;
        }
    }

    public bool Reject(Delivery d, string reason)
    {
        lock (_gate)
        {
            if (Held(d) is not (var q, var e)) return false;
            Kill(q, e, reason);
            return true;
        }
    }

    public bool Renew(Delivery d, TimeSpan lockFor)
    {
        lock (_gate)
        {
            if (Held(d) is not (var q, var e)) return false;
            e.LockedUntil = clock.GetUtcNow() + lockFor;
            Alarm(q, e, e.LockedUntil);
            return true;
        }
    }

    /// <summary>Whoever had lent these to us has them back: they aren't here any more, and locks on them are worth nothing. Nothing is journalled.</summary>
    public void Forget(string queue, IEnumerable<long> sequences)
    {
        lock (_gate)
            if (_queues.TryGetValue(queue, out var q))
                foreach (var sequence in sequences)
                    if (q.All.TryGetValue(sequence, out var e)) Remove(q, e);
    }

    public IReadOnlyList<DeadLetter> DeadLetters(string queue, int max)
    {
        lock (_gate) return _queues.TryGetValue(queue, out var q) ? [.. q.Dead.Values.OrderBy(d => d.At).Take(max)] : [];
    }

    public DeadLetter? TakeDead(string queue, string id)
    {
        lock (_gate) return _queues.TryGetValue(queue, out var q) && q.Dead.Remove(id, out var letter) ? letter : null;
    }

    public IReadOnlyDictionary<string, int> Depths()
    {
        lock (_gate) return _queues.Where(q => q.Value.All.Count > 0).ToDictionary(q => q.Key, q => q.Value.All.Count);
    }

    public void Dispose() => _timer?.Dispose();

    private List<Delivery> Take(Queue q, int max, TimeSpan lockFor)
    {
        var taken = new List<Delivery>();
        while (taken.Count < max && q.Ready.Count > 0)
        {
            var e = q.All[q.Ready.Min];
            q.Ready.Remove(e.Sequence);
            if (++e.Attempts > MaxAttempts) { Kill(q, e, "too many attempts"); continue; }
            e.Lock = $"{++_locks}";
            e.LockedUntil = clock.GetUtcNow() + lockFor;
            Alarm(q, e, e.LockedUntil);
            taken.Add(new(e.Message, e.Attempts, e.Lock, e.LockedUntil));
        }
        return taken;
    }

    /// <summary>Makes it ready if its time has come and it is first of its session; else sees to it that somebody looks again.</summary>
    private void Free(Queue q, Entry e)
    {
        if (e.Lock is not null) return;
        if (e.Message.Session is { } s && q.Sessions[s].Min != e.Sequence) return;
        if (e.NotBefore is { } due && due > clock.GetUtcNow()) { Alarm(q, e, due); return; }
        q.Ready.Add(e.Sequence);
        var arrived = q.Arrived;
        q.Arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        arrived.TrySetResult();
    }

    private void Remove(Queue q, Entry e)
    {
        q.All.Remove(e.Sequence);
        q.ById.Remove(e.Message.Id);
        q.Ready.Remove(e.Sequence);
        if (e.Message.Session is not { } s) return;
        var line = q.Sessions[s];
        line.Remove(e.Sequence);
        if (line.Count == 0) q.Sessions.Remove(s);
        else Free(q, q.All[line.Min]);
    }

    private void Kill(Queue q, Entry e, string reason)
    {
        var letter = new DeadLetter(e.Message, e.Attempts, reason, clock.GetUtcNow());
        Remove(q, e);
        q.Dead[e.Message.Id] = letter;
        journal.Died(e.Sequence, letter);
    }

    private (Queue, Entry)? Held(Delivery d) =>
        _queues.TryGetValue(d.Message.Queue, out var q) && q.ById.TryGetValue(d.Message.Id, out var e) && e.Lock == d.Lock && e.LockedUntil > clock.GetUtcNow() ? (q, e) : null;

    private Queue Get(string name) => _queues.TryGetValue(name, out var q) ? q : _queues[name] = new();

    // Queues for single answers come and go.
    private void Forget(string queue)
    {
        lock (_gate)
            if (_queues.TryGetValue(queue, out var q) && q.All.Count == 0 && q.Dead.Count == 0 && queue.StartsWith("answer.", StringComparison.Ordinal)) _queues.Remove(queue);
    }

    private void Alarm(Queue q, Entry e, DateTimeOffset at)
    {
        _alarms.Enqueue((q, e.Sequence), at);
        if (at >= _nextAlarm) return;
        _nextAlarm = at;
        var delay = at - clock.GetUtcNow();
        if (delay < TimeSpan.Zero) delay = TimeSpan.Zero;
        if (_timer is null) _timer = clock.CreateTimer(_ => Ring(), null, delay, Timeout.InfiniteTimeSpan);
        else _timer.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private void Ring()
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            _nextAlarm = DateTimeOffset.MaxValue;
            while (_alarms.TryPeek(out var who, out var at) && at <= now)
            {
                _alarms.Dequeue();
                if (!who.Queue.All.TryGetValue(who.Sequence, out var e)) continue;
                if (e.Lock is not null && e.LockedUntil <= now) e.Lock = null;
                if (e.Lock is null && !who.Queue.Ready.Contains(e.Sequence)) Free(who.Queue, e);
            }
            // Most messages are settled before their locks run out: nobody need wake for those.
            while (_alarms.TryPeek(out var gone, out _) && !gone.Queue.All.ContainsKey(gone.Sequence)) _alarms.Dequeue();
            if (_alarms.TryPeek(out _, out var next))
            {
                _nextAlarm = next;
                // A timer that fires a moment early must not spin.
                var delay = next - now;
                _timer!.Change(delay < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : delay, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
