using System.Globalization;
using Cloud.Billing;
using Cloud.Metering;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit.Billing;

/// <summary>
/// Months that are closed by a process that dies at any commit, while events come twice, in any order, from clocks that differ, and some only after their month: what was closed
/// stays, and all invoices together are what is true. ./cloud soak --bills N runs it N times.
/// </summary>
public sealed class ClosingTests
{
    private static readonly string? s_asked = Environment.GetEnvironmentVariable("CS_BILLS");
    private static readonly int s_runs = int.TryParse(s_asked, CultureInfo.InvariantCulture, out var n) ? n : 400;
    private static readonly Month s_last = new(2030, 6);
    private static readonly string[] s_projects = ["p", "q"];

    private static readonly Gen<(Story Story, PriceBook[] Books, int Seed, int Death)> Cases = Gen.Select(Story.Some, Lives.Books, Gen.Int, Gen.Int[0, 12]);

    [Fact]
    public async Task Closed_invoices_never_change_and_with_their_corrections_are_the_truth()
    {
        var (difference, all, again, late, deaths, invoices) = (new Difference(), 0L, 0L, 0L, 0L, 0L);
        await Cases.SampleAsync(async x =>
        {
            var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Lives.Begin);
            using var bus = new MemoryBus(clock);
            var store = new MemoryStore(bus);
            var s = Composition.Services(store, bus, new NoBlobs(), clock, new TimeOrderedIds(clock), new Settings(), []);
            var random = new Random(x.Seed);
            await Books.Add(s, x.Books[0]);
            // Before a commit or after it, when what was written is there and nobody heard of it.
            store.OnCommit = _ => { if (random.Next((2 * x.Death) + 4) == 0) throw new Death(); };
            async Task Again(Func<Task> run)
            {
                while (true)
                    try { await run(); return; }
                    catch (Death) { deaths++; /* and it is done again */ }
                    catch (Platform.Rest.Fault f) when (f.Status == 409) { return; /* it was done before the death */ }
            }
            foreach (var book in x.Books.Skip(1)) await Again(() => Books.Add(s, book).AsTask());
            var (left, counted) = (x.Story.Lives.SelectMany(l => l).ToList(), x.Story.Traffic.ToList());
            var closed = new Dictionary<string, string>();
            for (var month = Lives.Months[0]; month <= s_last; month = month.Add(1))
            {
                // What happened in the month arrives in any order, and again; the late ones with the next month's.
                var now = left.Where(v => v.At < month.End && !(v.Late && v.At >= month.Begin)).ToList();
                var bytes = counted.Where(c => c.At < month.End && !(c.Quantity % 4 == 0 && c.At.Day > Story.Early && c.At >= month.Begin)).ToList();
                clock.SetUtcNow(month.End + Closing.Grace);
                List<Func<Task>> arriving = [.. now.Select(v => (Func<Task>)(() => Accounts.OnEvent(s, v.Event(), default))), .. bytes.Select(c => (Func<Task>)(() => Consumption.Add(s, c)))];
                (all, late) = (all + arriving.Count, late + now.Count(v => v.At < month.Begin) + bytes.Count(c => c.At < month.Begin));
                var twice = arriving.Where(_ => random.Next(2) == 0).ToList();
                again += twice.Count;
                foreach (var take in arriving.Concat(twice).OrderBy(_ => random.Next()).ToList()) await Again(take);
                left.RemoveAll(now.Contains);
                counted.RemoveAll(bytes.Contains);
                await Again(() => Closing.Run(s, default));
                await Again(() => Closing.Run(s, default));
                foreach (var project in s_projects)
                    foreach (var i in await Invoices.Of(store, project))
                    {
                        var items = (await Invoices.Items(store, project, Month.Parse(i.Month)!.Value))!;
                        var text = Csv.Of(i, items) + Html.Of(i, items, project) + View.Of(i, "", "");
                        if (!closed.TryAdd(i.Number!, text)) Assert.Equal(closed[i.Number!], text);
                    }
            }
            store.OnCommit = null;
            invoices += closed.Count;
            foreach (var project in s_projects)
            {
                var items = new List<LineItem>();
                foreach (var i in await Invoices.Of(store, project)) items.AddRange((await Invoices.Items(store, project, Month.Parse(i.Month)!.Value))!);
                var truth = new List<LineItem>();
                for (var m = Lives.Months[0]; m <= s_last; m = m.Add(1)) truth.AddRange(await Bills.Own(store, project, m, m.End));
                Assert.Equal(truth.Where(t => t.Used != 0).Select(t => $"{t.Id} {Money.Text(t.Used)} {Money.Text(t.Amount)}").Order(StringComparer.Ordinal),
                    items.GroupBy(i => i.Corrects ?? i.Id).Select(g => (g.Key, Used: g.Sum(i => i.Used), Amount: g.Sum(i => i.Amount))).Where(g => g.Used != 0 || g.Amount != 0).Select(g => $"{g.Key} {Money.Text(g.Used)} {Money.Text(g.Amount)}").Order(StringComparer.Ordinal));
                // And the truth is what was, priced.
                var (lives, amounts) = (x.Story.Truth(project), project == "p" ? x.Story.Traffic : []);
                difference.Add(lives, amounts, items, Lives.Months[0], s_last);
                Assert.Equal((0m, 0m), (difference.Unbilled, difference.Double));
                decimal cost = 0;
                for (var m = Lives.Months[0]; m <= s_last; m = m.Add(1)) cost += Model.Cost(m, x.Books, lives, amounts, m.End, project);
                Assert.InRange(items.Sum(i => i.Amount) - cost, -0.5e-10m * (truth.Count + 1), 0.5e-10m * (truth.Count + 1));
            }
            // Numbers have no holes, and nothing is left that belongs to no invoice.
            Assert.Equal(Enumerable.Range(1, closed.Count).Select(i => $"INV-{i:D6}"), closed.Keys.Order(StringComparer.Ordinal));
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
        }, iter: s_runs, threads: 1);
        if (s_asked is not null)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{s_runs:#,0} runs of six months: {all:#,0} events, {again:#,0} of them twice, {late:#,0} after their month was closed, {deaths:#,0} deaths; {invoices:#,0} invoices with {difference.Billed:#,0} s (times quantity) and {difference.Bytes:#,0} bytes: {difference.Unbilled:0.###} s unbilled, {difference.Double:0.###} s double"));
    }
}
