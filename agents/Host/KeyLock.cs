namespace Cloud.Agents.Host;

/// <summary>One holder at a time per key. Keys nobody holds or waits for cost nothing.</summary>
public sealed class KeyLock
{
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);

    public async Task<IDisposable> Take(string key, CancellationToken ct)
    {
        Entry entry;
        lock (entries)
        {
            if (!entries.TryGetValue(key, out entry!))
                entries[key] = entry = new Entry();
            entry.Users++;
        }

        try
        {
            await entry.Gate.WaitAsync(ct);
        }
        catch
        {
            Leave(key, entry);
            throw;
        }

        return new Holder(this, key, entry);
    }

    private void Leave(string key, Entry entry)
    {
        lock (entries)
        {
            if (--entry.Users == 0)
                entries.Remove(key);
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);
        public int Users { get; set; }
    }

    private sealed class Holder(KeyLock owner, string key, Entry entry) : IDisposable
    {
        private bool released;

        public void Dispose()
        {
            if (released)
                return;
            released = true;
            entry.Gate.Release();
            owner.Leave(key, entry);
        }
    }
}
