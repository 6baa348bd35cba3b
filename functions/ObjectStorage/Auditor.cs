using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>
/// Sees to it that each blob that an object needs is there as often as it should be, and that no other is. Every run compares lengths of all copies and mends what reads
/// found spoilt; it reads the bytes of as many as it may, going on where the last run ended.
/// </summary>
internal static class Auditor
{
    /// <summary>An upload takes less: a blob without an object is a leftover after that.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromDays(1);
    private const long BytesPerRun = 4L << 30;
    private const string Partition = "system", Key = "object-audit";

    private sealed record Cursor(string Partition = "", string Key = "");

    public static async Task Run(Services s, CancellationToken ct)
    {
        await Mend(s, ct);
        await Sweep(s, ct);
    }

    private static async Task Mend(Services s, CancellationToken ct)
    {
        var suspects = s.Objects.Health.TakeSuspects().ToHashSet();
        var cursor = await s.Store.Get(Partition, Key, ct) is { } row ? Json.Read<Cursor>(row.Body) : new();
        var (left, deepest, seen) = (BytesPerRun, cursor, "");
        await foreach (var need in s.Store.Scan(Shelf.BlobRange, Shelf.End(Shelf.BlobRange), ct))
        {
            var blob = Json.Read<BlobAt>(need.Body);
            if (blob.Name == seen) continue; // objects that share it
            seen = blob.Name;
            var next = string.CompareOrdinal(need.Partition, cursor.Partition) is var order && (order > 0 || order == 0 && string.CompareOrdinal(need.Key, cursor.Key) > 0);
            var deep = next && left > 0;
            if (deep) (left, deepest) = (left - blob.Bytes, new(need.Partition, need.Key));
            if (!await s.Objects.Mend(blob.Name, blob.Sealed, deep || suspects.Contains(blob.Name), ct)) await Lost(s, need);
        }
        // All the rest was read: begin anew.
        await s.Store.Commit(Partition, [new Op.Upsert(Key, Json.Write(left > 0 ? new Cursor() : deepest))], ct: ct);
    }

    private static ValueTask Lost(Services s, Row need) => s.Bus.Send([Platform.Events.CloudEvent.Alert(s, "object-lost", need.Key, need.Partition[Shelf.Partitions.Length..], $"No copy of the blob {need.Key.Split('|')[1]} is good, and an object needs it.")]);

    private static async Task Sweep(Services s, CancellationToken ct)
    {
        foreach (var replica in s.Objects.Replicas)
            try
            {
                await foreach (var blob in replica.List(ct))
                    if (Made(blob) is { } made && s.Now - made > Grace && !await Shelf.Needs(s.Store, blob[37..], blob, ct)) await replica.Delete(blob, ct);
            }
            catch (IOException) { /* away: with the next run */ }
    }

    /// <summary>When the blob's name was made; null for what isn't ours.</summary>
    private static DateTimeOffset? Made(string blob) => blob.Length > 37 && blob[36] == '.' ? TimeOrderedIds.MadeAt(blob[..36]) : null;
}
