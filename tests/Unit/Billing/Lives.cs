using Cloud.Billing;
using Cloud.Metering;
using CsCheck;

namespace Cloud.Tests.Unit.Billing;

/// <summary>One resource from its first event on: what counts after each, and when.</summary>
public sealed record Life(string Resource, Reading[] Readings);

/// <summary>Random lives of servers that are resized, volumes that grow, floating IPs that move, over the borders of months, with price books that change meanwhile.</summary>
public static class Lives
{
    public static readonly DateTimeOffset Begin = new(2030, 1, 20, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset End = new(2030, 4, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly Month[] Months = [new(2030, 1), new(2030, 2), new(2030, 3)];

    private static readonly Gen<Gauge[]> Server = Gen.Select(Gen.OneOfConst("m1.tiny", "m1.small", "c2.big"), Gen.Int[0, 3], (flavor, state) => (Gauge[])(state switch { 0 => [], 1 => [new("server." + flavor, 1)], _ => [new("server." + flavor, 1), new("server-running." + flavor, 1)] }));
    private static readonly Gen<Gauge[]> Volume = Gen.Int[0, 3].Select(n => (Gauge[])(n == 0 ? [] : [new("volume.gib", n * 7)]));
    private static readonly Gen<Gauge[]> Image = Gen.Long[0, 3].Select(n => (Gauge[])(n == 0 ? [] : [new("image.bytes", n * 123_456_789)]));
    private static readonly Gen<Gauge[]> Address = Gen.Bool.Select(bound => (Gauge[])[new("floatingip", 1), new(bound ? "floatingip-bound" : "floatingip-idle", 1)]);

    private static Gen<Life> Of(string kind, Gen<Gauge[]> state) => Gen.Select(Gen.Int[1, 4], Gen.Long[0, 40 * TimeSpan.TicksPerDay], Gen.Select(state, Gen.OneOf(Gen.Const(0L), Gen.Long[0, 20_000], Gen.Long[0, 30 * TimeSpan.TicksPerDay])).Array[1, 6], Gen.Bool, (n, birth, steps, ends) =>
    {
        var (at, readings) = (Begin.AddTicks(birth), new List<Reading>());
        foreach (var (gauges, pause) in steps) readings.Add(new(readings.Count + 1, at = at.AddTicks(pause), $"{kind}{n}.{readings.Count + 1}", gauges));
        if (ends) readings[^1] = readings[^1] with { Last = true, Gauges = [] };
        return new Life($"{kind}|{kind}{n}", [.. readings]);
    });

    public static readonly Gen<Life[]> Some = Gen.OneOf(Of("server", Server), Of("volume", Volume), Of("image", Image), Of("floatingip", Address)).Array[1, 6].Select(lives => lives.DistinctBy(l => l.Resource).ToArray());

    public static readonly Gen<Counted[]> Traffic = Gen.Select(Gen.Long[1, 40_000_000_000], Gen.Long[0, (End - Begin).Ticks - 1], Gen.Bool, (bytes, at, into) => (bytes, at, into)).Array[0, 4]
        .Select(all => all.Select((x, i) => new Counted("a" + i, "p", "floatingip|floatingip1", x.into ? "floatingip-traffic.in" : "floatingip-traffic.out", x.bytes, DateTimeOffset.FromUnixTimeMilliseconds(Begin.AddTicks(x.at).ToUnixTimeMilliseconds()))).ToArray());

    private static readonly Gen<decimal> Money = Gen.Long[0, 1_000_000_000].Select(n => n / 1_000_000m);

    private static Gen<Price> PriceOf(string meter, string unit) => Gen.Select(Gen.OneOf(Gen.Const(0), Gen.Int[0, 900]), Gen.Int[1, 300].Array[0, 2], Money.Array[3], (free, steps, money) =>
    {
        var (tiers, from) = (new List<Tier>(), 0m);
        foreach (var step in steps) tiers.Add(new(from, from += step, money[tiers.Count]));
        return new Price(meter, unit, free, [.. tiers, new(from, null, money[tiers.Count])]);
    });

    private static readonly Gen<Price[]> Prices = Gen.Select(PriceOf("server.*", "hour"), PriceOf("server.c2.big", "second"), PriceOf("volume.gib", "GiB-hour"), PriceOf("image.bytes", "GiB-hour"), PriceOf("floatingip", "hour"), PriceOf("floatingip-idle", "hour"), PriceOf("floatingip-traffic.*", "GB"),
        (a, b, c, d, e, f, g) => (Price[])[a, b, c, d, e, f, g]);

    /// <summary>The first from the beginning on or later; running servers have no price at all.</summary>
    public static readonly Gen<PriceBook[]> Books = Gen.Select(Gen.Long[0, (End - Begin).Ticks], Prices, Gen.OneOfConst(0m, 12.5m, 100m)).Array[1, 3].Select(versions => versions
        .Select((v, i) => new PriceBook(i == 0 ? Begin.AddDays(-1) : DateTimeOffset.FromUnixTimeMilliseconds(Begin.AddTicks(v.Item1).ToUnixTimeMilliseconds()), "EUR", 2, v.Item2, [new("p", "*", v.Item3), new("p", "volume.gib", 3)]))
        .DistinctBy(b => b.ValidFrom).OrderBy(b => b.ValidFrom).ToArray());
}
