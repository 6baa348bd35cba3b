using System.Globalization;
using Cloud.Billing;
using Cloud.Metering;
using Cloud.Platform.State;

namespace Cloud.Soak;

/// <summary>
/// The ledger and the bill beside what the clients themselves wrote down: nobody pays for a time before he asked or after his deletion was answered, and what is metered from its
/// creation to its deletion is paid for all that lies between. All processes are on one machine, so their clocks are one. Months are rated as invoices are.
/// </summary>
public sealed class Bill
{
    /// <summary>What counts as long as it exists, by kind; servers and volumes begin when they are ready.</summary>
    private static readonly Dictionary<string, (string Meter, bool FromCreation)> s_kinds = new() { ["server"] = ("server.", false), ["volume"] = ("volume.gib", false), ["floatingip"] = ("floatingip", true), ["router"] = ("router", true) };

    private readonly List<string> _problems = [];
    private int _intervals, _resources;
    private decimal _seconds, _amount;
    private long _unbilled, _double;

    public IReadOnlyList<string> Problems => _problems;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"the bill: {_intervals} intervals of {_resources} resources, {_seconds:0.000} s and {Money.Text(_amount)} EUR; {_unbilled / 1000m} s unbilled, {_double / 1000m} s double");

    public static async Task<Bill> Of(IEntityStore store, IEnumerable<Promise> promises, DateTimeOffset now)
    {
        var bill = new Bill();
        var (all, items) = (new List<Entry>(), new List<LineItem>());
        foreach (var project in await Facade.Projects(store))
        {
            var entries = (await Facade.Between(store, project, DateTimeOffset.UnixEpoch, now).ToListAsync()).DistinctBy(e => e.Id).ToList();
            all.AddRange(entries);
            if (entries.Count == 0) continue;
            for (var m = Month.Of(entries.Min(e => e.Interval.From)); m <= Month.Of(now); m = m.Add(1)) items.AddRange(await Bills.Own(store, project, m, now));
        }
        bill.Rated(all, items, now);
        var byResource = all.ToLookup(e => e.Resource);
        foreach (var promise in promises)
            if (s_kinds.TryGetValue(promise.Kind, out var how)) bill.Remembered(promise, how.FromCreation, [.. byResource[$"{promise.Kind}|{promise.Id}"].Where(e => how.Meter.EndsWith('.') ? e.Interval.Meter.StartsWith(how.Meter, StringComparison.Ordinal) : e.Interval.Meter == how.Meter).Select(e => e.Interval).OrderBy(i => i.From)], now);
        return bill;
    }

    /// <summary>Line items are the integral of the intervals, for each resource and meter.</summary>
    private void Rated(List<Entry> entries, List<LineItem> items, DateTimeOffset now)
    {
        (_intervals, _resources, _seconds, _amount) = (entries.Count, entries.Select(e => e.Resource).Distinct().Count(), entries.Sum(e => Facade.Milliseconds(e.Interval, DateTimeOffset.UnixEpoch, now)) / 1000m, items.Sum(i => i.Amount));
        var ought = entries.GroupBy(e => (e.Resource, e.Interval.Meter)).ToDictionary(g => g.Key, g => g.Sum(e => (decimal)e.Interval.Quantity * Facade.Milliseconds(e.Interval, DateTimeOffset.UnixEpoch, now)) / 1000m);
        var billed = items.Where(i => i.Told != "bytes").GroupBy(i => (i.Resource, i.Meter)).ToDictionary(g => g.Key, g => g.Sum(i => i.Used));
        foreach (var key in ought.Keys.Union(billed.Keys))
            if (billed.GetValueOrDefault(key) - ought.GetValueOrDefault(key) is var more and not 0)
                Wrong((long)(more * 1000), $"{key.Meter} of {key.Resource}: {billed.GetValueOrDefault(key)} on the bill, {ought.GetValueOrDefault(key)} in the ledger");
    }

    private void Remembered(Promise p, bool fromCreation, Interval[] lived, DateTimeOffset now)
    {
        string Name(string what) => $"{p.Kind} {p.Id} {what}";
        for (var i = 1; i < lived.Length; i++)
            if ((lived[i - 1].To ?? now) - lived[i].From is { Ticks: > 0 } twice) Wrong(Ms(twice), Name("is metered twice at the same time"));
        // Times of the ledger are cut to milliseconds: one that ends within the same one isn't earlier.
        if (lived.Length > 0 && p.Asked - lived[0].From is { TotalMilliseconds: > 1 } early) Wrong(Ms(early), Name("is metered before it was asked for"));
        if (lived.Length > 0 && p.Deleted && (lived[^1].To ?? now) - p.Ended is { TotalMilliseconds: > 1 } late) Wrong(Ms(late), Name("is metered after its deletion was answered"));
        if (!fromCreation) return;
        var (first, last) = (p.Answered, p.Ending ?? now);
        if (lived.Length == 0) { if (last > first) Wrong(-Ms(last - first), Name("was never metered")); return; }
        if (lived[0].From - first is { TotalMilliseconds: > 1 } missing) Wrong(-Ms(missing), Name("was there and not metered yet"));
        if (last - (lived[^1].To ?? now) is { TotalMilliseconds: > 1 } gone) Wrong(-Ms(gone), Name("was there and not metered any more"));
    }

    private void Wrong(long more, string what)
    {
        if (more > 0) _double += more;
        else _unbilled -= more;
        _problems.Add(what);
    }

    private static long Ms(TimeSpan time) => (long)Math.Ceiling(time.TotalMilliseconds);
}
