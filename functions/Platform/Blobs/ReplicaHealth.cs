using System.Collections.Concurrent;

namespace Cloud.Platform.Blobs;

/// <summary>What was found wrong with replicas since the start, and which blobs are to be looked at first.</summary>
public sealed class ReplicaHealth
{
    private readonly ConcurrentDictionary<string, bool> _suspects = new();
    private long _missing, _corrupt, _repaired, _lost, _failed;

    public long Missing => Volatile.Read(ref _missing);
    public long Corrupt => Volatile.Read(ref _corrupt);
    public long CopiesRepaired => Volatile.Read(ref _repaired);
    /// <summary>Blobs of which no good copy was found, as often as they were looked for.</summary>
    public long Lost => Volatile.Read(ref _lost);
    /// <summary>Operations that a replica refused.</summary>
    public long Failures => Volatile.Read(ref _failed);

    public IReadOnlyCollection<string> TakeSuspects()
    {
        var all = _suspects.Keys.ToArray();
        foreach (var s in all) _suspects.TryRemove(s, out _);
        return all;
    }

    internal void Suspect(string blob) => _suspects[blob] = true;
    internal void Found(bool corrupt) => Interlocked.Increment(ref corrupt ? ref _corrupt : ref _missing);
    internal void FoundLost() => Interlocked.Increment(ref _lost);
    internal void Repaired() => Interlocked.Increment(ref _repaired);
    internal void Failed() => Interlocked.Increment(ref _failed);
}
