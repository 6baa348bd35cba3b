using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Limits of accounts (set by resellers) and of containers (set by their owners). Counted from what is there.</summary>
internal static class Quotas
{
    public static Fault Exceeded() => new(413, "Upload exceeds quota.");

    /// <summary>How many bytes the object may have at most.</summary>
    /// <exception cref="Fault">413 when those announced are too many already.</exception>
    public static async ValueTask<long> RoomOf(Call c, Container container, string name, long announced)
    {
        var room = await RoomOf(c, container, async () => (await Shelf.Object(c.Store, container, name, c.Cancelled))?.Item);
        return room < 0 || announced > room ? throw Exceeded() : room;
    }

    public static async ValueTask Check(Call c, Container container, StoredObject? was, StoredObject now)
    {
        if (now.Bytes > (was?.Bytes ?? 0) || was is null)
            if (now.Bytes > await RoomOf(c, container, () => new(was))) throw Exceeded();
    }

    /// <param name="overwritten">Asked only where there is a limit.</param>
    private static async ValueTask<long> RoomOf(Call c, Container container, Func<ValueTask<StoredObject?>> overwritten)
    {
        var room = await Accounts.RoomOf(c.Store, container.ProjectId) ?? long.MaxValue;
        var (bytes, objects) = (Limit(container, "Quota-Bytes"), Limit(container, "Quota-Count"));
        if (room == long.MaxValue && bytes is null && objects is null) return room;
        var (there, was) = (await Tally.Of(c.Store, container.ProjectId, container.Id, c.Cancelled), await overwritten());
        if (was is null && there.Objects >= objects) return -1;
        if (bytes is not null) room = Math.Min(room, bytes.Value - there.Bytes);
        // What is overwritten makes room.
        return room == long.MaxValue ? room : Math.Max(0, room + (was?.Bytes ?? 0));
    }

    private static long? Limit(Container container, string name) => container.Meta.TryGetValue(name, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;
}
