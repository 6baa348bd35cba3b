using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Events;

/// <summary>Wakes readers of this process when their log grows. They look at the store when they are woken or give up waiting, not in between.</summary>
internal sealed class Bell
{
    private const int MostOfOne = 100, Most = 10_000;
    private static readonly ConditionalWeakTable<IEntityStore, Bell> All = [];

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _logs = [];
    private readonly Dictionary<string, int> _waiting = [];
    private int _all;

    public static Bell Of(Services s) => All.GetOrCreateValue(s.Store);

    /// <summary>Ends with the log's next entry. To be asked for before the log is read, so that nothing falls between.</summary>
    public Task Next(string log) => _logs.GetOrAdd(log, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Ring(string log)
    {
        if (_logs.TryRemove(log, out var waiting)) waiting.TrySetResult();
    }

    /// <summary>A place to wait; null when the project has too many already.</summary>
    public IDisposable? Place(string project)
    {
        lock (_waiting)
        {
            var of = _waiting.GetValueOrDefault(project);
            if (of >= MostOfOne || _all >= Most) return null;
            (_waiting[project], _all) = (of + 1, _all + 1);
        }
        return new Seat(this, project);
    }

    private sealed class Seat(Bell bell, string project) : IDisposable
    {
        private int _free;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _free, 1) != 0) return;
            lock (bell._waiting)
            {
                bell._all--;
                if (--bell._waiting[project] == 0) bell._waiting.Remove(project);
            }
        }
    }
}
