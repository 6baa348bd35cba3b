using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.State;

namespace Cloud.Placement;

/// <summary>Memory in MiB, disk in GiB.</summary>
public sealed record Resources(int Vcpus, int MemoryMiB, int DiskGiB)
{
    public static Resources operator +(Resources a, Resources b) => new(a.Vcpus + b.Vcpus, a.MemoryMiB + b.MemoryMiB, a.DiskGiB + b.DiskGiB);
    public static Resources operator -(Resources a, Resources b) => new(a.Vcpus - b.Vcpus, a.MemoryMiB - b.MemoryMiB, a.DiskGiB - b.DiskGiB);
    public bool Fits(Resources room) => Vcpus <= room.Vcpus && MemoryMiB <= room.MemoryMiB && DiskGiB <= room.DiskGiB;
}

public sealed record Allocation(string Consumer, string ProjectId, string UserId, Resources Resources);

/// <summary>
/// Who holds what of a host: one row per consumer, and their sum, which is written only together with one of them. Two servers can't both
/// get the last place.
/// </summary>
public static class Facade
{
    /// <summary>vCPUs per core; memory and disk are not overcommitted.</summary>
    public const int CpuRatio = 16;
    private const string Total = "total";

    public const string Prefix = "host.";

    private static string Partition(string host) => Prefix + Keys.Safe(host);
    private static string Key(string consumer) => "allocation|" + Keys.Safe(consumer);

    public static Resources Capacity(HostRow h) => new(h.Capacity.Vcpus * CpuRatio, h.Capacity.MemoryMiB, h.Capacity.DiskGiB);

    public static async ValueTask<(Resources Used, long Generation)> Used(IEntityStore store, string host) =>
        await store.Get(Partition(host), Total) is { } row ? (Json.Read<Resources>(row.Body), Generation(row.ETag)) : (new(0, 0, 0), 0);

    /// <summary>Changes with every write, as the ETag does; that is a number in some stores only.</summary>
    private static long Generation(string etag) => long.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n
        : BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(etag))) & ((1L << 52) - 1);

    public static async ValueTask<IReadOnlyList<Allocation>> Of(IEntityStore store, string host)
    {
        var (from, to) = Keys.Range("allocation|");
        return [.. (await store.List(Partition(host), from, to)).Select(r => Json.Read<Allocation>(r.Body))];
    }

    /// <summary>Takes room for a consumer; a repeat finds it taken.</summary>
    /// <returns>False when there is not enough.</returns>
    public static async ValueTask<bool> Claim(IEntityStore store, HostRow host, Allocation a)
    {
        while (true)
        {
            if (await store.Get(Partition(host.Name), Key(a.Consumer)) is not null) return true;
            var total = await store.Get(Partition(host.Name), Total);
            var now = (total is null ? new(0, 0, 0) : Json.Read<Resources>(total.Body)) + a.Resources;
            if (!now.Fits(Capacity(host))) return false;
            try
            {
                await store.Commit(Partition(host.Name), [new Op.Insert(Key(a.Consumer), Json.Write(a)), Sum(total, now)]);
                return true;
            }
            catch (ConflictException) { /* somebody else took a place */ }
        }
    }

    /// <summary>What a row below <see cref="Prefix"/> says; null for a sum.</summary>
    public static Allocation? Read(Row row) => row.Key == Total ? null : Json.Read<Allocation>(row.Body);

    public static bool IsAt(Row row, string host) => row.Partition == Partition(host);

    public static ValueTask Release(IEntityStore store, string host, string consumer) => Free(store, Partition(host), Key(consumer));

    public static ValueTask Release(IEntityStore store, Row allocation) => Free(store, allocation.Partition, allocation.Key);

    private static async ValueTask Free(IEntityStore store, string partition, string key)
    {
        while (await store.Get(partition, key) is { } row)
        {
            var total = (await store.Get(partition, Total))!;
            try
            {
                await store.Commit(partition, [new Op.Delete(row.Key, row.ETag), Sum(total, Json.Read<Resources>(total.Body) - Json.Read<Allocation>(row.Body).Resources)]);
                return;
            }
            catch (ConflictException) { /* the sum changed */ }
        }
    }

    /// <summary>Enabled hosts with room, emptiest first, those that are silent as well.</summary>
    public static async ValueTask<IReadOnlyList<HostRow>> Candidates(Services s, Resources wanted)
    {
        var able = new List<(HostRow Host, int Free)>();
        foreach (var h in await Hosts.All(s))
        {
            if (h.Disabled || h.ForcedDown) continue;
            var room = Capacity(h) - (await Used(s.Store, h.Name)).Used;
            if (wanted.Fits(room)) able.Add((h, room.MemoryMiB));
        }
        return [.. able.OrderByDescending(a => a.Free).ThenBy(a => a.Host.Name, StringComparer.Ordinal).Select(a => a.Host)];
    }

    private static Op Sum(Row? old, Resources now) => old is null ? new Op.Insert(Total, Json.Write(now)) : new Op.Replace(Total, Json.Write(now), old.ETag);
}
