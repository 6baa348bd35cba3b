using Cloud.Billing;
using Cloud.Metering;

namespace Cloud.Tests.Unit.Billing;

/// <summary>What it must cost, computed in another way: the states are added up between all instants at which anything changes, and priced sum by sum.</summary>
public static class Model
{
    /// <summary>Quantity times milliseconds (or an amount) of each meter in each stretch between two changes of the price book.</summary>
    public static Dictionary<(DateTimeOffset Stretch, string Meter), decimal> Used(Month month, IReadOnlyList<PriceBook> books, IEnumerable<Life> lives, IEnumerable<Counted> amounts, DateTimeOffset until)
    {
        var sums = new Dictionary<(DateTimeOffset, string), decimal>();
        void Add(DateTimeOffset stretch, string meter, decimal amount)
        {
            if (amount > 0) sums[(stretch, meter)] = sums.GetValueOrDefault((stretch, meter)) + amount;
        }
        foreach (var (from, to) in Stretches(month, books, until))
        {
            foreach (var life in lives)
                for (var i = 0; i < life.Readings.Length; i++)
                    foreach (var g in life.Readings[i].Gauges)
                        Add(from, g.Meter, g.Quantity * Math.Max(0m, Math.Min(Ms(to), i + 1 < life.Readings.Length ? Ms(life.Readings[i + 1].At) : long.MaxValue) - Math.Max(Ms(from), Ms(life.Readings[i].At))));
            foreach (var a in amounts.Where(a => a.At >= from && a.At < to)) Add(from, a.Meter, a.Quantity);
        }
        return sums;
    }

    /// <summary>In the currency, exact to some twenty digits.</summary>
    public static decimal Cost(Month month, IReadOnlyList<PriceBook> books, IEnumerable<Life> lives, IEnumerable<Counted> amounts, DateTimeOffset until, string project = "p")
    {
        var (used, position, cost) = (Used(month, books, lives, amounts, until), new Dictionary<string, decimal>(), 0m);
        foreach (var (from, _) in Stretches(month, books, until))
        {
            var book = books.Last(b => b.ValidFrom <= from || b == books[0]);
            if (book.ValidFrom > from) continue;
            // By hand: what the patterns mean here.
            foreach (var (meter, amount) in used.Where(u => u.Key.Stretch == from).Select(u => (u.Key.Meter, u.Value)))
            {
                var name = meter == "server.c2.big" ? meter : meter.StartsWith("server.", StringComparison.Ordinal) ? "server.*" : meter.StartsWith("floatingip-traffic", StringComparison.Ordinal) ? "floatingip-traffic.*" : meter;
                if (book.Prices.FirstOrDefault(p => p.Meter == name) is not { } price) continue;
                var units = amount * (name == "volume.gib" ? 1L << 30 : 1) / price.Unit switch { "hour" => 3_600_000m, "second" => 1000m, "GB" => 1_000_000_000m, _ => 3_600_000m * (1L << 30) };
                var before = position.GetValueOrDefault(name);
                var off = project != "p" ? 0 : name == "volume.gib" ? 0.03m : book.Discounts[0].Percent / 100;
                cost += (Upto(price, before + units) - Upto(price, before)) * (1 - off);
                position[name] = before + units;
            }
        }
        return cost;
    }

    // What the month's first so many units cost.
    private static decimal Upto(Price price, decimal units)
    {
        var (left, cost) = (Math.Max(0, units - price.Free), 0m);
        foreach (var t in price.Tiers) cost += Math.Max(0, Math.Min(left, t.To ?? left) - t.From) * t.Price;
        return cost;
    }

    private static IEnumerable<(DateTimeOffset From, DateTimeOffset To)> Stretches(Month month, IReadOnlyList<PriceBook> books, DateTimeOffset until)
    {
        var end = until < month.End ? until : month.End;
        DateTimeOffset[] all = [month.Begin, .. books.Select(b => b.ValidFrom).Where(t => t > month.Begin && t < end), end];
        return all.Zip(all.Skip(1));
    }

    private static long Ms(DateTimeOffset t) => t.ToUnixTimeMilliseconds();
}
