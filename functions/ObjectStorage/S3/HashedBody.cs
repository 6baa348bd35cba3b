using System.Security.Cryptography;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>A body whose SHA-256 was signed: when it ends otherwise, the end is a <see cref="Fault"/>.</summary>
internal sealed class HashedBody(Stream inner, string sha256) : ForwardStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var n = await inner.ReadAsync(buffer, cancellationToken);
        if (n > 0) _hash.AppendData(buffer.Span[..n]);
        else if (buffer.Length > 0 && Convert.ToHexStringLower(_hash.GetCurrentHash()) != sha256)
            throw Fault.BadRequest("The provided 'x-amz-content-sha256' header does not match what was computed.");
        return n;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _hash.Dispose();
        base.Dispose(disposing);
    }
}
