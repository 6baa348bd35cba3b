using System.Text.Json;
using Cloud.Events;
using Cloud.Metering;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Tests.Kit;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit.Metering;

/// <summary>The stored ledger under repeats, any order and a process that dies at any commit, for several resources at once.</summary>
public sealed class AccountsTests
{
    private static readonly DateTimeOffset T0 = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Statuses = ["creating", "available", "in-use", "error"];

    private sealed record State(string Id, int Incarnation, int Revision, DateTimeOffset At, string Status, int Size, bool Gone)
    {
        public bool Counts => !Gone && Status is "available" or "in-use";

        public byte[] Event()
        {
            var state = new { CreatedAt = T0.AddDays(Incarnation), Status, Size, Doomed = false };
            return JsonSerializer.SerializeToUtf8Bytes(new
            {
                id = $"{Id}.{Incarnation}.{Revision}", type = $"cloud.serverless.block-storage.volume.{(Gone ? "deleted" : "updated")}", subject = Id, time = At,
                data = new { project_id = Id[..1], revision = Revision, before = state, after = Gone ? null : state },
            });
        }
    }

    private static readonly Gen<State[]> Life = Gen.Select(Gen.OneOfConst("av", "aw", "bv"), Gen.Int[0, 2],
        Gen.Select(Gen.OneOfConst(Statuses), Gen.Int[1, 3], Gen.Long[0, 36_000_000_000]).Array[1, 6], Gen.Bool, (id, incarnation, steps, ends) =>
        {
            var at = T0.AddDays(incarnation);
            return (State[])[.. steps.Select((s, i) => new State(id, incarnation, i + 1, at = at.AddTicks(s.Item3), s.Item1, s.Item2, ends && i == steps.Length - 1))];
        });

    private static readonly Gen<(State[][] Lives, int Seed, int Death)> Cases = Gen.Select(Life.Array[1, 4], Gen.Int, Gen.Int[0, 40],
        (lives, seed, death) => (lives.DistinctBy(l => (l[0].Id, l[0].Incarnation)).ToArray(), seed, death));

    [Fact]
    public async Task What_is_stored_is_the_integral_of_what_was() => await Cases.SampleAsync(async x =>
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(T0.AddDays(10));
        using var bus = new MemoryBus(clock);
        var store = new MemoryStore(bus);
        var services = Composition.Services(store, bus, new NoBlobs(), clock, new TimeOrderedIds(clock), new Settings(), []);
        var (random, deaths) = (new Random(x.Seed), 0);
        store.OnCommit = _ => { if (++deaths % (x.Death + 2) == 0) throw new Death(); };
        var all = x.Lives.SelectMany(l => l).ToArray();
        foreach (var e in all.Concat(all.Where(_ => random.Next(2) == 0)).OrderBy(_ => random.Next()))
            while (true)
                try { await Accounts.OnEvent(services, Event.Read(e.Event()), default); break; }
                catch (Death) { /* and it is delivered again */ }
        store.OnCommit = null;
        while (await bus.Receive(CloudEvent.Queue, 100, TimeSpan.FromMinutes(1), TimeSpan.Zero) is { Count: > 0 } some)
            foreach (var d in some)
            {
                await EventLog.Append(store, [Event.Read(d.Message.Body)], clock.GetUtcNow());
                await bus.Complete(d);
            }

        var until = T0.AddDays(9);
        foreach (var project in new[] { "a", "b" })
        {
            var model = x.Lives.Where(l => l[0].Id[..1] == project).SelectMany(l => l.Zip(l.Skip(1).Select(s => s.At).Append(until))).Where(p => p.First.Counts)
                .Sum(p => p.First.Size * (decimal)(p.Second.ToUnixTimeMilliseconds() - p.First.At.ToUnixTimeMilliseconds()));
            var entries = new List<Entry>();
            await foreach (var e in Accounts.Between(store, project, T0, until)) entries.Add(e);
            Assert.Equal(model / 1000m, Usage.Of(entries, T0, until).Sum(s => s.Amount));
            Assert.All(entries, e => Assert.True(e.Interval.Final));
            Assert.Equal(entries.Count, entries.DistinctBy(e => e.Id).Count());
            // Every end was told of, by one message or more of the same id.
            var told = (await EventLog.After(store, project, 0, 10_000)).Select(e => e.EventId);
            Assert.Equal(entries.Where(e => e.Interval.To is not null).Select(e => "interval:" + e.Id).Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));
        }
    }, iter: 2_000, threads: 1);
}
