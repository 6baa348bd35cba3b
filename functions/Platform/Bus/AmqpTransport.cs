using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Principal;
using Amqp;
using Amqp.Listener;

namespace Cloud.Platform.Bus;

/// <summary>A host or guest that signed in, and how much it may ask of us at once.</summary>
internal sealed class AmqpPeer(string host, NetworkStream stream) : GenericPrincipal(new GenericIdentity(host), [])
{
    /// <summary>The largest message: a whole console, escaped as JSON.</summary>
    internal const int MaxMessage = 8 * 1024 * 1024;
    internal const int MaxUnstored = 64;

    private readonly SemaphoreSlim _room = new(MaxUnstored);
    private long _unfinished;

    internal string Host => host;
    /// <summary>Null for a host.</summary>
    internal AmqpGuest? Guest { get; init; }
    internal NetworkStream Stream => stream;

    internal void Close() => stream.Dispose();

    /// <summary>Waits while too many of the host's messages aren't stored yet: what it sends then waits in its own machine.</summary>
    internal async Task Room()
    {
        await _room.WaitAsync();
        _room.Release();
    }

    /// <summary>A message is complete. <see cref="Room"/> was waited for before its last frame was read.</summary>
    internal void Begin()
    {
        Interlocked.Exchange(ref _unfinished, 0);
        _room.Wait(0);
    }

    internal void End() => _room.Release();

    /// <exception cref="IOException">So much came without making a message that it can't become one.</exception>
    internal void Count(int bytes)
    {
        if (Interlocked.Add(ref _unfinished, bytes) > MaxMessage) throw new IOException($"host {host} sends more than a message may hold");
    }
}

/// <summary>A host's connection as the AMQP library wants it. The library sees whole frames that passed <see cref="AmqpFrame.Check"/>, or the end.</summary>
internal sealed class AmqpTransport(AmqpPeer peer) : IAsyncTransport, IAuthenticated
{
    private byte[] _frame = new byte[512];
    private int _at;
    private int _end;
    private bool _greeted;

    public IPrincipal Principal => peer;

    public void SetConnection(Connection connection) { }

    public async Task<int> ReceiveAsync(byte[] buffer, int offset, int count)
    {
        if (_at == _end) await Fill();
        var some = Math.Min(count, _end - _at);
        _frame.AsSpan(_at, some).CopyTo(buffer.AsSpan(offset));
        _at += some;
        return some;
    }

    public async Task SendAsync(IList<ByteBuffer> bufferList, int listSize)
    {
        foreach (var buffer in bufferList) await peer.Stream.WriteAsync(buffer.Buffer.AsMemory(buffer.Offset, buffer.Length));
    }

    public int Receive(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public void Send(ByteBuffer buffer) => peer.Stream.Write(buffer.Buffer, buffer.Offset, buffer.Length);

    public void Close() => peer.Close();

    private async Task Fill()
    {
        await peer.Room();
        (_at, _end) = (0, await peer.Stream.ReadAtLeastAsync(_frame.AsMemory(0, _greeted ? 4 : 8), _greeted ? 4 : 8, throwOnEndOfStream: false));
        if (_end < 4) { _end = 0; return; }
        if (!_greeted) { _greeted = true; return; }
        var size = BinaryPrimitives.ReadInt32BigEndian(_frame);
        if (size is < 8 or > AmqpListener.MaxFrame) throw new IOException($"a frame of {size} bytes");
        if (size > _frame.Length) Array.Resize(ref _frame, size);
        await peer.Stream.ReadExactlyAsync(_frame.AsMemory(4, size - 4));
        AmqpFrame.Check(_frame.AsSpan(0, size));
        _end = size;
        peer.Count(size);
    }
}
