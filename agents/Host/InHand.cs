namespace Cloud.Agents.Host;

/// <summary>Keys that commands are at work on.</summary>
public sealed class InHand
{
    private readonly Lock gate = new();
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private readonly List<HashSet<string>> watchers = [];

    /// <summary>Ends with the result. Commands for one key don't overlap.</summary>
    public IDisposable Begin(string key)
    {
        lock (gate)
        {
            keys.Add(key);
            foreach (var seen in watchers)
                seen.Add(key);
        }

        return new End(() => keys.Remove(key), gate);
    }

    /// <summary>Remembers what is in hand now, and what comes into hand until it is disposed.</summary>
    public Watched Watch()
    {
        lock (gate)
        {
            var seen = new HashSet<string>(keys, StringComparer.Ordinal);
            watchers.Add(seen);
            return new Watched(key => { lock (gate) return seen.Contains(key); }, new End(() => watchers.Remove(seen), gate));
        }
    }

    public sealed class Watched(Func<string, bool> touched, IDisposable end) : IDisposable
    {
        public bool Touched(string key) => touched(key);

        public void Dispose() => end.Dispose();
    }

    private sealed class End(Action act, Lock gate) : IDisposable
    {
        public void Dispose()
        {
            lock (gate)
                act();
        }
    }
}
