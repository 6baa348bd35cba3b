using System.Text.Json;
using Cloud.Billing;
using Cloud.Metering;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit.Billing;

/// <summary>Months that are closed by a process that dies at any commit, while some events come only afterwards: what was closed stays, and all invoices together are what is true.</summary>
public sealed class ClosingTests
{
    private sealed record Volume(string Id, int Revision, DateTimeOffset At, int Size, bool Gone, bool Late)
    {
        public Event Event()
        {
            var state = new { CreatedAt = Lives.Begin, Status = Size > 0 ? "available" : "creating", Size, Doomed = false };
            return Platform.Events.Event.Read(JsonSerializer.SerializeToUtf8Bytes(new
            {
                id = $"{Id}.{Revision}", type = $"cloud.serverless.block-storage.volume.{(Gone ? "deleted" : "updated")}", subject = Id, time = At,
                data = new { project_id = Id[..1], revision = Revision, before = state, after = Gone ? null : state },
            }));
        }
    }

    private static readonly Gen<Volume[]> Life = Gen.Select(Gen.OneOfConst("pv", "pw", "qv"), Gen.Select(Gen.Int[0, 4], Gen.Long[0, 20 * TimeSpan.TicksPerDay], Gen.Int[0, 3]).Array[1, 5], Gen.Bool, (id, steps, ends) =>
    {
        var at = Lives.Begin;
        return (Volume[])[.. steps.Select((s, i) => new Volume(id, i + 1, at = at.AddTicks(s.Item2), s.Item1 * 5, ends && i == steps.Length - 1, s.Item3 == 0))];
    });

    private static readonly Gen<(Volume[][] Lives, PriceBook[] Books, int Seed, int Death)> Cases = Gen.Select(Life.Array[1, 3], Lives.Books, Gen.Int, Gen.Int[0, 12], (lives, books, seed, death) => (lives.DistinctBy(l => l[0].Id).ToArray(), books, seed, death));

    [Fact]
    public async Task Closed_invoices_never_change_and_with_their_corrections_are_the_truth() => await Cases.SampleAsync(async x =>
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Lives.Begin);
        using var bus = new MemoryBus(clock);
        var store = new MemoryStore(bus);
        var s = Composition.Services(store, bus, new Cloud.Platform.Blobs.FileBlobs("/nonexistent"), clock, new TimeOrderedIds(clock), new Settings(), []);
        var random = new Random(x.Seed);
        await Books.Add(s, x.Books[0]);
        store.OnCommit = _ => { if (random.Next(x.Death + 2) == 0) throw new Death(); };
        foreach (var book in x.Books.Skip(1)) await Again(() => Books.Add(s, book).AsTask());
        var left = x.Lives.SelectMany(l => l).ToList();
        var closed = new Dictionary<string, string>();
        for (var month = Lives.Months[0]; month <= new Month(2030, 6); month = month.Add(1))
        {
            // What happened in the month arrives in any order, and again; the late ones with the next month's.
            var now = left.Where(v => v.At < month.End && !(v.Late && v.At >= month.Begin)).ToList();
            foreach (var v in now.Concat(now.Where(_ => random.Next(2) == 0)).OrderBy(_ => random.Next())) await Again(() => Accounts.OnEvent(s, v.Event(), default));
            left.RemoveAll(now.Contains);
            clock.SetUtcNow(month.End + Closing.Grace);
            await Again(() => Closing.Run(s, default));
            await Again(() => Closing.Run(s, default));
            foreach (var project in new[] { "p", "q" })
                foreach (var i in await Invoices.Of(store, project))
                {
                    var text = Csv.Of(i, (await Invoices.Items(store, project, Month.Parse(i.Month)!.Value))!) + Html.Of(i, (await Invoices.Items(store, project, Month.Parse(i.Month)!.Value))!, project) + View.Of(i, "", "");
                    if (!closed.TryAdd(i.Number!, text)) Assert.Equal(closed[i.Number!], text);
                }
        }
        store.OnCommit = null;
        foreach (var project in new[] { "p", "q" })
        {
            var items = new List<LineItem>();
            foreach (var i in await Invoices.Of(store, project)) items.AddRange((await Invoices.Items(store, project, Month.Parse(i.Month)!.Value))!);
            var truth = new List<LineItem>();
            for (var m = Lives.Months[0]; m <= new Month(2030, 6); m = m.Add(1)) truth.AddRange(await Bills.Own(store, project, m, m.End));
            Assert.Equal(truth.Where(t => t.Used != 0).Select(t => $"{t.Id} {Money.Text(t.Used)} {Money.Text(t.Amount)}").Order(StringComparer.Ordinal),
                items.GroupBy(i => i.Corrects ?? i.Id).Select(g => (g.Key, Used: g.Sum(i => i.Used), Amount: g.Sum(i => i.Amount))).Where(g => g.Used != 0 || g.Amount != 0).Select(g => $"{g.Key} {Money.Text(g.Used)} {Money.Text(g.Amount)}").Order(StringComparer.Ordinal));
            // And the truth is what was, priced.
            var lives = x.Lives.Where(l => l[0].Id[..1] == project).Select(l => new Life("volume|" + l[0].Id, [.. l.Select(v => new Reading(v.Revision, v.At, "", v.Gone || v.Size == 0 ? [] : [new("volume.gib", v.Size)]))])).ToList();
            decimal cost = 0;
            for (var m = Lives.Months[0]; m <= new Month(2030, 6); m = m.Add(1)) cost += Model.Cost(m, x.Books, lives, [], m.End, project);
            Assert.InRange(items.Sum(i => i.Amount) - cost, -0.5e-10m * (truth.Count + 1), 0.5e-10m * (truth.Count + 1));
        }
        // Numbers have no holes, and nothing is left that belongs to no invoice.
        Assert.Equal(Enumerable.Range(1, closed.Count).Select(n => $"INV-{n:D6}"), closed.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(store.All.Count(r => r.Key.StartsWith("item|", StringComparison.Ordinal)), store.All.Where(r => r.Key.StartsWith("invoice|", StringComparison.Ordinal)).Sum(r => (Json.Read<Invoice>(r.Body).Items + 79) / 80));
        // Each was told of once in effect: one event id a number.
        var told = new HashSet<string>();
        while (await bus.Receive(CloudEvent.Queue, 100, TimeSpan.FromMinutes(1), TimeSpan.Zero) is { Count: > 0 } some)
            foreach (var d in some)
            {
                if (Event.Read(d.Message.Body) is { Type: "cloud.serverless.rating.invoice.closed" } e) told.Add(e.Subject);
                await bus.Complete(d);
            }
        Assert.Equal(closed.Keys.Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));
    }, iter: 1_000, threads: 1);

    private static async Task Again(Func<Task> run)
    {
        while (true)
            try { await run(); return; }
            catch (Death) { /* and it is done again */ }
            catch (Platform.Rest.Fault f) when (f.Status == 409) { return; /* it was done before the death */ }
    }
}
