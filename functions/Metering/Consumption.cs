using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Metering;

/// <summary>An amount that was used up, not held for a time: bytes of traffic, requests.</summary>
/// <param name="Id">Chosen by whoever counts, the same again for a repeat: <c>RESOURCE.METER.BEGIN</c>, say. Unique in its project.</param>
/// <param name="Resource">As in the ledger: <c>floatingip|ID</c>.</param>
/// <param name="Quantity">More than nothing, in the meter's unit.</param>
/// <param name="At">When the counting ended; it belongs to the month of that instant.</param>
public sealed record Counted(string Id, string Project, string Resource, string Meter, long Quantity, DateTimeOffset At);

/// <summary>
/// The part of the ledger that holds amounts. One row for each in order of time, and one by id, so that a repeat is found whatever time it claims;
/// both and the event that tells of it in one transaction.
/// </summary>
public static class Consumption
{
    public static readonly Announcement Event = new("/metering", "cloud.serverless.metering.amount.counted");
    /// <summary>What comes later than this is refused, like an event that old.</summary>
    public static readonly TimeSpan Latest = TimeSpan.FromDays(60);

    /// <exception cref="ArgumentException">It says nothing that can be counted: not positive, of an unknown meter, of the future or too old.</exception>
    public static async Task Add(Services s, Counted counted, CancellationToken ct = default)
    {
        if (await s.Store.Get(Accounts.PartitionOf(counted.Project), IdKey(counted), ct) is not null) return;
        // False: a repeat was first.
        _ = await Add(s, counted.Project, [counted], [], ct);
    }

    /// <summary>Adds amounts of one project together with what their counter writes to know that it did.</summary>
    /// <returns>False when one is there already, or a row of <paramref name="with"/> isn't as expected: then nothing was written.</returns>
    /// <exception cref="ArgumentException">As above.</exception>
    public static async Task<bool> Add(Services s, string project, IReadOnlyList<Counted> amounts, IReadOnlyList<Op> with, CancellationToken ct = default)
    {
        foreach (var counted in amounts) Check(s, counted);
        await Accounts.Know(s.Store, project, ct);
        var ops = new List<Op>(with);
        foreach (var counted in amounts.Select(c => c with { At = Ledger.Millisecond(c.At) }))
        {
            ops.Add(new Op.Insert(IdKey(counted), ReadOnlyMemory<byte>.Empty));
            ops.Add(new Op.Insert($"amount|{Accounts.Stamp(counted.At)}|{Keys.Safe(counted.Id)}", Json.Write(counted)));
        }
        try { await s.Store.Commit(Accounts.PartitionOf(project), ops, [.. amounts.Select(c => Told(s, c))], ct); }
        catch (ConflictException) { return false; }
        return true;
    }

    private static void Check(Services s, Counted counted)
    {
        if (counted.Quantity <= 0) throw new ArgumentException($"{counted.Meter} of {counted.Resource}: {counted.Quantity} is not an amount");
        if (Meters.UnitOf(counted.Meter) != "bytes") throw new ArgumentException($"'{counted.Meter}' is not a meter of amounts");
        if (counted.Project.Length == 0 || counted.Id.Length is 0 or > 300 || counted.Resource.Split('|') is not [{ Length: > 0 }, { Length: > 0 }]) throw new ArgumentException("an amount needs an id, a project and a resource (KIND|ID)");
        if (counted.At > s.Now + TimeSpan.FromMinutes(5) || counted.At < s.Now - Latest) throw new ArgumentException($"{counted.At:O} is in the future or longer ago than is still counted");
    }

    private static string IdKey(Counted counted) => "amount-id|" + Keys.Safe(counted.Id);

    public static async IAsyncEnumerable<Counted> Between(IEntityStore store, string project, DateTimeOffset from, DateTimeOffset to, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct = default)
    {
        foreach (var row in await store.List(Accounts.PartitionOf(project), $"amount|{Accounts.Stamp(from)}", $"amount|{Accounts.Stamp(to)}", ct: ct)) yield return Json.Read<Counted>(row.Body);
    }

    private static Message Told(Services s, Counted c) =>
        Event.Of(s, "amount:" + c.Id, c.Resource.Split('|')[1], new() { ["project_id"] = c.Project, ["resource"] = c.Resource, ["meter"] = c.Meter, ["quantity"] = c.Quantity, ["at"] = EntryView.Time(c.At) });
}
