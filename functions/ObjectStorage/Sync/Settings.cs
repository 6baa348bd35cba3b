using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Sync;

/// <summary>What a container's owner says of where it goes: X-Container-Sync-To and X-Container-Sync-Key; empty, or X-Remove-..., for no more.</summary>
internal static class Settings
{
    private const string To = "X-Container-Sync-To", Key = "X-Container-Sync-Key";

    /// <exception cref="Fault">400.</exception>
    public static Container Said(Call c, Container item)
    {
        string? Of(string header, string? was) => c.Header("X-Remove" + header[1..]) is not null ? null : c.Header(header) is { } text ? text.Trim() is { Length: > 0 } said ? said : null : was;
        item = item with { SyncTo = Of(To, item.SyncTo), SyncKey = Of(Key, item.SyncKey) };
        if (item.SyncKey?.Length > Metadata.MaxValue) throw Fault.BadRequest($"{Key} longer than {Metadata.MaxValue}");
        if (item is { SyncTo: not null, Versioning: true }) throw Fault.BadRequest("Cannot configure container sync on a container with object versioning configured.");
        if (item.SyncTo is { } to && c.Header(To) is not null) Target.Of(c.Services, to);
        return item;
    }

    /// <summary>To its owner, and why nothing is carried over now, if that is so.</summary>
    public static async ValueTask Show(Call c, Reply reply, Container container)
    {
        if (container.SyncTo is { } to) reply.With(To, to);
        if (container.SyncKey is { } key) reply.With(Key, key);
        if (container is { SyncTo: not null, SyncKey: not null } && await Log.State(c.Store, container.ProjectId, container.Id, c.Cancelled) is ({ Why: { } why }, _)) reply.With("X-Container-Sync-Error", why);
    }
}
