using System.Buffers.Binary;
using System.Text;

namespace Cloud.Agents.Host.Disks;

/// <summary>The few fields of a qcow2 header that matter here, read without qemu.</summary>
/// <param name="Backing">Path of the file below, or null.</param>
/// <param name="Bytes">Size that a guest sees.</param>
/// <param name="ExternalData">The data are in another file that the header names.</param>
public sealed record Qcow2(string? Backing, long Bytes, bool ExternalData)
{
    private const uint Magic = 0x514649FB;
    private const int MaxBackingName = 1023;

    /// <returns>Null when the file isn't qcow2.</returns>
    public static Qcow2? Read(string path)
    {
        using var file = File.OpenHandle(path);
        Span<byte> header = stackalloc byte[80];
        header.Clear();
        if (RandomAccess.Read(file, header, 0) < 72 || BinaryPrimitives.ReadUInt32BigEndian(header) != Magic)
            return null;

        var version = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        var backingAt = BinaryPrimitives.ReadInt64BigEndian(header[8..]);
        var backingLength = BinaryPrimitives.ReadInt32BigEndian(header[16..]);
        string? backing = null;
        if (backingAt != 0)
        {
            if (backingAt < 0 || backingLength is < 1 or > MaxBackingName)
                throw new HandlerFault("a disk's header is damaged", retry: false);
            var name = new byte[backingLength];
            var read = RandomAccess.Read(file, name, backingAt);
            backing = Encoding.UTF8.GetString(name, 0, read);
        }

        var externalData = version >= 3 && (BinaryPrimitives.ReadUInt64BigEndian(header[72..]) & 4) != 0;
        return new Qcow2(backing, BinaryPrimitives.ReadInt64BigEndian(header[24..]), externalData);
    }
}
