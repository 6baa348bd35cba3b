using System.Globalization;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>What goes at a time that is part of the row's key.</summary>
/// <param name="Key">Of the object's row.</param>
internal sealed record Expiring(string Container, string Key);

/// <summary>X-Delete-At and X-Delete-After. From that time on nobody sees the object; <see cref="Run"/> takes it away.</summary>
internal static class Expiry
{
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    /// <summary>Partition of rows HOUR|PROJECT.</summary>
    private const string Notes = "object-expiry";

    /// <exception cref="Fault">400 for what is no time to come.</exception>
    public static DateTimeOffset? Read(Call c) => Of(c.Now, c.Header("X-Delete-At"), c.Header("X-Delete-After"));

    public static DateTimeOffset? Of(DateTimeOffset now, string? at, string? after)
    {
        if (after is { Length: > 0 })
            return long.TryParse(after, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds) && seconds > 0 && seconds < uint.MaxValue ? now.AddSeconds(seconds) : throw Fault.BadRequest(Bad("X-Delete-After", after));
        if (at is not { Length: > 0 }) return null;
        if (!long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var stamp) || stamp > 253_402_300_799) throw Fault.BadRequest("Non-integer X-Delete-At");
        return DateTimeOffset.FromUnixTimeSeconds(stamp) is var time && time > now ? time : throw Fault.BadRequest("X-Delete-At in past");
    }

    private static string Bad(string header, string value) => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? header + " in past" : "Non-integer " + header;

    /// <summary>Notes that a project has something that expires in these hours; before it is written, so that none is forgotten.</summary>
    public static async ValueTask Note(Services s, string project, IEnumerable<DateTimeOffset> times)
    {
        if (times.Select(t => Hour(t) + project).Distinct().Select(key => new Op.Upsert(key, default)).ToArray() is { Length: > 0 } notes) await s.Store.Commit(Notes, notes);
    }

    /// <summary>Removes all whose time has come. Safe to run twice, and while somebody writes what expires. Only projects that have something to expire are looked at.</summary>
    public static async Task Run(Services s, CancellationToken ct)
    {
        foreach (var note in await s.Store.List(Notes, "", Hour(s.Now.AddHours(1)), ct: ct))
        {
            var project = note.Key.Split('|')[1];
            foreach (var row in await s.Store.List(Shelf.Of(project), Shelf.ExpiryRange, Shelf.ExpiryKey(s.Now.AddSeconds(1), ""), ct: ct)) await Remove(s, project, Json.Read<Expiring>(row.Body), ct);
            // Nothing new can expire in an hour that is over.
            if (string.CompareOrdinal(note.Key, Hour(s.Now)) < 0) await s.Store.Commit(Notes, [new Op.Delete(note.Key)], ct: ct);
        }
    }

    private static async ValueTask Remove(Services s, string project, Expiring what, CancellationToken ct)
    {
        await S3.Multipart.Collect(s, project, what, ct);
        await Edit.Run(s, project, new Change("", ""), async edit =>
        {
            if (await Shelf.Load<StoredObject>(s.Store, project, what.Key, ct) is { } item && item.Item.DeleteAt <= s.Now && await Shelf.Container(s.Store, project, what.Container, ct) is { } container) edit.Remove(container, item);
            return true;
        });
    }

    private static string Hour(DateTimeOffset time) => string.Create(CultureInfo.InvariantCulture, $"{time.ToUnixTimeSeconds() / 3600:D9}|");
}
