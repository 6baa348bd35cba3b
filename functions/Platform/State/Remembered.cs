namespace Cloud.Platform.State;

/// <summary>Something that was read a moment ago and is good for a while: what other processes change meanwhile is seen when that has passed.</summary>
public sealed class Remembered<T>(TimeProvider clock, TimeSpan life, Func<ValueTask<T>> read)
{
    private sealed record Answer(T Value, DateTimeOffset Until);

    private Answer _last = new(default!, DateTimeOffset.MinValue);

    public async ValueTask<T> Get()
    {
        var (last, now) = (_last, clock.GetUtcNow());
        if (last.Until > now) return last.Value;
        var fresh = new Answer(await read(), now + life);
        // Unless it was to be forgotten while it was read.
        Interlocked.CompareExchange(ref _last, fresh, last);
        return fresh.Value;
    }

    public void Forget() => _last = new(default!, DateTimeOffset.MinValue);
}
