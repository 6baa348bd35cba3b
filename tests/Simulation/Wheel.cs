using Microsoft.Extensions.Time.Testing;

namespace Cloud.Tests.Simulation;

/// <summary>
/// Time, and all that happens in it, in one thread: what is to happen next is taken from a queue by its time. Whatever awaits goes on here
/// as well, so that a seed decides every order there is.
/// </summary>
public sealed class Wheel(FakeTimeProvider clock, int seed) : SynchronizationContext
{
    private readonly PriorityQueue<Action, (long At, long Nth)> _events = new();
    private long _nth;
    private int _thread;

    public FakeTimeProvider Clock => clock;
    public Random Chance { get; } = new(seed);
    /// <summary>Things that happened.</summary>
    public long Turns { get; private set; }
    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Called after each thing that happened.</summary>
    public Action? After { get; set; }

    public void In(TimeSpan delay, Action act) => _events.Enqueue(act, ((Now + delay).UtcTicks, _nth++));

    public void In(double seconds, Action act) => In(TimeSpan.FromSeconds(seconds), act);

    public void Every(double seconds, Action act) => In(seconds, () => { act(); Every(seconds, act); });

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Environment.CurrentManagedThreadId != _thread) throw new InvalidOperationException("another thread meddles");
        In(TimeSpan.Zero, () => d(state));
    }

    /// <summary>
    /// Ends a wait. Who awaits on this context is posted to; who awaits on none (as libraries do) goes on here and now, for which there
    /// must be no context, or it would be sent to the thread pool.
    /// </summary>
    public void End(TaskCompletionSource wait)
    {
        SetSynchronizationContext(null);
        wait.SetResult();
        SetSynchronizationContext(this);
    }

    public override SynchronizationContext CreateCopy() => this;

    public bool Maybe(double share) => share > 0 && Chance.NextDouble() < share;

    public T Pick<T>(IReadOnlyList<T> from) => from[Chance.Next(from.Count)];

    /// <summary>Mostly short, now and then very long.</summary>
    public double Skewed(double most) => most * Math.Pow(Chance.NextDouble(), 6);

    /// <summary>Goes on until then, or until nothing happens any more.</summary>
    public void Run(TimeSpan time)
    {
        var (end, before) = (Now + time, Current);
        SetSynchronizationContext(this);
        _thread = Environment.CurrentManagedThreadId;
        try
        {
            while (_events.TryPeek(out _, out var next) && next.At <= end.UtcTicks)
            {
                var act = _events.Dequeue();
                if (next.At > Now.UtcTicks) clock.SetUtcNow(new(next.At, TimeSpan.Zero));
                Turns++;
                act();
                After?.Invoke();
            }
            if (end > Now) clock.SetUtcNow(end);
        }
        finally { SetSynchronizationContext(before); }
    }
}
