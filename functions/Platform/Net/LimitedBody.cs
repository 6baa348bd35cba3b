namespace Cloud.Platform.Net;

/// <summary>A moment after which a token is cancelled, on the injected clock, or earlier when the caller gives up.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _both;

    public Deadline(TimeProvider clock, TimeSpan after, CancellationToken outer)
    {
        _timer = new(after, clock);
        _both = CancellationTokenSource.CreateLinkedTokenSource(outer, _timer.Token);
    }

    public CancellationToken Token => _both.Token;

    public void Dispose()
    {
        _both.Dispose();
        _timer.Dispose();
    }
}

/// <summary>The body of a download, which ends in <see cref="OutboundException"/> when it gets too long, too slow or too late.</summary>
internal sealed class LimitedBody(Stream inner, HttpResponseMessage answer, Deadline wall, OutboundLimits limits, TimeProvider clock) : Stream
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private readonly long _start = clock.GetTimestamp();
    private long _read;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var idle = new Deadline(clock, Grace, wall.Token);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
        int n;
        try { n = await inner.ReadAsync(buffer, any.Token); }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw OutboundException.Unreachable(e);
        }
        _read += n;
        if (_read > limits.MaxBytes) throw new OutboundException($"The data is larger than {limits.MaxBytes} bytes.");
        var taken = clock.GetElapsedTime(_start);
        if (n > 0 && taken > Grace && _read < limits.MinBytesPerSecond * taken.TotalSeconds) throw new OutboundException("The data comes too slowly.");
        return n;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => _read; set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            answer.Dispose();
            wall.Dispose();
        }
        base.Dispose(disposing);
    }
}
