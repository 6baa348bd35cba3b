namespace Cloud.Platform.Bus;

/// <summary>How much a receiver takes: what it gave credit for, less what was sent. Whoever sends waits here until there is room.</summary>
/// <param name="gate">Of what <see cref="Room"/> looks at besides; it is held while it looks.</param>
internal sealed class AmqpCredit(Lock gate)
{
    private int _credit;
    private TaskCompletionSource _more = New();

    /// <summary>The receiver gave some, or took some back.</summary>
    public void Add(int change)
    {
        lock (gate)
        {
            _credit = Math.Max(0, _credit + change);
            _more.TrySetResult();
        }
    }

    /// <summary>One was sent.</summary>
    public void Take()
    {
        lock (gate) _credit--;
    }

    /// <summary>Something was settled: there may be room now.</summary>
    public void Settled()
    {
        lock (gate) _more.TrySetResult();
    }

    /// <summary>How many may be sent now; waits until it is at least one.</summary>
    /// <param name="room">That, with so much credit.</param>
    public async Task<int> Room(Func<int, int> room, CancellationToken closed)
    {
        while (true)
        {
            Task more;
            lock (gate)
            {
                if (room(_credit) is > 0 and var now) return now;
                if (_more.Task.IsCompleted) _more = New();
                more = _more.Task;
            }
            await more.WaitAsync(closed);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
