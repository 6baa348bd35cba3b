namespace Cloud.Metering;

/// <summary>One thing that is counted while it lasts, e.g. ("volume.gib", 10).</summary>
public sealed record Gauge(string Meter, long Quantity);

/// <summary>What one event says: from <paramref name="At"/> on the resource has these gauges.</summary>
/// <param name="Revision">1 for the resource's first event, then one more with each.</param>
/// <param name="Last">The resource is gone.</param>
public sealed record Reading(long Revision, DateTimeOffset At, string EventId, Gauge[] Gauges, bool Last = false);

/// <summary>A time in which a resource had a quantity of something: from &lt;= t &lt; to.</summary>
/// <param name="To">Null while it goes on.</param>
/// <param name="OpenedBy">Id of the event that began it; <paramref name="ClosedBy"/> of the one that ended it.</param>
/// <param name="Final">False while events are missing that could still change it.</param>
public sealed record Interval(string Meter, long Quantity, DateTimeOffset From, DateTimeOffset? To, string OpenedBy, string? ClosedBy, bool Final);

public sealed record Running(string Meter, long Quantity, DateTimeOffset From, string OpenedBy);

/// <summary>What is known of one resource.</summary>
public sealed record Account
{
    /// <summary>All events up to this one are accounted for.</summary>
    public long Revision { get; init; }
    public DateTimeOffset At { get; init; }
    public Running[] Open { get; init; } = [];
    /// <summary>Came before their turn, by revision.</summary>
    public Reading[] Ahead { get; init; } = [];
    public bool Ended { get; init; }
}

/// <summary>
/// The arithmetic of metering, free of any store. Readings may come twice and in any order; an interval is closed only when all events before its end
/// are known, and then never changes. Times are whole milliseconds, and what ends at an instant and what begins there share that instant: no gap, no overlap.
/// </summary>
public static class Ledger
{
    /// <summary>So many readings may wait for a missing one; then it counts as lost, and the state before it as lasting until the next.</summary>
    public const int MostAhead = 50;

    public static (Account Account, IReadOnlyList<Interval> Closed) Apply(Account? was, Reading reading)
    {
        var account = was ?? new();
        if (account.Ended || reading.Revision <= account.Revision || Array.Exists(account.Ahead, a => a.Revision == reading.Revision)) return (account, []);
        var ahead = account.Ahead.Append(reading with { At = Millisecond(reading.At) }).OrderBy(a => a.Revision).ToList();
        var closed = new List<Interval>();
        while (ahead.Count > 0 && !account.Ended && (ahead[0].Revision == account.Revision + 1 || ahead.Count > MostAhead))
        {
            account = Step(account, ahead[0], closed, final: true);
            ahead.RemoveAt(0);
        }
        return (account with { Ahead = account.Ended ? [] : [.. ahead] }, closed);
    }

    /// <summary>What goes on, and what would be closed if no more events came.</summary>
    public static IReadOnlyList<Interval> Pending(Account account)
    {
        var intervals = new List<Interval>();
        foreach (var reading in account.Ahead) account = Step(account, reading, intervals, final: false);
        intervals.AddRange(account.Open.Select(o => new Interval(o.Meter, o.Quantity, o.From, null, o.OpenedBy, null, account.Ahead.Length == 0)));
        return intervals;
    }

    private static Account Step(Account account, Reading r, List<Interval> closed, bool final)
    {
        // Clocks of two processes may differ a little; time of one resource never runs backwards.
        var at = r.At > account.At ? r.At : account.At;
        foreach (var o in account.Open)
            if (at > o.From && !Array.Exists(r.Gauges, g => g.Meter == o.Meter && g.Quantity == o.Quantity)) closed.Add(new(o.Meter, o.Quantity, o.From, at, o.OpenedBy, r.EventId, final));
        return account with
        {
            Revision = r.Revision,
            At = at,
            Ended = r.Last,
            Open = r.Last ? [] : [.. r.Gauges.Where(g => g.Quantity > 0).Select(g => Array.Find(account.Open, o => o.Meter == g.Meter && o.Quantity == g.Quantity) ?? new(g.Meter, g.Quantity, at, r.EventId))],
        };
    }

    internal static DateTimeOffset Millisecond(DateTimeOffset t) => t.AddTicks(-(t.Ticks % TimeSpan.TicksPerMillisecond));
}
