using Cloud.Platform.Blobs;

namespace Cloud.Tests.Kit;

/// <summary>For what keeps no blobs: whoever tries finds out.</summary>
public sealed class NoBlobs : IBlobStore
{
    public Task<BlobInfo> Write(string name, Stream content, long maxBytes, CancellationToken ct) => throw new NotSupportedException(name);
    public Task<Stream?> Read(string name, CancellationToken ct) => throw new NotSupportedException(name);
    public Task Delete(string name, CancellationToken ct) => throw new NotSupportedException(name);
    public IAsyncEnumerable<string> List(CancellationToken ct) => throw new NotSupportedException();
}
