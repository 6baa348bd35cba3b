using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Cloud.Platform.Hosting;

/// <summary>
/// Memory of connections in blocks of 32 KiB where the server's own have 4: a megabyte comes in some thirty reads of the socket instead of 256, each with all that follows it.
/// A connection that waits holds no block; as many as were in use at once lately are kept.
/// </summary>
public sealed class WideBlocks : IMemoryPoolFactory<byte>
{
    public const int Block = 32 * 1024;
    private const int Kept = 32;

    private readonly Pool _pool = new();

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => _pool;

    private sealed class Pool : MemoryPool<byte>
    {
        private readonly ConcurrentQueue<Lent> _free = new();

        public override int MaxBufferSize => Block;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, Block);
            return _free.TryDequeue(out var block) ? block.Out() : new Lent(this).Out();
        }

        // It is every connection's, and outlives each.
        protected override void Dispose(bool disposing) { }

        /// <summary>Pinned for good: sockets read into it.</summary>
        private sealed class Lent(Pool pool) : IMemoryOwner<byte>
        {
            private bool _out;

            public Memory<byte> Memory { get; } = GC.AllocateUninitializedArray<byte>(Block, pinned: true);

            public Lent Out()
            {
                _out = true;
                return this;
            }

            // Once only, or two connections would have the same bytes.
            public void Dispose()
            {
                if (Interlocked.Exchange(ref _out, false) && pool._free.Count < Kept) pool._free.Enqueue(this);
            }
        }
    }
}
