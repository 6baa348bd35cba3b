using System.Security.Cryptography;

namespace Cloud.Platform.Blobs;

/// <summary>What is known of a finished blob; whoever names it keeps this, for without it nothing can be read.</summary>
/// <param name="Md5">Lower-case hex, as clients know it.</param>
/// <param name="Sha256">Lower-case hex, over the SHA-256 of each block. Each replica ends with the list of those.</param>
public sealed record SealedBlob(long Bytes, string Md5, string Sha256)
{
    public int Blocks => (int)((Bytes + ReplicatedBlobs.Block - 1) / ReplicatedBlobs.Block);
    /// <summary>Of each replica.</summary>
    public long Stored => Bytes + (long)Blocks * SHA256.HashSizeInBytes;

    /// <summary>How much of block <paramref name="n"/> there is.</summary>
    public int LengthOf(int n) => (int)Math.Min(ReplicatedBlobs.Block, Bytes - (long)n * ReplicatedBlobs.Block);

    /// <summary>The list at the end of a replica, or null when it isn't the one that was written.</summary>
    public async Task<byte[]?> Hashes(Stream replica, CancellationToken ct)
    {
        if (replica.Length != Stored) return null;
        var hashes = new byte[Blocks * SHA256.HashSizeInBytes];
        replica.Position = Bytes;
        await replica.ReadExactlyAsync(hashes, ct);
        return Convert.ToHexStringLower(SHA256.HashData(hashes)) == Sha256 ? hashes : null;
    }

    /// <summary>Reads block <paramref name="n"/> from where the replica stands; false when it isn't what was written.</summary>
    public async Task<bool> Block(Stream replica, int n, byte[] hashes, Memory<byte> into, CancellationToken ct)
    {
        replica.Position = (long)n * ReplicatedBlobs.Block;
        await replica.ReadExactlyAsync(into, ct);
        return SHA256.HashData(into.Span).AsSpan().SequenceEqual(hashes.AsSpan(n * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes));
    }
}
