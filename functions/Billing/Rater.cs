using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Cloud.Metering;

namespace Cloud.Billing;

/// <summary>
/// From the ledger and the price book to what it costs. A pure function: the same input gives the same items, byte for byte, in whatever order it comes.
/// A month is cut where a version of the book begins (and where the caller wants it cut); each item lies between two cuts. Free quota and tiers are used up
/// by a project's month, cut after cut and within one in order of first use, by all that one price is for.
/// </summary>
public static class Rater
{
    private sealed class Use
    {
        public BigInteger Base;
        public long From = long.MaxValue, To = long.MinValue;

        public void Add(BigInteger amount, long from, long to)
        {
            Base += amount;
            (From, To) = (Math.Min(From, from), Math.Max(To, to));
        }
    }

    /// <param name="until">Up to when: the month's end, or now.</param>
    /// <param name="cuts">More instants no item may reach across.</param>
    public static IReadOnlyList<LineItem> Rate(IReadOnlyList<PriceBook> books, string project, Month month, IEnumerable<Entry> entries, IEnumerable<Counted> amounts, DateTimeOffset until, params IReadOnlyList<DateTimeOffset> cuts)
    {
        var (begin, end) = (month.Begin.ToUnixTimeMilliseconds(), Math.Min(month.End.ToUnixTimeMilliseconds(), until.ToUnixTimeMilliseconds()));
        long[] starts = [.. books.Select(b => b.ValidFrom).Concat(cuts).Select(c => c.ToUnixTimeMilliseconds()).Where(c => c > begin && c < end).Append(begin).Distinct().Order()];
        var uses = new Dictionary<(string Resource, string Meter), Use>[starts.Length];
        for (var i = 0; i < uses.Length; i++) uses[i] = [];
        Use Of(int cut, string resource, string meter) => System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(uses[cut], (resource, meter), out _) ??= new();

        foreach (var e in Once(entries))
        {
            var (from, to) = (Math.Max(e.Interval.From.ToUnixTimeMilliseconds(), begin), Math.Min(e.Interval.To?.ToUnixTimeMilliseconds() ?? end, end));
            for (var i = 0; i < starts.Length && from < to; i++)
            {
                var (first, last) = (Math.Max(from, starts[i]), Math.Min(to, i + 1 < starts.Length ? starts[i + 1] : end));
                if (first < last) Of(i, e.Resource, e.Interval.Meter).Add((BigInteger)e.Interval.Quantity * (last - first), first, last);
            }
        }
        foreach (var a in amounts.DistinctBy(a => a.Id))
            if (a.At.ToUnixTimeMilliseconds() is var at && at >= begin && at < end && Array.FindLastIndex(starts, s => s <= at) is var cut) Of(cut, a.Resource, a.Meter).Add(a.Quantity, at, at + 1);

        var (items, positions) = (new List<LineItem>(), new Dictionary<string, BigInteger>());
        for (var i = 0; i < starts.Length; i++)
        {
            var book = Books.At(books, DateTimeOffset.FromUnixTimeMilliseconds(starts[i]));
            foreach (var ((resource, meter), use) in uses[i].OrderBy(u => u.Value.From).ThenBy(u => u.Key.Resource, StringComparer.Ordinal).ThenBy(u => u.Key.Meter, StringComparer.Ordinal))
                items.Add(Item(book, project, month, resource, meter, starts[i], use, positions));
        }
        return items;
    }

    /// <summary>One that ends while the ledger is read may come both ways: how it ended is what counts.</summary>
    private static IEnumerable<Entry> Once(IEnumerable<Entry> entries)
    {
        var known = new Dictionary<string, Entry>();
        foreach (var e in entries)
            if (!known.TryGetValue(e.Id, out var other) || (other.Interval.To is null && e.Interval.To is not null) || (!other.Interval.Final && e.Interval.Final)) known[e.Id] = e;
        return known.Values;
    }

    private static LineItem Item(PriceBook? book, string project, Month month, string resource, string meter, long cut, Use use, Dictionary<string, BigInteger> positions)
    {
        var told = Facade.UnitOf(meter) ?? "seconds";
        var (kind, factor) = Unit.Of(told);
        var (price, amount) = (book?.For(meter), use.Base * factor);
        var bare = new LineItem(IdOf(project, month, resource, meter, cut), month.Name, resource, meter, null, null, null, Time(use.From), Time(use.To), Told(amount), told, [], 0, 0);
        if (price is null || Unit.Named(price.Unit) is not { } unit || unit.Base != kind) return bare;
        var position = positions.GetValueOrDefault(price.Meter);
        var shares = Split(price, unit, position, amount);
        positions[price.Meter] = position + amount;
        var (sum, percent) = (shares.Aggregate(BigInteger.Zero, (s, x) => s + x.Base * Money.Scaled(x.Price)), book!.DiscountOf(project, meter));
        return bare with
        {
            Price = price.Meter,
            Book = book.ValidFrom,
            Unit = unit.Name,
            Discount = percent / 100m,
            Amount = Money.Amount(sum, unit.Divisor, percent),
            Parts = [.. shares.Select(x => new Part(Told(x.Base), x.Price, x.Free))],
        };

        decimal Told(BigInteger amount) => kind == "bytes" ? (decimal)amount : (decimal)(amount / factor) / 1000m;
    }

    /// <summary>Where an amount lies on the price's steps when so much was used before it in the month.</summary>
    private static List<(BigInteger Base, decimal Price, bool Free)> Split(Price price, Unit unit, BigInteger position, BigInteger amount)
    {
        var shares = new List<(BigInteger, decimal, bool)>();
        BigInteger free = Base(price.Free, unit), end = position + amount;
        void Take(BigInteger from, BigInteger? to, decimal each, bool isFree)
        {
            var share = BigInteger.Min(to ?? end, end) - BigInteger.Max(from, position);
            if (share > 0) shares.Add((share, each, isFree));
        }
        Take(0, free, 0, true);
        foreach (var t in price.Tiers) Take(free + Base(t.From, unit), t.To is { } to ? free + Base(to, unit) : null, t.Price, false);
        return shares;
    }

    /// <summary>What so many units cost a project that has used none this month.</summary>
    public static decimal Quote(Price price, decimal units)
    {
        var unit = Unit.Named(price.Unit)!;
        return Money.Amount(Split(price, unit, 0, Base(units, unit)).Aggregate(BigInteger.Zero, (s, x) => s + x.Base * Money.Scaled(x.Price)), unit.Divisor, 0);
    }

    private static BigInteger Base(decimal units, Unit unit) => (BigInteger)decimal.Truncate(units) * unit.Divisor + (BigInteger)(units % 1 * unit.Divisor);

    private static string IdOf(string project, Month month, string resource, string meter, long cut) =>
        $"{month.Name}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{project}\n{resource}\n{meter}\n{cut}")).AsSpan(0, 10))}";

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
