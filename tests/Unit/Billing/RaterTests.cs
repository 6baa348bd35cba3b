using Cloud.Billing;
using Cloud.Metering;
using Cloud.Platform.State;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit.Billing;

/// <summary>Bills are the integral of what was, priced: whatever happened, in whatever order it was heard, whenever prices changed.</summary>
public sealed class RaterTests
{
    private static readonly Gen<(Life[] Lives, Counted[] Traffic, PriceBook[] Books, int Seed)> Cases = Gen.Select(Lives.Some, Lives.Traffic, Lives.Books, Gen.Int);

    /// <summary>The ledger's entries after events in any order and more than once.</summary>
    private static List<Entry> Entries(Life[] lives, Random random)
    {
        var entries = new List<Entry>();
        foreach (var life in lives)
        {
            Account? account = null;
            var closed = new List<Interval>();
            foreach (var r in life.Readings.Concat(life.Readings.Where(_ => random.Next(3) == 0)).OrderBy(_ => random.Next()).ToArray())
            {
                (account, var more) = Ledger.Apply(account, r);
                closed.AddRange(more);
            }
            entries.AddRange(closed.Concat(Ledger.Pending(account!)).Select(i => new Entry($"{life.Resource}.{i.Meter}.{i.From.ToUnixTimeMilliseconds()}", "p", life.Resource, i)));
        }
        return entries;
    }

    [Fact]
    public void Items_add_up_to_what_was_priced_with_no_millisecond_unbilled_or_billed_twice() => Cases.Sample(x =>
    {
        var entries = Entries(x.Lives, new Random(x.Seed));
        foreach (var month in Lives.Months)
        {
            var items = Rater.Rate(x.Books, "p", month, entries, x.Traffic, month.End);
            var used = Model.Used(month, x.Books, x.Lives, x.Traffic, month.End);
            Assert.Equal(used.GroupBy(u => u.Key.Meter).Select(g => $"{g.Key} {Plain(g.Sum(u => u.Value) / (g.Key.StartsWith("floatingip-traffic", StringComparison.Ordinal) ? 1 : 1000))}").Order(StringComparer.Ordinal),
                items.GroupBy(i => i.Meter).Select(g => $"{g.Key} {Plain(g.Sum(i => i.Used))}").Order(StringComparer.Ordinal));
            Assert.All(items.Where(i => i.Price is not null), i => Assert.Equal(i.Used, i.Parts.Sum(p => p.Used)));
            Assert.All(items.Where(i => i.Price is null), i => Assert.True(i.Amount == 0 && (i.Meter.StartsWith("server-running.", StringComparison.Ordinal) || i.Meter == "floatingip-bound" || i.From < x.Books[0].ValidFrom)));
            // Each item is rounded once, by half of its last place at most.
            Assert.InRange(items.Sum(i => i.Amount) - Model.Cost(month, x.Books, x.Lives, x.Traffic, month.End), -items.Count * 0.500001e-10m, items.Count * 0.500001e-10m);
            Assert.Equal(items.Count, items.Select(i => i.Id).Distinct().Count());
            // A change of prices splits to the millisecond: no item reaches across one.
            Assert.All(items, i => Assert.DoesNotContain(x.Books, b => b.ValidFrom > i.From && b.ValidFrom < i.To));
        }
    }, iter: 10_000);

    [Fact]
    public void The_same_input_gives_the_same_bytes_in_any_order() => Cases.Sample(x =>
    {
        var (random, month) = (new Random(x.Seed), Lives.Months[1]);
        var entries = Entries(x.Lives, random);
        var again = Entries(x.Lives, new Random(x.Seed + 1));
        var first = Json.Write(Rater.Rate(x.Books, "p", month, entries, x.Traffic, month.End));
        var second = Json.Write(Rater.Rate(x.Books, "p", month, again.Concat(again).OrderBy(_ => random.Next()), x.Traffic.Concat(x.Traffic).OrderBy(_ => random.Next()), month.End));
        Assert.Equal(first, second);
    }, iter: 2_000);

    [Fact]
    public void Cutting_a_month_anywhere_changes_no_sum() => Gen.Select(Cases, Gen.Long[1, 28 * 86_400_000L]).Sample((x, at) =>
    {
        var (month, entries) = (Lives.Months[1], Entries(x.Lives, new Random(x.Seed)));
        var cut = month.Begin.AddMilliseconds(at);
        var (whole, parts) = (Rater.Rate(x.Books, "p", month, entries, x.Traffic, month.End), Rater.Rate(x.Books, "p", month, entries, x.Traffic, month.End, cut));
        Assert.Equal(whole.Sum(i => i.Used), parts.Sum(i => i.Used));
        Assert.InRange(whole.Sum(i => i.Amount) - parts.Sum(i => i.Amount), -(whole.Count + parts.Count) * 0.51e-10m, (whole.Count + parts.Count) * 0.51e-10m);
        // What came before the cut costs what it would have if the month had ended there.
        var early = Rater.Rate(x.Books, "p", month, entries, x.Traffic, cut);
        Assert.InRange(early.Sum(i => i.Amount) - parts.Where(i => i.From < cut).Sum(i => i.Amount), -(early.Count + parts.Count) * 0.51e-10m, (early.Count + parts.Count) * 0.51e-10m);
    }, iter: 2_000);

    [Fact]
    public void A_price_that_changes_within_an_interval_splits_it_to_the_millisecond()
    {
        var (month, at) = (new Month(2030, 1), new DateTimeOffset(2030, 1, 10, 0, 0, 0, 1, TimeSpan.Zero));
        PriceBook Of(DateTimeOffset from, decimal price) => new(from, "EUR", 2, [new("floatingip", "hour", 0, [new(0, null, price)])], []);
        var items = Rater.Rate([Of(month.Begin, 1), Of(at, 2)], "p", month, [new("i", "p", "floatingip|f", new("floatingip", 1, at.AddHours(-3), at.AddHours(1), "a", "b", true))], [], month.End);
        Assert.Equal([(3m, at.AddHours(-3), at, 10_800m), (2m, at, at.AddHours(1), 3_600m)], items.Select(i => (i.Amount, i.From, i.To, i.Used)));
    }

    [Fact]
    public void Free_quota_and_tiers_are_used_up_by_the_month_in_order_of_use()
    {
        var month = new Month(2030, 1);
        var book = new PriceBook(month.Begin, "EUR", 2, [new("server.*", "hour", 10, [new(0, 5, 2), new(5, null, 1)])], [new("p", "*", 50)]);
        Entry Of(string id, int from, int hours) => new(id, "p", "server|" + id, new("server.m1", 1, month.Begin.AddHours(from), month.Begin.AddHours(from + hours), "a", "b", true));
        var items = Rater.Rate([book], "p", month, [Of("second", 3, 20), Of("first", 2, 8)], [], month.End);
        Assert.Equal([("server|first", 0m), ("server|second", (5 * 2 + 13 * 1) / 2m)], items.Select(i => (i.Resource, i.Amount)));
        Assert.Equal([(7_200m, 0m, true), (18_000m, 2m, false), (46_800m, 1m, false)], items[1].Parts.Select(p => (p.Used, p.Price, p.Free)));
    }

    private static string Plain(decimal d) => Money.Text(d);
}
