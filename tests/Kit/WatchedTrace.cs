using System.Collections.Concurrent;
using System.Diagnostics;
using Cloud.Agents.Contract;

namespace Cloud.Tests.Kit;

/// <summary>The spans of one trace in this process, as they end. Only that one's: other tests run beside.</summary>
internal sealed class WatchedTrace : IDisposable
{
    private readonly ActivityListener _listener;

    public ActivityTraceId Trace { get; } = ActivityTraceId.CreateRandom();
    public ConcurrentQueue<Activity> Spans { get; } = new();

    public WatchedTrace()
    {
        _listener = new()
        {
            ShouldListenTo = s => s.Name == Tracing.Source, ActivityStopped = Spans.Enqueue,
            Sample = (ref ActivityCreationOptions<ActivityContext> o) => o.Parent.TraceId == Trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();
}
