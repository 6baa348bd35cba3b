namespace Cloud.Telemetry;

/// <summary>Unpacks Snappy's block format: https://github.com/google/snappy/blob/main/format_description.txt. Nothing in it is trusted.</summary>
internal static class Snappy
{
    /// <exception cref="FormatException">It is none, or larger than <paramref name="most"/>.</exception>
    public static byte[] Unpack(ReadOnlySpan<byte> packed, int most)
    {
        var at = 0;
        var length = Protobuf.Varint(packed, ref at);
        if (length > (ulong)most) throw new FormatException("the body is too large");
        var (output, end) = (new byte[(int)length], 0);
        while (at < packed.Length)
        {
            var tag = packed[at++];
            int count, offset;
            if ((tag & 3) == 0)
            {
                count = tag >> 2;
                // Lengths above 60 follow in one to four bytes.
                if (count >= 60) count = (int)Little(packed, ref at, count - 59) is var n and >= 0 ? n : throw Bad();
                count++;
                if (count <= 0 || count > packed.Length - at || count > output.Length - end) throw Bad();
                packed.Slice(at, count).CopyTo(output.AsSpan(end));
                (at, end) = (at + count, end + count);
                continue;
            }
            (count, offset) = (tag & 3) switch
            {
                1 => (4 + ((tag >> 2) & 7), (tag >> 5 << 8) | (int)Little(packed, ref at, 1)),
                2 => (1 + (tag >> 2), (int)Little(packed, ref at, 2)),
                _ => (1 + (tag >> 2), (int)Little(packed, ref at, 4)),
            };
            if (offset <= 0 || offset > end || count > output.Length - end) throw Bad();
            // What is copied may still be in the making.
            for (var i = 0; i < count; i++, end++) output[end] = output[end - offset];
        }
        return end == output.Length ? output : throw Bad();
    }

    private static uint Little(ReadOnlySpan<byte> from, ref int at, int bytes)
    {
        if (bytes > from.Length - at) throw Bad();
        uint n = 0;
        for (var i = 0; i < bytes; i++) n |= (uint)from[at++] << (8 * i);
        return n;
    }

    private static FormatException Bad() => new("the body is not in Snappy's format");
}

/// <summary>Reads fields of a protocol buffer, one after the other.</summary>
internal static class Protobuf
{
    /// <exception cref="FormatException">It ends too early.</exception>
    public static ulong Varint(ReadOnlySpan<byte> from, ref int at)
    {
        ulong n = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at >= from.Length) throw Bad();
            var b = from[at++];
            n |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return n;
        }
        throw Bad();
    }

    /// <summary>The next field: its number, and its bytes or its value.</summary>
    public static (int Number, ReadOnlyMemory<byte> Bytes, ulong Value) Next(ReadOnlyMemory<byte> from, ref int at)
    {
        var span = from.Span;
        var key = Varint(span, ref at);
        switch (key & 7)
        {
            case 0: return ((int)(key >> 3), default, Varint(span, ref at));
            case 1 when at + 8 <= span.Length: at += 8; return ((int)(key >> 3), from.Slice(at - 8, 8), 0);
            case 5 when at + 4 <= span.Length: at += 4; return ((int)(key >> 3), from.Slice(at - 4, 4), 0);
            case 2:
                var length = Varint(span, ref at);
                if (length > (ulong)(span.Length - at)) throw Bad();
                at += (int)length;
                return ((int)(key >> 3), from.Slice(at - (int)length, (int)length), 0);
            default: throw Bad();
        }
    }

    private static FormatException Bad() => new("the body is not a protocol buffer");
}
