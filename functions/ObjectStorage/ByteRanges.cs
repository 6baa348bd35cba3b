using System.Globalization;
using System.Text;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>The Range header: one range, or several that are answered as multipart/byteranges.</summary>
internal static class ByteRanges
{
    private const int Most = 50;

    /// <returns>Null when the header says nothing that can be understood, and is ignored; empty when none can be satisfied.</returns>
    public static IReadOnlyList<(long From, long Length)>? Parse(string? header, long size)
    {
        if (header is null || !header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase)) return null;
        var ranges = new List<(long, long)>();
        foreach (var text in header[6..].Split(',', StringSplitOptions.TrimEntries))
        {
            if (text.Split('-') is not [var first, var last] || first.Length + last.Length == 0) return null;
            if (!Number(first, out var from) || !Number(last, out var to)) return null;
            if (first.Length == 0)
            {
                if (to > 0 && size > 0) ranges.Add((Math.Max(0, size - to), Math.Min(to, size)));
                continue;
            }
            if (last.Length == 0 || to >= size) to = last.Length > 0 && to < from ? -1 : size - 1;
            if (last.Length > 0 && to < from && from < size) return null;
            if (from < size && to >= from) ranges.Add((from, to - from + 1));
        }
        return ranges.Count > Most ? [] : ranges;
    }

    /// <summary>The content or the part of it that is asked for.</summary>
    public static async ValueTask<Reply> Answer(Call c, Content content, string contentType)
    {
        var ranges = c.Method == "GET" ? Parse(c.Header("Range"), content.Length) : null;
        if (ranges is { Count: 0 }) return SwiftDialect.Page(416, "The Range requested is not available.").With("Content-Range", $"bytes */{content.Length}");
        if (ranges is { Count: > 1 }) return Several(c, content, contentType, ranges);
        var (from, length) = ranges is [var one] ? one : (0, content.Length);
        var status = ranges is null ? 200 : 206;
        var reply = c.Method == "HEAD" ? Reply.Empty(status).With("Content-Type", contentType) : new() { Status = status, ContentType = contentType, Stream = await content.Read(from, length, c.Cancelled) };
        if (status == 206) reply.With("Content-Range", Range(from, length, content.Length));
        return reply.With("Content-Length", SwiftDialect.Number(length));
    }

    private static Reply Several(Call c, Content content, string contentType, IReadOnlyList<(long From, long Length)> ranges)
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
        foreach (var (from, length) in ranges)
        {
            Add($"--{boundary}\r\nContent-Type: {contentType}\r\nContent-Range: {Range(from, length, content.Length)}\r\n\r\n");
            parts.Add(ct => content.Open(from, length, ct));
            total += length;
            Add("\r\n");
        }
        Add($"--{boundary}--");
        return new Reply { Status = 206, ContentType = "multipart/byteranges;boundary=" + boundary, Stream = new Chain(parts) }.With("Content-Length", SwiftDialect.Number(total));
    }

    private static string Range(long from, long length, long size) => string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{from + length - 1}/{size}");
    private static bool Number(string text, out long n) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out n) || text.Length == 0;
}
