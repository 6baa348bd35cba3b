using Cloud.Metering;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit.Metering;

/// <summary>Whatever happens to a resource and however its events arrive, the ledger's intervals are the integral of what it was.</summary>
public sealed class LedgerTests
{
    private static readonly DateTimeOffset T0 = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<Gauge[]> State = Gen.Select(Gen.Int[0, 3], Gen.Bool, Gen.Bool, (size, running, bound) =>
        (Gauge[])[.. size > 0 ? [new Gauge("volume.gib", size * 10)] : Array.Empty<Gauge>(), .. running ? [new("server-running.m1", 1)] : Array.Empty<Gauge>(), .. bound ? [new("floatingip-bound", 1)] : Array.Empty<Gauge>()]);

    /// <summary>A life: states with the ticks between them (some none at all, some below a millisecond), and whether it ends.</summary>
    private static readonly Gen<(Reading[] Life, int Seed)> Lives = Gen.Select(
        Gen.Select(State, Gen.OneOf(Gen.Const(0L), Gen.Long[0, 20_000], Gen.Long[0, 50_000_000_000])).Array[1, 12], Gen.Bool, Gen.Int, (steps, ends, seed) =>
        {
            var (at, life) = (T0, new List<Reading>());
            foreach (var (state, pause) in steps)
                life.Add(new(life.Count + 1, at = at.AddTicks(pause), $"e{life.Count + 1}", state));
            if (ends) life[^1] = life[^1] with { Last = true, Gauges = [] };
            return (life.ToArray(), seed);
        });

    /// <summary>The model: quantity times milliseconds of each meter, added up state by state.</summary>
    private static Dictionary<string, long> Integral(Reading[] life, DateTimeOffset until)
    {
        var sum = new Dictionary<string, long>();
        for (var i = 0; i < life.Length; i++)
            foreach (var g in life[i].Gauges)
                sum[g.Meter] = sum.GetValueOrDefault(g.Meter) + g.Quantity * ((i + 1 < life.Length ? life[i + 1].At : until).ToUnixTimeMilliseconds() - life[i].At.ToUnixTimeMilliseconds());
        return sum.Where(s => s.Value > 0).ToDictionary();
    }

    private static Dictionary<string, long> Sums(IEnumerable<Interval> intervals, DateTimeOffset until) =>
        intervals.GroupBy(i => i.Meter).ToDictionary(g => g.Key, g => g.Sum(i => i.Quantity * Usage.Milliseconds(i, T0, until))).Where(s => s.Value > 0).ToDictionary();

    private static (Account Account, List<Interval> Closed) Run(IEnumerable<Reading> readings)
    {
        var (account, closed) = ((Account?)null, new List<Interval>());
        foreach (var r in readings)
        {
            (account, var more) = Ledger.Apply(account, r);
            closed.AddRange(more);
        }
        return (account!, closed);
    }

    [Fact]
    public void Intervals_add_up_to_what_was_with_repeats_and_in_any_order() => Lives.Sample(x =>
    {
        var until = x.Life[^1].At.AddHours(1);
        var random = new Random(x.Seed);
        var arriving = x.Life.Concat(x.Life.Where(_ => random.Next(3) == 0)).OrderBy(_ => random.Next()).ToArray();
        var (account, closed) = Run(arriving);
        var all = closed.Concat(Ledger.Pending(account)).ToList();
        Assert.Equal(Integral(x.Life, until), Sums(all, until));
        Assert.All(all, i => Assert.True(i.Final && (i.To is null || i.To > i.From) && i.From.Ticks % TimeSpan.TicksPerMillisecond == 0));
        foreach (var meter in all.GroupBy(i => i.Meter))
            foreach (var (a, b) in meter.OrderBy(i => i.From).Zip(meter.OrderBy(i => i.From).Skip(1))) Assert.True(a.To <= b.From, $"{meter.Key} overlaps");
        Assert.Equal(Run(x.Life).Closed.Order(Comparer<Interval>.Create(ByText)), closed.Order(Comparer<Interval>.Create(ByText)));
    }, iter: 10_000);

    [Fact]
    public void What_is_closed_never_changes_and_what_waits_is_marked() => Lives.Sample(x =>
    {
        var random = new Random(x.Seed);
        var (account, closed, until) = ((Account?)null, new List<Interval>(), x.Life[^1].At.AddHours(1));
        var seen = new List<Reading>();
        foreach (var r in x.Life.OrderBy(_ => random.Next()))
        {
            (account, var more) = Ledger.Apply(account, r);
            closed.AddRange(more);
            seen.Add(r);
            // The best that can be said now is the integral of what is known.
            var known = seen.OrderBy(s => s.Revision).ToArray();
            Assert.Equal(Integral(known, until), Sums(closed.Concat(Ledger.Pending(account)), until));
            if (account.Ahead.Length > 0) Assert.All(Ledger.Pending(account), i => Assert.False(i.Final));
        }
        Assert.Equal(closed.Count, closed.Select(c => (c.Meter, c.From)).Distinct().Count());
    }, iter: 3_000);

    [Fact]
    public void A_clock_that_steps_back_makes_no_negative_time_and_no_time_twice()
    {
        Gauge[] on = [new("floatingip", 1)];
        var (account, closed) = Run([new(1, T0, "a", on), new(2, T0.AddSeconds(10), "b", []), new(3, T0.AddSeconds(4), "c", on), new(4, T0.AddSeconds(20), "d", []), new(5, T0.AddSeconds(7), "e", on)]);
        Assert.Equal([(0d, 10d), (10d, 20d)], closed.Select(i => ((i.From - T0).TotalSeconds, (i.To!.Value - T0).TotalSeconds)));
        Assert.Equal(T0.AddSeconds(20), Assert.Single(account.Open).From);
    }

    [Fact]
    public void One_reading_that_never_comes_doesnt_hold_up_the_rest()
    {
        Gauge[] on = [new("floatingip", 1)];
        var readings = Enumerable.Range(3, Ledger.MostAhead + 1).Select(n => new Reading(n, T0.AddMinutes(n), $"e{n}", on)).Prepend(new Reading(1, T0, "e1", on));
        var (account, closed) = Run(readings);
        Assert.Empty(account.Ahead);
        Assert.Empty(closed);
        Assert.Equal(T0, Assert.Single(account.Open).From);
        Assert.Equal(account, Ledger.Apply(account, new(2, T0.AddMinutes(2), "e2", [])).Account);
    }

    [Fact]
    public void Nothing_opens_after_the_end()
    {
        Gauge[] on = [new("floatingip", 1)];
        var (account, closed) = Run([new(1, T0, "a", on), new(2, T0.AddSeconds(3), "b", [], Last: true), new(1, T0, "a", on), new(2, T0.AddSeconds(3), "b", [], Last: true), new(3, T0.AddSeconds(4), "c", on)]);
        Assert.True(account.Ended);
        Assert.Equal(3000, Usage.Milliseconds(Assert.Single(closed), T0, T0.AddHours(1)));
    }

    private static int ByText(Interval a, Interval b) => string.CompareOrdinal(a.ToString(), b.ToString());
}
