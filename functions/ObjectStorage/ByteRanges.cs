using System.Text;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Answers the Range header: with one range, or with several as multipart/byteranges.</summary>
internal static class ByteRanges
{
    private const int Most = 50;

    /// <summary>The content or the part of it that is asked for.</summary>
    public static async ValueTask<Reply> Answer(Call c, Content content, string contentType)
    {
        var ranges = c.Method == "GET" ? ByteRange.Parse(c.Header("Range"), content.Length) : null;
        if (ranges is { Count: 0 or > Most }) return SwiftDialect.Page(416, "The Range requested is not available.").With("Content-Range", $"bytes */{content.Length}");
        if (ranges is { Count: > 1 }) return Several(c, content, contentType, ranges);
        var range = ranges is [var one] ? one : new(0, content.Length);
        var status = ranges is null ? 200 : 206;
        var reply = c.Method == "HEAD" ? Reply.Empty(status).With("Content-Type", contentType) : new() { Status = status, ContentType = contentType, Stream = await content.Read(range.From, range.Length, c.Cancelled) };
        if (status == 206) reply.With("Content-Range", range.Of(content.Length));
        return reply.With("Content-Length", SwiftDialect.Number(range.Length));
    }

    private static Reply Several(Call c, Content content, string contentType, IReadOnlyList<ByteRange> ranges)
    {
        var boundary = c.RequestId.Replace("-", "", StringComparison.Ordinal);
        var parts = new List<Func<CancellationToken, Task<Stream?>>>();
        long total = 0;
        void Add(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            total += bytes.Length;
            parts.Add(_ => Task.FromResult<Stream?>(new MemoryStream(bytes)));
        }
        foreach (var range in ranges)
        {
            Add($"--{boundary}\r\nContent-Type: {contentType}\r\nContent-Range: {range.Of(content.Length)}\r\n\r\n");
            parts.Add(ct => content.Open(range.From, range.Length, ct));
            total += range.Length;
            Add("\r\n");
        }
        Add($"--{boundary}--");
        return new Reply { Status = 206, ContentType = "multipart/byteranges;boundary=" + boundary, Stream = new Chain(parts) }.With("Content-Length", SwiftDialect.Number(total));
    }
}
