using System.Collections.Concurrent;
using Cloud.Platform.Blobs;

namespace Cloud.Tests.Kit;

/// <summary>A replica in memory that tests can spoil, empty and switch off.</summary>
public sealed class MemoryReplica(string name) : IReplica
{
    public string Name => name;
    public ConcurrentDictionary<string, byte[]> Blobs { get; } = new();
    /// <summary>Every operation fails.</summary>
    public bool Away { get; set; }
    /// <summary>Called before a blob is sealed; what it throws goes to the writer.</summary>
    public Action<string>? OnSeal { get; set; }

    public Task<IReplicaWriter> Create(string blob, CancellationToken ct) => Here<IReplicaWriter>(new Writer(this, blob));
    public Task<Stream?> Open(string blob, CancellationToken ct) => Here<Stream?>(Blobs.TryGetValue(blob, out var bytes) ? new MemoryStream(bytes, writable: false) : null);
    public Task Delete(string blob, CancellationToken ct) => Here(Blobs.TryRemove(blob, out _));

    public async IAsyncEnumerable<string> List([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await Here(true);
        foreach (var name in Blobs.Keys) yield return name;
    }

    private Task<T> Here<T>(T answer) => Away ? throw new IOException($"{name} is away") : Task.FromResult(answer);

    private sealed class Writer(MemoryReplica replica, string blob) : IReplicaWriter
    {
        private readonly MemoryStream _bytes = new();

        public async Task Write(ReadOnlyMemory<byte> bytes, CancellationToken ct) => (await replica.Here(_bytes)).Write(bytes.Span);

        public async Task Seal(bool spare, CancellationToken ct)
        {
            await replica.Here(true);
            replica.OnSeal?.Invoke(blob);
            replica.Blobs[blob] = _bytes.ToArray();
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
