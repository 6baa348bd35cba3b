namespace Cloud.Platform.Blobs;

/// <summary>Something that can be opened from any place on, as a stream in which one can move.</summary>
/// <param name="open">Its bytes from a position to the end.</param>
public sealed class RangedStream(long length, Func<long, CancellationToken, Task<Stream>> open) : ForwardStream
{
    private Stream? _inner;
    private long _at;

    public override bool CanSeek => true;
    public override long Length => length;

    public override long Position
    {
        get => _at;
        set
        {
            if (value == _at) return;
            _inner?.Dispose();
            (_inner, _at) = (null, value);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_at >= length) return 0;
        _inner ??= await open(_at, cancellationToken);
        var n = await _inner.ReadAsync(buffer, cancellationToken);
        _at += n;
        return n;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _inner?.Dispose();
        base.Dispose(disposing);
    }
}
