using System.Collections.Concurrent;

namespace Cloud.Agents.Host.Domains;

/// <summary>Wakes those who wait for something to happen to a domain. They look for themselves what it was.</summary>
public sealed class Changes
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> waiting = new(StringComparer.Ordinal);

    /// <summary>Completes with the next change. Take it before looking, so that none is missed.</summary>
    public Task Next(string domain) =>
        waiting.GetOrAdd(domain, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Announce(string domain)
    {
        if (waiting.TryRemove(domain, out var source))
            source.TrySetResult();
    }
}
