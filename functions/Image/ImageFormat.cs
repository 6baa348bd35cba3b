using System.Buffers.Binary;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>Looks at the first bytes of an image: it must be what it says it is, and must not point at anything outside itself.</summary>
public static class ImageFormat
{
    /// <returns>Size of the disk in bytes where the format says it, else null.</returns>
    /// <exception cref="Fault">400: another format, or one that would make a host read files it names.</exception>
    public static long? Inspect(Stream bytes, string format)
    {
        Span<byte> head = stackalloc byte[1024];
        head = head[..bytes.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        var found = Detect(head);
        if (format == "qcow2")
        {
            if (found != "qcow2") throw Bad("its data is not in the qcow2 format");
            return Qcow2(head, bytes.Length);
        }
        if (format is "raw" or "iso" && found is not (null or "iso")) throw Bad($"its data is in the {found} format, not {format}");
        return format == "raw" ? bytes.Length : null;
    }

    private static string? Detect(ReadOnlySpan<byte> h) =>
        h.StartsWith((ReadOnlySpan<byte>)[0x51, 0x46, 0x49, 0xfb]) ? "qcow2"
        : h.StartsWith("KDMV"u8) || h.StartsWith("# Disk DescriptorFile"u8) ? "vmdk"
        : h.StartsWith("conectix"u8) ? "vhd"
        : h.StartsWith("vhdxfile"u8) ? "vhdx"
        : h.Length > 68 && BinaryPrimitives.ReadUInt32LittleEndian(h[64..]) == 0xbeda107f ? "vdi"
        : h.StartsWith("QED\0"u8) ? "qed" : null;

    // Layout: https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt
    private static long Qcow2(ReadOnlySpan<byte> h, long length)
    {
        if (h.Length < 104) throw Bad("its header is cut off");
        var version = BinaryPrimitives.ReadUInt32BigEndian(h[4..]);
        if (version is not (2 or 3)) throw Bad($"qcow2 version {version} is unknown");
        if (BinaryPrimitives.ReadUInt64BigEndian(h[8..]) != 0) throw Bad("it has a backing file");
        var size = BinaryPrimitives.ReadUInt64BigEndian(h[24..]);
        if (size is 0 or > (1UL << 46)) throw Bad("its disk size makes no sense");
        if (BinaryPrimitives.ReadUInt32BigEndian(h[32..]) != 0) throw Bad("it is encrypted");
        if (BinaryPrimitives.ReadUInt64BigEndian(h[40..]) > (ulong)length) throw Bad("its tables lie outside of it");
        // Bit 2: the data is in another file. Unknown bits mean a reader can't know what it reads.
        if (version == 3 && (BinaryPrimitives.ReadUInt64BigEndian(h[72..]) & ~0x1bUL) != 0) throw Bad("it needs an external data file or an unknown feature");
        return (long)size;
    }

    private static Fault Bad(string why) => Fault.BadRequest($"The image was refused: {why}.");
}
