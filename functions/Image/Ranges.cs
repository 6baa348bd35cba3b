using System.Globalization;

namespace Cloud.Image;

/// <summary>One range of bytes as HTTP writes it: bytes=0-99, bytes=100-, bytes=-50.</summary>
public static class Ranges
{
    /// <returns>Null when it can't be satisfied.</returns>
    public static (long From, long Length)? Parse(string header, long size)
    {
        if (!header.StartsWith("bytes=", StringComparison.Ordinal) || header[6..].Split('-') is not [var first, var last]) return null;
        bool Number(string s, out long n) => long.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out n);
        if (first.Length == 0) return Number(last, out var tail) && tail > 0 ? (Math.Max(0, size - tail), Math.Min(tail, size)) : null;
        if (!Number(first, out var from) || from >= size) return null;
        var to = size - 1;
        if (last.Length > 0 && !Number(last, out to)) return null;
        to = Math.Min(to, size - 1);
        return to < from ? null : (from, to - from + 1);
    }
}
