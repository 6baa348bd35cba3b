using System.Text;
using System.Text.Json;
using Cloud.ObjectStorage.Bulk;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Manifests;

/// <summary>
/// PUT ?multipart-manifest=put&amp;heartbeat=on: answered with 202 and a blank before the segments are looked at, and another blank every ten seconds, so that nobody in
/// between takes the connection for dead; what became of it is said in the body.
/// </summary>
internal sealed class Heartbeat(Func<Task<byte[]>> work, TimeProvider clock) : ForwardStream
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    private Task<byte[]>? _work;
    private ReadOnlyMemory<byte>? _rest;

    public static Reply Reply(Call c, Func<BulkReport, ValueTask<StoredObject>> make)
    {
        var report = new BulkReport("upload");
        var format = ListQuery.FormatOf(c);
        return new()
        {
            Status = 202, ContentType = format switch { ListFormat.Json => "application/json; charset=utf-8", ListFormat.Xml => "application/xml; charset=utf-8", _ => SwiftDialect.Plain },
            Stream = new Heartbeat(async () => Bytes(await Told(c, report, make)), c.Services.Clock),
        };
    }

    private static async Task<Reply> Told(Call c, BulkReport report, Func<BulkReport, ValueTask<StoredObject>> make)
    {
        try
        {
            var made = await make(report);
            report.Say("Etag", Uploads.ETagOf(made));
            report.Say("Last Modified", SwiftDialect.HttpDate(made.Modified));
            return report.Told(c, 201, "");
        }
        catch (Fault f) { return report.Told(c, f.Status, f.Message); }
    }

    private static byte[] Bytes(Reply reply)
    {
        if (reply.Json is not { } write) return Encoding.UTF8.GetBytes(reply.Text!);
        using var json = new MemoryStream();
        using (var w = new Utf8JsonWriter(json)) write(w);
        return json.ToArray();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ct = default)
    {
        if (buffer.Length == 0) return 0;
        if (_work is null)
        {
            _work = work();
            return Blank(buffer);
        }
        if (_rest is null)
        {
            if (!_work.IsCompleted && await Task.WhenAny(_work, Task.Delay(Every, clock, ct)) != _work) return Blank(buffer);
            var told = await _work;
            _rest = (byte[])[.. "\r\n\r\n"u8, .. told];
        }
        var n = Math.Min(buffer.Length, _rest.Value.Length);
        _rest.Value[..n].CopyTo(buffer);
        _rest = _rest.Value[n..];
        return n;
    }

    private static int Blank(Memory<byte> buffer)
    {
        buffer.Span[0] = (byte)' ';
        return 1;
    }
}
