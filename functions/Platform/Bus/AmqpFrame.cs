using System.Buffers.Binary;

namespace Cloud.Platform.Bus;

/// <summary>
/// Looks through a frame's performative before the AMQP library decodes it: the library follows nested values by recursion and makes
/// arrays of the promised length, so sixty kilobytes could end the process.
/// </summary>
internal static class AmqpFrame
{
    private const int MaxDepth = 12; // an attach with filters needs 6

    /// <exception cref="IOException">It is nested too deep, or promises more than it holds.</exception>
    internal static void Check(ReadOnlySpan<byte> frame)
    {
        var body = frame[4] * 4;
        if (body < 8 || body > frame.Length) throw Malformed();
        if (body == frame.Length) return; // a heartbeat
        try { Value(frame, body, 0); }
        catch (IndexOutOfRangeException) { throw Malformed(); }
        catch (ArgumentOutOfRangeException) { throw Malformed(); }
    }

    /// <returns>Where the value ends.</returns>
    private static int Value(ReadOnlySpan<byte> b, int at, int depth)
    {
        if (depth > MaxDepth) throw new IOException("an AMQP value is nested too deep");
        return (b[at] >> 4) switch
        {
            0x0 => Value(b, Value(b, at + 1, depth + 1), depth + 1), // descriptor, value
            0x4 => at + 1,
            0x5 => at + 2,
            0x6 => at + 3,
            0x7 => at + 5,
            0x8 => at + 9,
            0x9 => at + 17,
            0xA => at + 2 + b[at + 1],
            0xB => at + 5 + Long(b, at + 1),
            0xC => Values(b, at + 3, b[at + 2], depth),
            0xD => Values(b, at + 9, Long(b, at + 5), depth),
            0xE => Array(b, at + 3, b[at + 2], at + 2 + b[at + 1]),
            0xF => Array(b, at + 9, Long(b, at + 5), at + 5 + Long(b, at + 1)),
            _ => throw Malformed(),
        };
    }

    private static int Values(ReadOnlySpan<byte> b, int at, int count, int depth)
    {
        for (; count > 0; count--) at = Value(b, at, depth + 1);
        return at;
    }

    /// <summary>Of simple values only, at most one a byte.</summary>
    private static int Array(ReadOnlySpan<byte> b, int constructor, int count, int end) =>
        b[constructor] is >= 0x40 and < 0xC0 and not 0x45 && count <= end - constructor && end <= b.Length ? end : throw Malformed();

    private static int Long(ReadOnlySpan<byte> b, int at) => BinaryPrimitives.ReadInt32BigEndian(b[at..]) is >= 0 and <= AmqpListener.MaxFrame and var n ? n : throw Malformed();

    private static IOException Malformed() => new("an AMQP frame is malformed");
}
