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
        var room = await RoomOf(c, container, (await Shelf.Object(c.Store, container, name, c.Cancelled))?.Item);
        return room < 0 || announced > room ? throw Exceeded() : room;
    }

    public static async ValueTask Check(Call c, Container container, StoredObject? was, StoredObject now)
    {
        if (now.Bytes > (was?.Bytes ?? 0) || was is null)
            if (now.Bytes > await RoomOf(c, container, was)) throw Exceeded();
    }

    private static async ValueTask<long> RoomOf(Call c, Container container, StoredObject? was)
    {
        var room = await Accounts.RoomOf(c.Store, container.ProjectId) ?? long.MaxValue;
        if (Limit(container, "Quota-Bytes") is { } bytes) room = Math.Min(room, bytes - (await Tally.Of(c.Store, container.ProjectId, container.Id, c.Cancelled)).Bytes);
        if (Limit(container, "Quota-Count") is { } count && was is null && (await Tally.Of(c.Store, container.ProjectId, container.Id, c.Cancelled)).Objects >= count) return -1;
        // What is overwritten makes room.
        return room == long.MaxValue ? room : Math.Max(0, room + (was?.Bytes ?? 0));
    }

    private static long? Limit(Container container, string name) => container.Meta.TryGetValue(name, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;
}
