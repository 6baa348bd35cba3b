namespace Cloud.Platform.Blobs;

/// <summary>What is known of a finished blob. Digests are lower-case hex.</summary>
public sealed record BlobInfo(long Bytes, string Sha512, string Md5);

/// <summary>Immutable byte sequences by name. A blob appears whole or not at all.</summary>
public interface IBlobStore
{
    /// <summary>Streams <paramref name="content"/> into a new blob. Anything thrown on the way leaves nothing.</summary>
    /// <exception cref="BlobTooLargeException">More than <paramref name="maxBytes"/> came.</exception>
    Task<BlobInfo> Write(string name, Stream content, long maxBytes, CancellationToken ct);

    /// <summary>Null when there is none. Seekable.</summary>
    Task<Stream?> Read(string name, CancellationToken ct);

    Task Delete(string name, CancellationToken ct);

    IAsyncEnumerable<string> List(CancellationToken ct);
}

public sealed class BlobTooLargeException(long max) : Exception($"more than {max} bytes");
