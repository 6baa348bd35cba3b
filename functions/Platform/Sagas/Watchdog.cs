using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Sagas;

/// <summary>One delayed message per saga that looks after it until it has ended, so that no lost message or silent host can strand it.</summary>
public static class Watchdog
{
    public const string Queue = "saga-watch";
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(5);

    public static Message First(Services s, SagaMessage saga) => Next(s, saga, 0);

    public static async Task Handle(Services s, Delivery d, CancellationToken ct)
    {
        var saga = Json.Read<SagaMessage>(d.Message.Body);
        if (await s.Store.Get(saga.Partition, SagaRow.KeyOf(saga.Saga), ct) is null) return;
        var n = int.Parse(d.Message.Id[(d.Message.Id.LastIndexOf('.') + 1)..], System.Globalization.CultureInfo.InvariantCulture) + 1;
        await s.Bus.Send([(saga with { Resend = true }).ToBus($"{saga.Saga}.quiet.{n}"), Next(s, saga, n)], ct);
    }

    /// <summary>Wakes every saga that is old enough to have had a watchdog: should its messages be lost or given up, it goes on all the same.</summary>
    public static async Task Sweep(Services s, CancellationToken ct)
    {
        var (from, to) = Keys.Range(SagaRow.KeyOf(""));
        await foreach (var row in s.Store.Scan(from, to, ct))
            if (Json.Read<SagaRow>(row.Body) is var saga && s.Now - saga.Started > Every * 3)
                await s.Bus.Send([(new SagaMessage(row.Partition, saga.Id, saga.Key, saga.Name) { Resend = true }).ToBus($"{saga.Id}.swept")], ct);
    }

    private static Message Next(Services s, SagaMessage saga, int n) => new(Queue, $"{saga.Saga}.watch.{n}", Json.Write(saga), NotBefore: s.Now + Every);
}
