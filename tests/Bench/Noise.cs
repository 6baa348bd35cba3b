namespace Cloud.Bench;

/// <summary>Bytes out of nowhere, as many as one wants; nothing compresses or recognises them.</summary>
internal sealed class Noise(long length) : Stream
{
    private static readonly byte[] Block = Made();
    private long _at;

    private static byte[] Made()
    {
        var block = new byte[(1 << 20) + 4093]; // no power of two: it never repeats at the same place of a block
        new Random(1).NextBytes(block);
        return block;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var from = (int)(_at % Block.Length);
        var n = (int)Math.Min(Math.Min(buffer.Length, Block.Length - from), length - _at);
        Block.AsSpan(from, n).CopyTo(buffer);
        _at += n;
        return n;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer, offset, count));
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => length;
    public override long Position { get => _at; set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
