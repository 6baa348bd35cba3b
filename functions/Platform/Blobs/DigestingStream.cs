using System.Security.Cryptography;

namespace Cloud.Platform.Blobs;

/// <summary>Passes bytes on and knows afterwards what went by.</summary>
/// <param name="md5">False where whoever takes the bytes makes an MD5 of them as well: of all that is done here it costs most.</param>
/// <exception cref="BlobTooLargeException">On the read that goes past <paramref name="maxBytes"/>.</exception>
public sealed class DigestingStream(Stream inner, long maxBytes, bool md5 = true) : ForwardStream
{
    private readonly IncrementalHash _sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
#pragma warning disable CA5351 // Glance's checksum field is MD5 by definition; integrity rests on SHA-512
    private readonly IncrementalHash? _md5 = md5 ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
#pragma warning restore CA5351
    private long _total;

    /// <summary>Of all that was read until now.</summary>
    public BlobInfo Info => new(_total, Convert.ToHexStringLower(_sha.GetCurrentHash()), _md5 is null ? "" : Convert.ToHexStringLower(_md5.GetCurrentHash()));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var n = await inner.ReadAsync(buffer, cancellationToken);
        if ((_total += n) > maxBytes) throw new BlobTooLargeException(maxBytes);
        _sha.AppendData(buffer.Span[..n]);
        _md5?.AppendData(buffer.Span[..n]);
        return n;
    }

    /// <summary>The inner stream stays open: it is whoever's brought it.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _sha.Dispose();
            _md5?.Dispose();
        }
        base.Dispose(disposing);
    }
}
