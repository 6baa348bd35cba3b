using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Events;
using Cloud.Platform.Hosting;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;
using Cloud.Platform.Tables;

namespace Cloud;

/// <summary>Every event source of the cloud, in one list. The embedded cloud runs it as it is; for Azure each line becomes a function.json.</summary>
public static class Triggers
{
    public static IReadOnlyList<Trigger> All(IReadOnlyList<Slice> slices) =>
    [
        .. slices.SelectMany(s => s.Roots.Prepend(s.Prefix)).Select(p => new HttpTrigger("http-" + p.Replace('.', '-'), p)),
        new QueueTrigger("queue-sagas", SagaMessage.Queue, 16, Sessions: true, (s, d, ct) => s.Sagas.Run(s, Json.Read<SagaMessage>(d.Message.Body), d.Attempt, ct)),
        new QueueTrigger("queue-saga-watch", Watchdog.Queue, 2, Sessions: false, Watchdog.Handle),
        new QueueTrigger("queue-replies", Names.Replies, 16, Sessions: false, Replies.Handle),
        new QueueTrigger("queue-events", CloudEvent.Queue, 64, Sessions: true, async (s, d, ct) =>
        {
            var e = Event.Read(d.Message.Body);
            foreach (var slice in s.Slices)
                if (slice.OnEvent is { } on) await on(s, e, ct);
        }),
        new QueueTrigger("queue-outbox", Outbox.Queue, 2, Sessions: false, (s, d, ct) => s.Store is TableStore tables ? tables.Outbox.Drain(d, ct) : Task.CompletedTask),
        .. slices.SelectMany(s => s.Queues),
        new TimerTrigger("timer-sweep", Sweeper.Every, Sweeper.Run), new TimerTrigger("timer-sagas", Watchdog.SweepEvery, Watchdog.Sweep),
        .. slices.SelectMany(s => s.Jobs.Select(j => new TimerTrigger($"timer-{s.Prefix}-{j.Name}", j.Every, j.Run))),
    ];
}
