namespace Cloud.Billing;

/// <summary>A line to read: all that one price was for.</summary>
/// <param name="Price">The meter or pattern of the price; the meter itself where it has none.</param>
/// <param name="Corrects">The month that it sets right; null for the invoice's own.</param>
public sealed record Line(string Price, string? Unit, string? Corrects, decimal Used, string Told, int Resources, decimal Amount);

/// <summary>What a project is to pay for a month, without its items.</summary>
/// <param name="Number">Given when it is closed, one after the other in the whole cloud; null for a draft.</param>
/// <param name="Until">Up to when it counts: the month's end once that has passed.</param>
/// <param name="Sum">Of the items; <paramref name="Total"/> is that in the currency's places.</param>
/// <param name="Hash">SHA-256 of the items as they are stored.</param>
public sealed record Invoice(string? Number, string Project, string Month, string Currency, int Places, DateTimeOffset Until, DateTimeOffset? ClosedAt, decimal Sum, decimal Total, int Items, string Hash, Line[] Lines)
{
    public bool Closed => Number is not null;

    public static Line[] LinesOf(IReadOnlyList<LineItem> items) =>
    [
        .. items.GroupBy(i => (Corrects: i.Corrects?[..7], Price: i.Price ?? i.Meter, i.Unit, i.Told)).OrderBy(g => g.Key.Corrects, StringComparer.Ordinal).ThenBy(g => g.Key.Price, StringComparer.Ordinal).ThenBy(g => g.Key.Unit, StringComparer.Ordinal)
            .Select(g => new Line(g.Key.Price, g.Key.Unit, g.Key.Corrects, g.Sum(i => i.Used), g.Key.Told, g.Select(i => i.Resource).Distinct().Count(), g.Sum(i => i.Amount))),
    ];
}
