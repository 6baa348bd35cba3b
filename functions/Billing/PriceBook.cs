namespace Cloud.Billing;

/// <summary>One step of a price: from so many units a month on, up to so many (null: all the rest).</summary>
public sealed record Tier(decimal From, decimal? To, decimal Price);

/// <summary>What is paid for what a meter counts.</summary>
/// <param name="Meter">One meter, or all that begin so: <c>server.*</c>. Of several that fit, the longest holds.</param>
/// <param name="Free">So many units a month cost a project nothing; the tiers begin after them.</param>
public sealed record Price(string Meter, string Unit, decimal Free, Tier[] Tiers);

/// <summary>What one project pays less.</summary>
/// <param name="Meter">As in a price; <c>*</c> for everything. Of several that fit, the longest holds.</param>
public sealed record Discount(string Project, string Meter, decimal Percent);

/// <summary>All prices from an instant on, until the next version of the book begins.</summary>
/// <param name="Places">Of the currency: 2 for cents.</param>
public sealed record PriceBook(DateTimeOffset ValidFrom, string Currency, int Places, Price[] Prices, Discount[] Discounts)
{
    public Price? For(string meter) => Longest(Prices, p => p.Meter, meter);

    /// <summary>In hundredths of a percent.</summary>
    public int DiscountOf(string project, string meter) => (int)((Longest(Discounts.Where(d => d.Project == project), d => d.Meter, meter)?.Percent ?? 0) * 100);

    /// <summary>Whether a pattern fits everything that the other one fits.</summary>
    public static bool Covers(string pattern, string other) => pattern == "*" || pattern == other || (pattern.EndsWith(".*", StringComparison.Ordinal) && other.StartsWith(pattern[..^1], StringComparison.Ordinal));

    private static T? Longest<T>(IEnumerable<T> all, Func<T, string> pattern, string meter) where T : class
    {
        T? best = null;
        foreach (var one in all)
            if (Covers(pattern(one), meter) && (best is null || Rank(pattern(one)) > Rank(pattern(best)))) best = one;
        return best;
    }

    // The name itself comes before a pattern of the same length.
    private static int Rank(string pattern) => pattern.EndsWith('*') ? pattern.Length : int.MaxValue;
}
