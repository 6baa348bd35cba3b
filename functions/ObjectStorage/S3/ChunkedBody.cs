using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>A body in Amazon's chunks: SIZE[;chunk-signature=...] on a line, the bytes, an end of line; the last is empty, and headers may follow it.</summary>
/// <param name="sign">The signature that a chunk with a hash must have; null when chunks are not signed.</param>
internal sealed class ChunkedBody(Stream inner, Func<byte[], string>? sign) : ForwardStream
{
    private const int MaxLine = 1024;
    private readonly PipeReader _reader = PipeReader.Create(inner, new(leaveOpen: true));
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _left;
    private string _signature = "";
    private bool _begun, _ended;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_ended || buffer.Length == 0) return 0;
        if (_left == 0)
        {
            if (_begun) await End(cancellationToken);
            await Begin(cancellationToken);
            if (_left == 0)
            {
                Check();
                _ended = true;
                return 0;
            }
        }
        var read = await _reader.ReadAsync(cancellationToken);
        if (read.Buffer.Length == 0) throw Incomplete();
        var part = read.Buffer.Slice(0, Math.Min(Math.Min(read.Buffer.Length, _left), buffer.Length));
        part.CopyTo(buffer.Span);
        var n = (int)part.Length;
        _hash.AppendData(buffer.Span[..n]);
        _left -= n;
        _reader.AdvanceTo(part.End);
        return n;
    }

    private async ValueTask Begin(CancellationToken ct)
    {
        var line = await Line(ct);
        var parts = line.Split(';', 2);
        if (!long.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _left) || _left < 0) throw Incomplete();
        _signature = parts is [_, var more] && more.StartsWith("chunk-signature=", StringComparison.Ordinal) ? more["chunk-signature=".Length..] : "";
        _begun = true;
    }

    private async ValueTask End(CancellationToken ct)
    {
        if ((await Line(ct)).Length > 0) throw Incomplete();
        Check();
    }

    private void Check()
    {
        var hash = _hash.GetHashAndReset();
        if (sign is not null && sign(hash) != _signature) throw new Fault(403, "The signature of a chunk does not match.") { Kind = "SignatureDoesNotMatch" };
    }

    private async ValueTask<string> Line(CancellationToken ct)
    {
        while (true)
        {
            var read = await _reader.ReadAsync(ct);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.ASCII.GetString(read.Buffer.Slice(0, end)).TrimEnd('\r');
                _reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }
            if (read.IsCompleted || read.Buffer.Length > MaxLine) throw Incomplete();
            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static Fault Incomplete() => new(400, "You did not provide the number of bytes specified by the chunks.") { Kind = "IncompleteBody" };

    protected override void Dispose(bool disposing)
    {
        if (disposing) _hash.Dispose();
        base.Dispose(disposing);
    }
}
