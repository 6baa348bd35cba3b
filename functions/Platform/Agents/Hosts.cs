using Cloud.Agents.Contract;
using Cloud.Platform.State;

namespace Cloud.Platform.Agents;

/// <summary>One compute host as last heard of.</summary>
public sealed record HostRow
{
    public required string Name { get; init; }
    public required HostCapacity Capacity { get; init; }
    public string Boot { get; init; } = "";
    public DateTimeOffset Seen { get; init; }
    public DateTimeOffset Since { get; init; }
    /// <summary>Set by an administrator: no new servers.</summary>
    public bool Disabled { get; init; }
    public string? DisabledReason { get; init; }
    /// <summary>Set by an administrator who knows that it is dead, however it beats.</summary>
    public bool ForcedDown { get; init; }
    /// <summary>Stable id of the host for APIs that want one.</summary>
    public string Id { get; init; } = "";
}

/// <summary>The hosts of the cloud; silence makes one down.</summary>
public static class Hosts
{
    public const string Partition = "system";
    // A beat that tells nothing new isn't worth a write each time.
    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(15);

    public static string Key(string host) => "host|" + Keys.Safe(host);

    public static async ValueTask<HostRow?> Get(Services s, string host, CancellationToken ct = default) =>
        await s.Store.Get(Partition, Key(host), ct) is { } row ? Json.Read<HostRow>(row.Body) : null;

    public static async ValueTask<IReadOnlyList<HostRow>> All(Services s, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range("host|");
        return [.. (await s.Store.List(Partition, from, to, ct: ct)).Select(r => Json.Read<HostRow>(r.Body))];
    }

    /// <summary>More than one: then there is something that hosts must know of each other. Doesn't read all of them to find out.</summary>
    public static async ValueTask<bool> AreSeveral(Services s)
    {
        var (from, to) = Keys.Range("host|");
        return (await s.Store.List(Partition, from, to, 2)).Count > 1;
    }

    public static bool IsUp(Services s, HostRow host) => !host.ForcedDown && s.Now - host.Seen <= s.Settings.HostSilence;

    /// <summary>Down, or never heard of.</summary>
    public static async ValueTask<bool> IsDown(Services s, string host, CancellationToken ct = default) =>
        await Get(s, host, ct) is not { } row || !IsUp(s, row);

    public static async Task Beat(Services s, Heartbeat beat, CancellationToken ct)
    {
        while (true)
        {
            var row = await s.Store.Get(Partition, Key(beat.Host), ct);
            var old = row is null ? null : Json.Read<HostRow>(row.Body);
            if (old is not null && old.Boot == beat.Boot && s.Now - old.Seen < WriteEvery && Same(old.Capacity, beat.Capacity)) return;
            var now = old is null ? new HostRow { Name = beat.Host, Capacity = beat.Capacity, Id = s.Ids.New(), Since = s.Now } : old;
            var body = Json.Write(now with { Capacity = beat.Capacity, Boot = beat.Boot, Seen = s.Now });
            try
            {
                await s.Store.Commit(Partition, [row is null ? new Op.Insert(Key(beat.Host), body) : new Op.Replace(Key(beat.Host), body, row.ETag)], ct: ct);
                return;
            }
            catch (ConflictException) { /* another message of this host was first */ }
        }
    }

    /// <summary>Changes what administrators may set.</summary>
    public static async ValueTask<HostRow?> Set(Services s, string host, Func<HostRow, HostRow> change, CancellationToken ct = default)
    {
        while (true)
        {
            if (await s.Store.Get(Partition, Key(host), ct) is not { } row) return null;
            var now = change(Json.Read<HostRow>(row.Body));
            try
            {
                await s.Store.Commit(Partition, [new Op.Replace(row.Key, Json.Write(now), row.ETag)], ct: ct);
                return now;
            }
            catch (ConflictException) { /* a beat came between */ }
        }
    }

    private static bool Same(HostCapacity a, HostCapacity b) =>
        a with { RunningGuests = 0, UsedMemoryMiB = 0, UsedDiskGiB = 0, Physical = [] } == b with { RunningGuests = 0, UsedMemoryMiB = 0, UsedDiskGiB = 0, Physical = [] }
        && a.Physical.AsSpan().SequenceEqual(b.Physical);
}
