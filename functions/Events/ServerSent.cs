using System.Text;
using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;

namespace Cloud.Events;

/// <summary>
/// Events as text/event-stream (HTML Living Standard, 9.2), for as long as the reader stays, at most an hour: then, as after any break, it comes back
/// with the id of the last event it has. The body makes itself as it is read; nobody waits with a thread.
/// </summary>
internal sealed class ServerSent(Call c, Reading reading, IDisposable place) : ForwardStream
{
    private const int Piece = 100;
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1), Silence = TimeSpan.FromSeconds(15);

    private readonly DateTimeOffset _until = c.Now + Longest;
    private ReadOnlyMemory<byte> _ready = Encoding.UTF8.GetBytes(": events follow\nretry: 2000\n\n");

    public static Reply Of(Call c, Reading reading, IDisposable place) =>
        new Reply { Status = 200, ContentType = "text/event-stream", Stream = new ServerSent(c, reading, place) }.With("Cache-Control", "no-store").With("X-Accel-Buffering", "no");

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_ready.Length == 0)
        {
            // Who may read is looked at anew each time: a token may be revoked meanwhile.
            if (c.Now >= _until || c.Stopping.IsCancellationRequested || await c.Services.Tokens.Verify(c.Token!, cancellationToken) is null) return 0;
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, c.Stopping);
            try { _ready = Text(await reading.Next(Piece, Silence, both.Token)); }
            catch (OperationCanceledException) when (c.Stopping.IsCancellationRequested) { return 0; }
        }
        var n = Math.Min(buffer.Length, _ready.Length);
        _ready.Span[..n].CopyTo(buffer.Span);
        _ready = _ready[n..];
        return n;
    }

    /// <summary>In silence only where the reader is, so that proxies keep the line open and filters are not run through again.</summary>
    private byte[] Text(IReadOnlyList<LogEntry> entries)
    {
        if (entries.Count == 0) return Encoding.UTF8.GetBytes($": nothing new\nid: {EventBody.Text(reading.Cursor)}\n\n");
        var text = new StringBuilder();
        foreach (var entry in entries)
            text.Append("id: ").Append(EventBody.Text(EventBody.NumberOf(entry, reading.All))).Append("\nevent: ").Append(entry.Event!.Value.GetProperty("type").GetString())
                .Append("\ndata: ").Append(Encoding.UTF8.GetString(EventBody.Of(entry, reading.All).Span)).Append("\n\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) place.Dispose();
        base.Dispose(disposing);
    }
}
