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

    /// <summary>Several in a row; each is opened when the one before it ends.</summary>
    public static Content Of(IReadOnlyList<Content> parts) => new(parts.Sum(p => p.Length), (from, length, _) =>
    {
        var wanted = new List<Func<CancellationToken, Task<Stream?>>>();
        long start = 0;
        foreach (var part in parts)
        {
            var (first, last) = (Math.Max(from, start), Math.Min(from + length, start + part.Length));
            var offset = first - start;
            if (last > first) wanted.Add(ct => part.Open(offset, last - first, ct));
            start += part.Length;
        }
        return Task.FromResult<Stream?>(new Chain(wanted));
    });

    /// <exception cref="Fault">503 when no copy can be read.</exception>
    public async Task<Stream> Read(long from, long length, CancellationToken ct) => await Open(from, length, ct) ?? throw new Fault(503, "The object can't be read now.") { Headers = [("Retry-After", "5")] };
}

/// <summary>Streams one after the other.</summary>
internal sealed class Chain(IEnumerable<Func<CancellationToken, Task<Stream?>>> parts) : ForwardStream
{
    private readonly IEnumerator<Func<CancellationToken, Task<Stream?>>> _parts = parts.GetEnumerator();
    private Stream? _now;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ct = default)
    {
        while (true)
        {
            if (_now is not null && await _now.ReadAsync(buffer, ct) is > 0 and var n) return n;
            if (_now is not null) await _now.DisposeAsync();
            _now = null;
            if (!_parts.MoveNext()) return 0;
            _now = await _parts.Current(ct) ?? throw new IOException("a segment can't be read");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _now?.Dispose();
            _parts.Dispose();
        }
        base.Dispose(disposing);
    }
}
