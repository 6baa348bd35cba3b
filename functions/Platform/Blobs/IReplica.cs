namespace Cloud.Platform.Blobs;

/// <summary>One place that keeps blobs for <see cref="ReplicatedBlobs"/>: a directory standing for a disk or a server, or any blob store. It may lose or spoil what it keeps.</summary>
public interface IReplica
{
    /// <summary>For operators: where it is.</summary>
    string Name { get; }

    /// <summary>Begins a blob; what has that name already stays until it is sealed.</summary>
    Task<IReplicaWriter> Create(string blob, CancellationToken ct);

    /// <summary>Null when there is none. Seekable.</summary>
    Task<Stream?> Open(string blob, CancellationToken ct);

    Task Delete(string blob, CancellationToken ct);

    IAsyncEnumerable<string> List(CancellationToken ct);
}

/// <summary>A blob being written. Disposed before it is sealed, it leaves nothing.</summary>
public interface IReplicaWriter : IAsyncDisposable
{
    Task Write(ReadOnlyMemory<byte> bytes, CancellationToken ct);

    /// <summary>Ends when it is on disk and visible. May keep the thread until then.</summary>
    /// <param name="spare">Another copy is read before this one: it needn't stay in memory.</param>
    Task Seal(bool spare, CancellationToken ct);
}
