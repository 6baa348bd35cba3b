using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Cloud.Platform.Blobs;

/// <summary>Reads a part of a blob from whichever copy is good; each block is checked before a byte of it is given out.</summary>
internal sealed class VerifiedStream(string blob, SealedBlob what, IReadOnlyList<IReplica> replicas, ReplicaHealth health, long from, long length) : ForwardStream
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(ReplicatedBlobs.Block, Math.Max(1, what.Bytes)));
    private long _at = from, _left = length;
    private int _block = -1, _replica = -1;
    private Stream? _copy;
    private byte[] _hashes = [];
    private bool _disposed;

    /// <summary>Has the first block ready; false when no copy of it is good.</summary>
    public async Task<bool> Prepare(CancellationToken ct) => _left == 0 || await Have((int)(_at / ReplicatedBlobs.Block), ct);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ct = default)
    {
        if (_left == 0 || buffer.Length == 0) return 0;
        var block = (int)(_at / ReplicatedBlobs.Block);
        if (block != _block && !await Have(block, ct)) throw new ReplicasUnavailableException($"no good copy of {blob} is left");
        var offset = (int)(_at - (long)block * ReplicatedBlobs.Block);
        var n = (int)Math.Min(Math.Min(buffer.Length, _left), what.LengthOf(block) - offset);
        _buffer.AsMemory(offset, n).CopyTo(buffer);
        (_at, _left) = (_at + n, _left - n);
        return n;
    }

    [SuppressMessage("Design", "CA1031", Justification = "whatever is wrong with a replica, the next one is asked")]
    private async Task<bool> Have(int block, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                if (_copy is not null && await what.Block(_copy, block, _hashes, _buffer.AsMemory(0, what.LengthOf(block)), ct))
                {
                    _block = block;
                    return true;
                }
            }
            catch (Exception e) when (e is not OperationCanceledException) { /* as good as spoilt */ }
            if (_copy is not null) health.Suspect(blob);
            do
                if (++_replica >= replicas.Count) return false;
            while (!await Open(replicas[_replica], ct));
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "as above")]
    private async Task<bool> Open(IReplica replica, CancellationToken ct)
    {
        if (_copy is not null) await _copy.DisposeAsync();
        _copy = null;
        Stream? copy = null;
        try
        {
            copy = await replica.Open(blob, ct);
            if (copy is not null && await what.Hashes(copy, ct) is { } hashes)
            {
                (_copy, _hashes) = (copy, hashes);
                return true;
            }
        }
        catch (Exception e) when (e is not OperationCanceledException) { /* as above */ }
        if (copy is not null) await copy.DisposeAsync();
        health.Suspect(blob);
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _copy?.Dispose();
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        base.Dispose(disposing);
    }
}
