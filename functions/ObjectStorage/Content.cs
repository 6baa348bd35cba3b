using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Bytes that can be read from anywhere: of one blob, or of many segments one after the other.</summary>
/// <param name="Open">From an offset, so many. Null when they can't be read now.</param>
internal sealed record Content(long Length, Func<long, long, CancellationToken, Task<Stream?>> Open)
{
    public static Content Of(Services s, StoredObject o) => new(o.Blob?.Bytes ?? 0, async (from, length, ct) =>
        o.Blob is { } blob ? await s.Objects.Read(blob.Name, blob.Sealed, from, length, ct) : Stream.Null);

    public static Content Of(byte[] bytes) => new(bytes.Length, (from, length, _) => Task.FromResult<Stream?>(new MemoryStream(bytes, (int)from, (int)length)));

    /// <summary>Several in a row; each is opened when the one before it ends, the first at once.</summary>
    public static Content Of(IReadOnlyList<Content> parts) => new(parts.Sum(p => p.Length), async (from, length, ct) =>
    {
        var wanted = new List<Func<CancellationToken, Task<Stream?>>>();
        long start = 0;
        foreach (var part in parts)
        {
            var (first, last) = (Math.Max(from, start), Math.Min(from + length, start + part.Length));
            var offset = first - start;
            if (last > first) wanted.Add(cancelled => part.Open(offset, last - first, cancelled));
            start += part.Length;
        }
        var chain = new Chain(wanted);
        return await chain.Begin(ct) ? chain : null;
    });

    /// <exception cref="Fault">503 when no copy can be read.</exception>
    public async Task<Stream> Read(long from, long length, CancellationToken ct) => await Open(from, length, ct) ?? throw new Fault(503, "The object can't be read now.") { Headers = [("Retry-After", "5")] };
}

/// <summary>Streams one after the other.</summary>
internal sealed class Chain(IReadOnlyList<Func<CancellationToken, Task<Stream?>>> parts) : ForwardStream
{
    private int _next;
    private Stream? _now;

    /// <summary>Opens the first; false when it can't be read now.</summary>
    public async Task<bool> Begin(CancellationToken ct) => parts.Count == 0 || (_now = await parts[_next++](ct)) is not null;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ct = default)
    {
        while (true)
        {
            if (_now is not null && await _now.ReadAsync(buffer, ct) is > 0 and var n) return n;
            if (_now is not null) await _now.DisposeAsync();
            _now = null;
            if (_next == parts.Count) return 0;
            _now = await parts[_next++](ct) ?? throw new IOException("a segment can't be read");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _now?.Dispose();
        base.Dispose(disposing);
    }
}
