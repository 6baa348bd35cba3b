using System.Globalization;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.Sync;

/// <summary>A deletion that another cluster must hear of, or that what it still sends of before must not undo.</summary>
internal sealed record Grave(DateTimeOffset At);

/// <summary>
/// Times of changes in containers that are kept in step: the later one wins at both ends, so each change comes after what it changes, whatever the clock says. To ten
/// microseconds, as they are sent.
/// </summary>
internal static class Stamps
{
    private const long Step = 100;

    public static DateTimeOffset? Read(string text) =>
        decimal.TryParse(text.Split('_')[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 253_402_300_799 ? DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond)) : null;

    /// <summary>Now, or just after what is later.</summary>
    public static DateTimeOffset After(DateTimeOffset? last, DateTimeOffset now) => last >= Cut(now) ? Cut(last.Value).AddTicks(Step) : Cut(now);

    private static DateTimeOffset Cut(DateTimeOffset time) => time.AddTicks(-(time.Ticks % Step));

    /// <summary>Of a change of one object now; of one that another cluster made, when it made it.</summary>
    /// <exception cref="Fault">409 when what is here is newer.</exception>
    public static async ValueTask<DateTimeOffset> Of(Call c, Edit edit, Container container, string name, StoredObject? was)
    {
        if (!container.IsSynced) return Cut(c.Now);
        var (grave, last) = await Last(c, container, name, was);
        var key = Log.GraveKey(container.Id, name);
        edit.Add(grave is null ? new Op.Check(key, null) : new Op.Delete(key, grave.ETag));
        if (Door.StampOf(c, container) is not { } brought) return After(last, c.Now);
        return last >= brought ? throw Fault.Conflict("There was a conflict when trying to complete your request.") : brought;
    }

    /// <summary>Whether what another cluster brings is no news.</summary>
    public static async ValueTask<bool> IsOld(Call c, Container container, string name) =>
        (await Last(c, container, name, (await Shelf.Object(c.Store, container, name, c.Cancelled))?.Item)).At >= Door.StampOf(c, container);

    private static async ValueTask<(Row? Grave, DateTimeOffset? At)> Last(Call c, Container container, string name, StoredObject? was)
    {
        var row = await c.Store.Get(Shelf.Of(container.ProjectId), Log.GraveKey(container.Id, name), c.Cancelled);
        DateTimeOffset? died = row is null ? null : Json.Read<Grave>(row.Body).At;
        return (row, was?.Modified > died || died is null ? was?.Modified : died);
    }
}
