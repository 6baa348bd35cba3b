using System.Globalization;

namespace Cloud.Platform.Rest;

/// <summary>A part of something's bytes.</summary>
public readonly record struct ByteRange(long From, long Length)
{
    /// <summary>The Range header: bytes=0-99, bytes=100-, bytes=-50, or several with commas between.</summary>
    /// <returns>Null when it says nothing that can be understood; empty when no part of it can be satisfied.</returns>
    public static IReadOnlyList<ByteRange>? Parse(string? header, long size)
    {
        if (header is null || !header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase)) return null;
        var ranges = new List<ByteRange>();
        foreach (var text in header[6..].Split(',', StringSplitOptions.TrimEntries))
        {
            if (text.Split('-') is not [var first, var last] || first.Length + last.Length == 0) return null;
            if (!Number(first, out var from) || !Number(last, out var to)) return null;
            if (first.Length == 0)
            {
                if (to > 0 && size > 0) ranges.Add(new(Math.Max(0, size - to), Math.Min(to, size)));
                continue;
            }
            if (last.Length > 0 && to < from) return null;
            if (last.Length == 0 || to >= size) to = size - 1;
            if (from < size) ranges.Add(new(from, to - from + 1));
        }
        return ranges;
    }

    /// <summary>As in Content-Range.</summary>
    public string Of(long size) => string.Create(CultureInfo.InvariantCulture, $"bytes {From}-{From + Length - 1}/{size}");

    private static bool Number(string text, out long n) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out n) || text.Length == 0;
}
