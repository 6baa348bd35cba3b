namespace Cloud.Billing;

/// <summary>When spending reaches an amount if nothing changes: what goes on is in the ledger, and prices to come are in the book. Pure functions.</summary>
public static class Crossing
{
    public static decimal Spent(Bills.Known known, string project, Month month, DateTimeOffset until) => Rater.Rate(known.Books, project, month, known.Entries, known.Amounts, until).Sum(i => i.Amount);

    /// <summary>The first millisecond after <paramref name="now"/> and within the month at which so much is spent; null when it isn't. Spending only grows, so halving finds it.</summary>
    public static DateTimeOffset? Next(Bills.Known known, string project, Month month, DateTimeOffset now, decimal amount)
    {
        if (Spent(known, project, month, month.End) < amount) return null;
        var (below, reached) = (now.ToUnixTimeMilliseconds(), month.End.ToUnixTimeMilliseconds());
        while (reached - below > 1)
        {
            var middle = below + (reached - below) / 2;
            if (Spent(known, project, month, DateTimeOffset.FromUnixTimeMilliseconds(middle)) >= amount) reached = middle;
            else below = middle;
        }
        return DateTimeOffset.FromUnixTimeMilliseconds(reached);
    }
}
