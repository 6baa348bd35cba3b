using System.Collections.Concurrent;
using Cloud.Platform.Bus;
using Cloud.Platform.Local;

namespace Cloud.Tests.Kit;

/// <summary>The bus's contract in memory, with hooks where a test can let the process die, and what a restart finds.</summary>
public sealed class MemoryBus : IBus, IQueueJournal, IDisposable
{
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<long, (Message Message, int Attempts)> _kept = [];
    private readonly ConcurrentDictionary<(string, string), DeadLetter> _dead = [];
    private readonly ConcurrentDictionary<string, int> _counts = [];
    private QueueEngine _engine;
    private long _sequence;

    public MemoryBus(TimeProvider clock)
    {
        _clock = clock;
        _engine = new(clock, this);
    }

    /// <summary>Called before (false) and after (true) a send of its own and each settling.</summary>
    public Action<bool>? OnSend { get; set; }
    public Action<bool>? OnSettle { get; set; }

    /// <summary>Sees every message that comes.</summary>
    public Action<Message>? OnAdd { get; set; }

    public IReadOnlyCollection<DeadLetter> Dead => [.. _dead.Values];

    /// <summary>Messages in order of sending.</summary>
    public IReadOnlyList<Message> All => [.. _kept.OrderBy(k => k.Key).Select(k => k.Value.Message)];

    public bool Holds => !_kept.IsEmpty;

    internal void Add(IReadOnlyList<Message> messages)
    {
        foreach (var m in messages)
        {
            OnAdd?.Invoke(m);
            if (_engine.Holds(m.Queue, m.Id)) continue;
            var sequence = Interlocked.Increment(ref _sequence);
            _kept[sequence] = (m, 0);
            _counts.AddOrUpdate(m.Queue, 1, (_, n) => n + 1);
            _engine.Add(sequence, m);
        }
    }

    /// <summary>Makes it hold what another one holds now, with nothing in anybody's hands.</summary>
    public void Load(MemoryBus other)
    {
        _sequence = other._sequence;
        foreach (var (sequence, kept) in other._kept.OrderBy(k => k.Key))
        {
            _kept[sequence] = kept;
            _counts.AddOrUpdate(kept.Message.Queue, 1, (_, n) => n + 1);
            _engine.Add(sequence, kept.Message, kept.Attempts);
        }
        foreach (var (key, letter) in other._dead)
        {
            _dead[key] = letter;
            _engine.AddDead(letter);
        }
    }

    /// <summary>The process died and came back: what is stored is there, locks are gone.</summary>
    public void Restart()
    {
        _engine.Dispose();
        _engine = new(_clock, this);
        foreach (var (sequence, (message, attempts)) in _kept.OrderBy(k => k.Key)) _engine.Add(sequence, message, attempts);
        foreach (var letter in _dead.Values) _engine.AddDead(letter);
    }

    public ValueTask Send(IReadOnlyList<Message> messages, CancellationToken ct = default)
    {
        OnSend?.Invoke(false);
        Add(messages);
        OnSend?.Invoke(true);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct = default) => _engine.Receive(queue, max, lockFor, wait, ct);
    public ValueTask<bool> Complete(Delivery delivery, CancellationToken ct = default) => Settle(() => _engine.Complete(delivery));
    public ValueTask<bool> Abandon(Delivery delivery, TimeSpan delay, CancellationToken ct = default) => Settle(() => _engine.Abandon(delivery, delay));
    public ValueTask<bool> Reject(Delivery delivery, string reason, CancellationToken ct = default) => Settle(() => _engine.Reject(delivery, reason));
    public ValueTask<bool> Renew(Delivery delivery, TimeSpan lockFor, CancellationToken ct = default) => new(_engine.Renew(delivery, lockFor));
    public ValueTask<IReadOnlyList<DeadLetter>> DeadLetters(string queue, int max, CancellationToken ct = default) => new(_engine.DeadLetters(queue, max));
    public ValueTask<IReadOnlyDictionary<string, int>> Depths(CancellationToken ct = default) => new(_engine.Depths());

    public async ValueTask<bool> Replay(string queue, string messageId, CancellationToken ct = default)
    {
        if (_engine.TakeDead(queue, messageId) is not { } letter) return false;
        _dead.TryRemove((queue, messageId), out _);
        await Send([letter.Message], ct);
        return true;
    }

    private ValueTask<bool> Settle(Func<bool> settle)
    {
        OnSettle?.Invoke(false);
        var settled = settle();
        OnSettle?.Invoke(true);
        return new(settled);
    }

    /// <summary>Messages that are in it, due or not.</summary>
    public int Count(string queue) => _counts.GetValueOrDefault(queue);

    private void Remove(long sequence)
    {
        if (_kept.TryRemove(sequence, out var kept)) _counts.AddOrUpdate(kept.Message.Queue, 0, (_, n) => n - 1);
    }

    void IQueueJournal.Removed(long sequence) => Remove(sequence);
    void IQueueJournal.Delayed(long sequence, int attempts, DateTimeOffset? notBefore) => _kept[sequence] = (_kept[sequence].Message with { NotBefore = notBefore }, attempts);

    void IQueueJournal.Died(long sequence, DeadLetter letter)
    {
        Remove(sequence);
        _dead[(letter.Message.Queue, letter.Message.Id)] = letter;
    }

    public void Dispose() => _engine.Dispose();
}
