using Cloud.Metering;
using Cloud.Platform.State;

namespace Cloud.Billing;

/// <summary>Puts together what a month's invoice holds: what was used in it, and what turned out since about the months that are closed.</summary>
public static class Bills
{
    /// <summary>So many closed months before one are looked at again.</summary>
    public const int LookBack = 12;

    /// <summary>What is known when: the ledger and the prices are read once.</summary>
    public sealed record Known(IReadOnlyList<PriceBook> Books, IReadOnlyList<Entry> Entries, IReadOnlyList<Counted> Amounts);

    public static async ValueTask<Known> Read(IEntityStore store, string project, DateTimeOffset from, DateTimeOffset to, CancellationToken ct = default) =>
        new(await Books.All(store, ct), await Facade.Between(store, project, from, to, ct).ToListAsync(ct), await Facade.CountedBetween(store, project, from, to, ct).ToListAsync(ct));

    /// <summary>A month's own items up to an instant, without corrections.</summary>
    public static async ValueTask<IReadOnlyList<LineItem>> Own(IEntityStore store, string project, Month month, DateTimeOffset until, CancellationToken ct = default)
    {
        var known = await Read(store, project, month.Begin, month.End, ct);
        return Rater.Rate(known.Books, project, month, known.Entries, known.Amounts, until);
    }

    /// <summary>Own items, then corrections in the order of what they correct.</summary>
    public static async ValueTask<IReadOnlyList<LineItem>> Compose(IEntityStore store, string project, Month month, DateTimeOffset until, CancellationToken ct = default)
    {
        var first = await Closing.First(store, ct) is { } begun && begun > month.Add(-LookBack) ? begun : month.Add(-LookBack);
        var closed = await Closing.Through(store, ct) is { } through ? (through < month ? through : month.Add(-1)) : first.Add(-1);
        if (closed < first) return await Own(store, project, month, until, ct);
        var known = await Read(store, project, first.Begin, month.End, ct);
        var items = Rater.Rate(known.Books, project, month, known.Entries, known.Amounts, until).ToList();
        var billed = new Dictionary<string, LineItem>();
        for (var m = first; m < month; m = m.Add(1))
            foreach (var item in await Invoices.Items(store, project, m, ct) ?? [])
                billed[item.Corrects ?? item.Id] = billed.TryGetValue(item.Corrects ?? item.Id, out var so) ? so with { Used = so.Used + item.Used, Amount = so.Amount + item.Amount } : item;
        for (var m = first; m <= closed; m = m.Add(1)) items.AddRange(Corrections(month, Rater.Rate(known.Books, project, m, known.Entries, known.Amounts, m.End), billed, m));
        return items;
    }

    /// <summary>What has to be added to what was billed so that it is what is true now. A pure function.</summary>
    public static IReadOnlyList<LineItem> Corrections(Month on, IReadOnlyList<LineItem> truth, IReadOnlyDictionary<string, LineItem> billed, Month of)
    {
        var now = truth.ToDictionary(t => t.Id);
        var corrections = new List<LineItem>();
        foreach (var id in now.Keys.Concat(billed.Where(b => b.Key.StartsWith(of.Name + "-", StringComparison.Ordinal)).Select(b => b.Key)).Distinct().Order(StringComparer.Ordinal))
        {
            var (was, ought) = (billed.GetValueOrDefault(id), now.GetValueOrDefault(id));
            var (used, amount) = ((ought?.Used ?? 0) - (was?.Used ?? 0), (ought?.Amount ?? 0) - (was?.Amount ?? 0));
            if (used != 0 || amount != 0) corrections.Add((ought ?? was)! with { Id = $"{on.Name}-corrects-{id}", Month = on.Name, Corrects = id, Used = used, Amount = amount, Parts = [] });
        }
        return corrections;
    }
}
