using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.Platform.Blobs;

/// <summary>Fewer replicas took a blob than it needs to be safe, or none has a good copy.</summary>
public sealed class ReplicasUnavailableException(string message) : IOException(message);

/// <summary>
/// Immutable blobs, each in <paramref name="copies"/> of the replicas. A write counts when more than half of them have it on disk. A read takes any good copy, block by block:
/// nothing that isn't what was written ever leaves. What is found missing or spoilt is noted in <see cref="Health"/> and mended by <see cref="Mend"/>.
/// </summary>
public sealed class ReplicatedBlobs(IReadOnlyList<IReplica> replicas, int copies)
{
    public const int Block = 1 << 20;

    public IReadOnlyList<IReplica> Replicas => replicas;
    public int Copies { get; } = Math.Min(copies, replicas.Count);
    private int Quorum => Copies / 2 + 1;
    public ReplicaHealth Health { get; } = new();

    /// <summary>Streams <paramref name="content"/> into the replicas. Anything thrown on the way leaves nothing.</summary>
    /// <exception cref="BlobTooLargeException">More than <paramref name="maxBytes"/> came.</exception>
    /// <exception cref="ReplicasUnavailableException">Too few replicas could be written.</exception>
    public async Task<SealedBlob> Write(string blob, Stream content, long maxBytes, CancellationToken ct)
    {
        var writers = await Begin(blob, ct);
        var done = false;
        try
        {
            var made = await Blocks.Write(content, maxBytes, bytes => Each(writers, w => w.Write(bytes, ct)), ct);
            // All disks at once; the last on this thread, which would wait anyhow.
            var (first, last) = (writers[0], writers[^1]);
            await Each(writers, w => w == last ? w.Seal(w != first, ct) : Task.Run(() => w.Seal(w != first, ct), ct));
            done = true;
            if (writers.Count < Copies) Health.Suspect(blob);
            return made;
        }
        finally
        {
            foreach (var w in writers) await w.DisposeAsync();
            if (!done) await Delete(blob, CancellationToken.None);
        }
    }

    /// <summary>A part of a blob; null when no replica has a good copy of it.</summary>
    public async Task<Stream?> Read(string blob, SealedBlob what, long from, long length, CancellationToken ct)
    {
        var stream = new VerifiedStream(blob, what, [.. InOrder(blob)], Health, from, length);
        if (await stream.Prepare(ct)) return stream;
        await stream.DisposeAsync();
        return null;
    }

    [SuppressMessage("Design", "CA1031", Justification = "a replica that is away keeps it; the auditor finds that nobody names it")]
    public async Task Delete(string blob, CancellationToken ct)
    {
        foreach (var replica in replicas)
            try { await replica.Delete(blob, ct); }
            catch (Exception e) when (e is not OperationCanceledException) { Health.Failed(); }
    }

    /// <summary>Looks at every copy and makes those that are missing from a good one. With <paramref name="deep"/> all bytes are read, else only lengths are compared.</summary>
    /// <returns>False when there is no good copy.</returns>
    public async Task<bool> Mend(string blob, SealedBlob what, bool deep, CancellationToken ct)
    {
        var copies = new List<(IReplica Replica, CopyState State)>();
        foreach (var replica in InOrder(blob)) copies.Add((replica, await StateOf(replica, blob, what, deep, ct)));
        var wanted = Copies - copies.Count(c => c.State == CopyState.Good);
        foreach (var (replica, state) in copies.Where(c => c.State != CopyState.Good).OrderByDescending(c => c.State).Take(wanted))
        {
            Health.Found(corrupt: state == CopyState.Corrupt);
            await using var from = await Read(blob, what, 0, what.Bytes, ct);
            if (from is null) { Health.FoundLost(); return false; }
            if (await Copy(replica, blob, what, from, ct)) Health.Repaired();
        }
        return true;
    }

    private enum CopyState { Good, Missing, Corrupt }

    [SuppressMessage("Design", "CA1031", Justification = "whatever is wrong with a replica, the copy there is no good")]
    private static async Task<CopyState> StateOf(IReplica replica, string blob, SealedBlob what, bool deep, CancellationToken ct)
    {
        try
        {
            await using var stream = await replica.Open(blob, ct);
            if (stream is null) return CopyState.Missing;
            if (!deep) return stream.Length == what.Stored ? CopyState.Good : CopyState.Corrupt;
            if (await what.Hashes(stream, ct) is not { } hashes) return CopyState.Corrupt;
            var buffer = new byte[Math.Min(Block, what.Bytes)];
            for (var n = 0; n < what.Blocks; n++)
                if (!await what.Block(stream, n, hashes, buffer.AsMemory(0, what.LengthOf(n)), ct)) return CopyState.Corrupt;
            return CopyState.Good;
        }
        catch (Exception e) when (e is not OperationCanceledException) { return CopyState.Corrupt; }
    }

    [SuppressMessage("Design", "CA1031", Justification = "a replica that can't be written now is tried again with the next audit")]
    private async Task<bool> Copy(IReplica replica, string blob, SealedBlob what, Stream from, CancellationToken ct)
    {
        try
        {
            await using var writer = await replica.Create(blob, ct);
            if ((await Blocks.Write(from, what.Bytes, bytes => writer.Write(bytes, ct), ct)).Sha256 != what.Sha256) return false;
            await writer.Seal(spare: true, ct);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Health.Failed();
            return false;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "a replica that fails is left out; what counts is how many are left")]
    private async Task<List<IReplicaWriter>> Begin(string blob, CancellationToken ct)
    {
        var writers = new List<IReplicaWriter>();
        foreach (var replica in InOrder(blob))
        {
            if (writers.Count == Copies) break;
            try { writers.Add(await replica.Create(blob, ct)); }
            catch (Exception e) when (e is not OperationCanceledException) { Health.Failed(); }
        }
        if (writers.Count >= Quorum) return writers;
        foreach (var w in writers) await w.DisposeAsync();
        throw new ReplicasUnavailableException($"{writers.Count} of {Copies} replicas can be written");
    }

    /// <summary>The same for all writers at once; one that fails is dropped.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "as above")]
    private async Task Each(List<IReplicaWriter> writers, Func<IReplicaWriter, Task> what)
    {
        async Task<IReplicaWriter?> Try(IReplicaWriter w)
        {
            try { await what(w); return null; }
            catch (Exception e) when (e is not OperationCanceledException) { return w; }
        }
        foreach (var failed in await Task.WhenAll(writers.Select(Try)))
            if (failed is not null)
            {
                Health.Failed();
                writers.Remove(failed);
                await failed.DisposeAsync();
            }
        if (writers.Count < Quorum) throw new ReplicasUnavailableException($"{writers.Count} of {Copies} replicas took it");
    }

    // Each blob has its own order of all replicas, that stays the same for the others when one comes or goes.
    private IEnumerable<IReplica> InOrder(string blob) => replicas.OrderBy(r => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(r.Name + blob))));
}
