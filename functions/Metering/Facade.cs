using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Metering;

/// <summary>What other services may read of the ledger, and how they add to it.</summary>
public static class Facade
{
    /// <summary>Everything that lasted at some time between the two.</summary>
    public static IAsyncEnumerable<Entry> Between(IEntityStore store, string project, DateTimeOffset from, DateTimeOffset to, CancellationToken ct = default) => Accounts.Between(store, project, from, to, ct);

    /// <summary>What was counted at from &lt;= t &lt; to.</summary>
    public static IAsyncEnumerable<Counted> CountedBetween(IEntityStore store, string project, DateTimeOffset from, DateTimeOffset to, CancellationToken ct = default) => Consumption.Between(store, project, from, to, ct);

    /// <summary>Adds an amount to the ledger; a repeat of the same id adds nothing.</summary>
    public static Task Count(Platform.Services s, Counted counted, CancellationToken ct = default) => Consumption.Add(s, counted, ct);

    /// <summary>How long of the interval lies between the two.</summary>
    public static long Milliseconds(Interval i, DateTimeOffset from, DateTimeOffset to) => Usage.Milliseconds(i, from, to);

    /// <summary>Every project that ever had something metered.</summary>
    public static ValueTask<IReadOnlyList<string>> Projects(IEntityStore store, CancellationToken ct = default) => Accounts.AllProjects(store, ct);

    /// <summary>In what the sums of a meter, or of all that begin so (<c>server.*</c>), are told. Null where no meter is called that, or they differ.</summary>
    public static string? UnitOf(string pattern) => Meters.UnitOf(pattern);

    /// <summary>Names of meters; those of a kind that has many end in <c>.*</c>.</summary>
    public static IReadOnlyList<string> Names() => Meters.Names;

    /// <summary>Whether the event may have changed what goes on or was counted.</summary>
    public static bool Concerns(Event e) => e.ProjectId.Length > 0 && (e.Type == Consumption.Event.Type || Meters.Read(e) is not null);
}
