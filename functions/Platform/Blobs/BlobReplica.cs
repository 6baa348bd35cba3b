using System.IO.Pipelines;

namespace Cloud.Platform.Blobs;

/// <summary>Any blob store as a replica: Azure Blobs, for one.</summary>
public sealed class BlobReplica(string name, IBlobStore store) : IReplica
{
    public string Name => name;

    public Task<IReplicaWriter> Create(string blob, CancellationToken ct) => Task.FromResult<IReplicaWriter>(new Writer(store, blob, ct));
    public Task<Stream?> Open(string blob, CancellationToken ct) => store.Read(blob, ct);
    public Task Delete(string blob, CancellationToken ct) => store.Delete(blob, ct);
    public IAsyncEnumerable<string> List(CancellationToken ct) => store.List(ct);

    // The store pulls, the writer pushes: a pipe stands between.
    private sealed class Writer : IReplicaWriter
    {
        private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 2 * ReplicatedBlobs.Block, resumeWriterThreshold: ReplicatedBlobs.Block));
        private readonly Task _written;
        private bool _sealed;

        public Writer(IBlobStore store, string blob, CancellationToken ct) => _written = Pull(store, blob, ct);

        private async Task Pull(IBlobStore store, string blob, CancellationToken ct)
        {
            try { await store.Write(blob, _pipe.Reader.AsStream(), long.MaxValue, ct); }
            finally { await _pipe.Reader.CompleteAsync(); }
        }

        public async Task Write(ReadOnlyMemory<byte> bytes, CancellationToken ct)
        {
            if ((await _pipe.Writer.WriteAsync(bytes, ct)).IsCompleted) await _written;
        }

        public async Task Seal(bool spare, CancellationToken ct)
        {
            _sealed = true;
            await _pipe.Writer.CompleteAsync();
            await _written;
        }

        public async ValueTask DisposeAsync()
        {
            if (_sealed) return;
            await _pipe.Writer.CompleteAsync(new IOException("given up"));
            await _written.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
