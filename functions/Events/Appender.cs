using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Events;

/// <summary>Writes what arrives at the same time in one commit: all entries share the log's head, so one after the other would be slow.</summary>
internal sealed class Appender(Services s)
{
    // Three rows an event and one head for each project stay below the 100 operations of a group.
    private const int Most = 24;
    private static readonly ConditionalWeakTable<IEntityStore, Appender> All = [];

    private readonly Lock _gate = new();
    private readonly Queue<(Event Event, TaskCompletionSource Done)> _waiting = new();
    private bool _writing;

    public static Appender Of(Services services) => All.GetValue(services.Store, _ => new(services));

    /// <summary>Ends when the event is on disk.</summary>
    public Task Append(Event e)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Enqueue((e, done));
            if (_writing) return done.Task;
            _writing = true;
        }
        _ = Write();
        return done.Task;
    }

    [SuppressMessage("Design", "CA1031", Justification = "it goes to those who wait for the write")]
    private async Task Write()
    {
        while (true)
        {
            var batch = new List<(Event Event, TaskCompletionSource Done)>();
            lock (_gate)
            {
                while (batch.Count < Most && _waiting.TryDequeue(out var next)) batch.Add(next);
                if (batch.Count == 0) { _writing = false; return; }
            }
            try
            {
                await EventLog.Append(s.Store, [.. batch.Select(b => b.Event)], s.Now, Webhooks.Listeners.Of(s).Wakes);
                foreach (var log in batch.Select(b => EventLog.LogOf(b.Event)).Append("").Distinct()) Bell.Of(s).Ring(log);
                foreach (var (_, done) in batch) done.SetResult();
            }
            catch (Exception e)
            {
                foreach (var (_, done) in batch) done.SetException(e);
            }
        }
    }
}
