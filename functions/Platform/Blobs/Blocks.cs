using System.Buffers;
using System.Security.Cryptography;

namespace Cloud.Platform.Blobs;

/// <summary>How a replicated blob is made from its bytes: block by block, and then the list of the blocks' hashes.</summary>
internal static class Blocks
{
    /// <exception cref="BlobTooLargeException">More than <paramref name="maxBytes"/> came.</exception>
    public static async Task<SealedBlob> Write(Stream content, long maxBytes, Func<ReadOnlyMemory<byte>, Task> write, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReplicatedBlobs.Block);
        try
        {
#pragma warning disable CA5351 // clients know objects by their MD5; integrity rests on SHA-256
            using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
            using var hashes = new MemoryStream();
            var (total, last) = (0L, 0);
            for (int n; (n = await content.ReadAtLeastAsync(buffer.AsMemory(0, ReplicatedBlobs.Block), ReplicatedBlobs.Block, throwOnEndOfStream: false, ct)) > 0;)
            {
                if ((total += n) > maxBytes) throw new BlobTooLargeException(maxBytes);
                md5.AppendData(buffer, 0, n);
                hashes.Write(SHA256.HashData(buffer.AsSpan(0, n)));
                last = n < ReplicatedBlobs.Block ? n : 0;
                if (last > 0) break;
                await write(buffer.AsMemory(0, n));
            }
            var list = hashes.ToArray();
            // What is small goes in one write.
            if (last + list.Length <= buffer.Length)
            {
                list.CopyTo(buffer, last);
                await write(buffer.AsMemory(0, last + list.Length));
            }
            else
            {
                await write(buffer.AsMemory(0, last));
                await write(list);
            }
            return new(total, Convert.ToHexStringLower(md5.GetCurrentHash()), Convert.ToHexStringLower(SHA256.HashData(list)));
        }
        finally { ArrayPool<byte>.Shared.Return(buffer); }
    }
}
