using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Cloud.Tests.Kit;

/// <summary>Image files of a few bytes: honest ones, and those that attackers make.</summary>
public static class ImageBytes
{
    /// <summary>A qcow2 header with its two tables, and whatever is changed of it.</summary>
    public static byte[] Qcow2(ulong size = 1 << 20, int version = 3, Action<byte[]>? change = null)
    {
        var b = new byte[0x40000];
        void U32(int at, uint v) => BinaryPrimitives.WriteUInt32BigEndian(b.AsSpan(at), v);
        void U64(int at, ulong v) => BinaryPrimitives.WriteUInt64BigEndian(b.AsSpan(at), v);
        U32(0, 0x514649fb); U32(4, (uint)version); U32(20, 16); U64(24, size); U32(36, 1); U64(40, 0x30000); U64(48, 0x10000); U32(56, 1);
        if (version == 3) { U32(96, 4); U32(100, 104); }
        change?.Invoke(b);
        return b;
    }

    /// <summary>A VMDK with its descriptor inside.</summary>
    public static byte[] Vmdk(string type, string extent, string more = "")
    {
        var b = new byte[64 * 1024];
        Encoding.ASCII.GetBytes("KDMV").CopyTo(b, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(12), 2048);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(28), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(36), 2);
        Encoding.ASCII.GetBytes($"# Disk DescriptorFile\nversion=1\n{more}createType=\"{type}\"\n{extent}\n").CopyTo(b, 512);
        return b;
    }

    public static void Put32(this byte[] b, int at, uint v) => BinaryPrimitives.WriteUInt32BigEndian(b.AsSpan(at), v);
    public static void Put64(this byte[] b, int at, ulong v) => BinaryPrimitives.WriteUInt64BigEndian(b.AsSpan(at), v);

    /// <summary>Makes an image and uploads its data; the image's id and the answer to the upload.</summary>
    public static async Task<(string Id, Answer Upload)> Image(this TestCloud cloud, byte[] data, string format = "raw", string user = "demo", object? with = null)
    {
        var body = new Dictionary<string, object> { ["name"] = "i", ["disk_format"] = format, ["container_format"] = "bare" };
        foreach (var p in JsonSerializer.SerializeToElement(with ?? new { }).EnumerateObject()) body[p.Name] = p.Value;
        var id = (await cloud.Send("POST", "/image/v2/images", body, user)).Body.GetProperty("id").GetString()!;
        return (id, await cloud.Upload(id, data, user));
    }

    public static async Task<Answer> Upload(this TestCloud cloud, string id, byte[] data, string user = "demo")
    {
        using var stream = new MemoryStream(data);
        return await cloud.Stream("PUT", $"/image/v2/images/{id}/file", await cloud.Token(user), stream, ("Content-Type", "application/octet-stream"));
    }
}
