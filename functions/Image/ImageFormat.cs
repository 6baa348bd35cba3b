using System.Buffers.Binary;
using System.Text;

namespace Cloud.Image;

/// <summary>
/// Looks at an image's first bytes, never at more than <see cref="MaxHead"/> of them: it must not be another format than it says, and must not
/// point at anything outside itself. Bytes of no known format pass as what they are said to be, but only what was recognised can be booted.
/// </summary>
public static class ImageFormat
{
    public const int MaxHead = 64 * 1024;
    private const ulong MaxDisk = 1UL << 46;

    /// <returns>Size of the disk in bytes where it is known, else null.</returns>
    /// <exception cref="InvalidDataException">Another format, or one that would make a host read files it names.</exception>
    public static long? Inspect(ReadOnlySpan<byte> head, long length, string format)
    {
        var found = Detect(head);
        if (found is not null && found != format && !(found == "iso" && format == "raw")) throw Bad($"its data is in the {found} format, not {format}");
        return format switch
        {
            "raw" => length,
            _ when found is null => null,
            "qcow2" => Qcow2(head, length),
            "vmdk" => Vmdk(head),
            "vhd" => Vhd(head),
            "vdi" => head.Length < 376 ? throw Bad("its header is cut off") : Disk(BinaryPrimitives.ReadUInt64LittleEndian(head[368..])),
            _ => null,
        };
    }

    private static string? Detect(ReadOnlySpan<byte> h) =>
        h.StartsWith((ReadOnlySpan<byte>)[0x51, 0x46, 0x49, 0xfb]) ? "qcow2"
        : h.StartsWith("KDMV"u8) || h.StartsWith("COWD"u8) || h.StartsWith("# Disk DescriptorFile"u8) ? "vmdk"
        : h.StartsWith("conectix"u8) ? "vhd"
        : h.StartsWith("vhdxfile"u8) ? "vhdx"
        : h.Length > 68 && BinaryPrimitives.ReadUInt32LittleEndian(h[64..]) == 0xbeda107f ? "vdi"
        : h.StartsWith("QED\0"u8) ? "qed"
        : h.StartsWith("WithoutFreeSpace"u8) || h.StartsWith("WithouFreSpacExt"u8) ? "ploop"
        : h.StartsWith((ReadOnlySpan<byte>)[0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe]) ? "luks"
        : h.Length > 0x8006 && h[0x8001..].StartsWith("CD001"u8) ? "iso" : null;

    // Layout: https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt
    private static long Qcow2(ReadOnlySpan<byte> h, long length)
    {
        if (h.Length < 104) throw Bad("its header is cut off");
        var version = BinaryPrimitives.ReadUInt32BigEndian(h[4..]);
        if (version is not (2 or 3)) throw Bad($"qcow2 version {version} is unknown");
        if (BinaryPrimitives.ReadUInt64BigEndian(h[8..]) != 0) throw Bad("it has a backing file");
        var clusterBits = BinaryPrimitives.ReadUInt32BigEndian(h[20..]);
        if (clusterBits is < 9 or > 21) throw Bad("its cluster size makes no sense");
        if (BinaryPrimitives.ReadUInt32BigEndian(h[32..]) != 0) throw Bad("it is encrypted");
        // A table of the disk's clusters and one of their use: both must lie within the file, whatever size they claim.
        var (l1Size, l1At) = (BinaryPrimitives.ReadUInt32BigEndian(h[36..]), BinaryPrimitives.ReadUInt64BigEndian(h[40..]));
        var (refsAt, refs) = (BinaryPrimitives.ReadUInt64BigEndian(h[48..]), BinaryPrimitives.ReadUInt32BigEndian(h[56..]));
        if (l1At > (ulong)length || l1Size * 8UL > (ulong)length - l1At || refsAt > (ulong)length || (ulong)refs << (int)clusterBits > (ulong)length - refsAt) throw Bad("its tables lie outside of it");
        // Bit 2: the data is in another file. Unknown bits mean a reader can't know what it reads.
        if (version == 3 && (BinaryPrimitives.ReadUInt64BigEndian(h[72..]) & ~0x1bUL) != 0) throw Bad("it needs an external data file or an unknown feature");
        Extensions(h, version == 2 ? 72 : (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(h[100..]), MaxHead));
        return Disk(BinaryPrimitives.ReadUInt64BigEndian(h[24..]));
    }

    private static void Extensions(ReadOnlySpan<byte> h, int at)
    {
        while (at + 8 <= h.Length)
        {
            var (type, size) = (BinaryPrimitives.ReadUInt32BigEndian(h[at..]), BinaryPrimitives.ReadUInt32BigEndian(h[(at + 4)..]));
            if (type == 0) return;
            if (type is 0xE2792ACA or 0x44415441) throw Bad("it names another file");
            if (size > MaxHead) throw Bad("its header extensions make no sense");
            at += 8 + (int)((size + 7) & ~7u);
        }
    }

    // Only those that hold their data themselves; the descriptor of the others names files of whoever opens them.
    private static long Vmdk(ReadOnlySpan<byte> h)
    {
        if (!h.StartsWith("KDMV"u8) || h.Length < 512) throw Bad("it is a VMDK whose data is in other files");
        var (at, size) = (BinaryPrimitives.ReadUInt64LittleEndian(h[28..]) * 512, BinaryPrimitives.ReadUInt64LittleEndian(h[36..]) * 512);
        if (at < 512 || size is 0 or > MaxHead || at + size > (ulong)h.Length) throw Bad("its descriptor isn't where it should be");
        var lines = Encoding.Latin1.GetString(h.Slice((int)at, (int)size)).Split('\n', StringSplitOptions.TrimEntries);
        var type = Array.Find(lines, l => l.StartsWith("createType", StringComparison.OrdinalIgnoreCase))?.Split('=')[^1].Trim(' ', '"');
        var extents = Array.FindAll(lines, l => l.StartsWith("RW ", StringComparison.Ordinal) || l.StartsWith("RDONLY ", StringComparison.Ordinal) || l.StartsWith("NOACCESS ", StringComparison.Ordinal));
        if (type is not ("monolithicSparse" or "streamOptimized") || extents.Length != 1 || !extents[0].Contains(" SPARSE ", StringComparison.Ordinal) || extents[0].AsSpan().IndexOfAny('/', '\\') >= 0
            || Array.Exists(lines, l => l.StartsWith("parentFileNameHint", StringComparison.OrdinalIgnoreCase)))
            throw Bad("it is a VMDK whose data is in other files");
        return Disk(BinaryPrimitives.ReadUInt64LittleEndian(h[12..]) * 512);
    }

    private static long Vhd(ReadOnlySpan<byte> h)
    {
        if (h.Length < 512) throw Bad("its header is cut off");
        if (BinaryPrimitives.ReadUInt32BigEndian(h[60..]) == 4) throw Bad("it is the difference to another file");
        return Disk(BinaryPrimitives.ReadUInt64BigEndian(h[48..]));
    }

    private static long Disk(ulong size) => size is > 0 and <= MaxDisk ? (long)size : throw Bad("its disk size makes no sense");

    private static InvalidDataException Bad(string why) => new(why);
}
