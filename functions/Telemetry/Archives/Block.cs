using System.Buffers.Binary;

namespace Cloud.Telemetry;

/// <summary>
/// How points lie in rows: 8 bytes of time, then 8 bytes a column, little-endian. A row of an archive has a column for each of the policy's
/// aggregation methods, in their order; one that has no value in a span is NaN. A row of raw samples has one column.
/// </summary>
internal static class Block
{
    /// <summary>Raw samples in a row at most: 64 KiB.</summary>
    public const int MostRaw = 4096;

    /// <summary>Spans that one row of an archive covers.</summary>
    public static int Spans(int columns) => columns > 30 ? 30 : 60;

    public static byte[] Write(IReadOnlyList<(long Time, double[] Columns)> points, int columns)
    {
        var (width, body) = (8 + 8 * columns, new byte[points.Count * (8 + 8 * columns)]);
        for (var i = 0; i < points.Count; i++)
        {
            var at = body.AsSpan(i * width);
            BinaryPrimitives.WriteInt64LittleEndian(at, points[i].Time);
            for (var c = 0; c < columns; c++) BinaryPrimitives.WriteDoubleLittleEndian(at[(8 + 8 * c)..], points[i].Columns[c]);
        }
        return body;
    }

    public static byte[] Write(Series series)
    {
        var body = new byte[series.Count * 16];
        for (var i = 0; i < series.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(i * 16), series.Times[i]);
            BinaryPrimitives.WriteDoubleLittleEndian(body.AsSpan(i * 16 + 8), series.Values[i]);
        }
        return body;
    }

    public static IEnumerable<(long Time, double[] Columns)> Read(ReadOnlyMemory<byte> body, int columns)
    {
        var width = 8 + 8 * columns;
        for (var i = 0; i + width <= body.Length; i += width)
        {
            var values = new double[columns];
            for (var c = 0; c < columns; c++) values[c] = BinaryPrimitives.ReadDoubleLittleEndian(body.Span[(i + 8 + 8 * c)..]);
            yield return (BinaryPrimitives.ReadInt64LittleEndian(body.Span[i..]), values);
        }
    }

    /// <summary>Adds one column's points, those without a value left out.</summary>
    public static void Read(ReadOnlyMemory<byte> body, int columns, int column, List<long> times, List<double> values)
    {
        var width = 8 + 8 * columns;
        for (var i = 0; i + width <= body.Length; i += width)
        {
            var value = BinaryPrimitives.ReadDoubleLittleEndian(body.Span[(i + 8 + 8 * column)..]);
            if (double.IsNaN(value)) continue;
            times.Add(BinaryPrimitives.ReadInt64LittleEndian(body.Span[i..]));
            values.Add(value);
        }
    }
}
