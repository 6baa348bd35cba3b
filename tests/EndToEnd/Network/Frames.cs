using System.Buffers.Binary;
using System.Net;

namespace Cloud.Tests.EndToEnd.Network;

/// <summary>Ethernet frames, byte by byte: what a guest that obeys no rule could send.</summary>
public static class Frames
{
    public static byte[] Ethernet(string? to, string from, ushort type, byte[] payload) =>
        [.. Hardware(to), .. Hardware(from), (byte)(type >> 8), (byte)type, .. payload];

    public static byte[] Arp(string from, string sender, string senderIp, string targetIp, string? frameFrom = null) =>
        Ethernet(null, frameFrom ?? from, 0x0806, [0, 1, 8, 0, 6, 4, 0, 1, .. Hardware(sender), .. Ip(senderIp), 0, 0, 0, 0, 0, 0, .. Ip(targetIp)]);

    public static byte[] Udp(string? to, string from, string fromIp, string toIp, int fromPort, int toPort, string text)
    {
        byte[] data = [.. Short(fromPort), .. Short(toPort), .. Short(8 + text.Length), 0, 0, .. System.Text.Encoding.ASCII.GetBytes(text)];
        return Packet(to, from, fromIp, toIp, 17, data, checksumAt: 6);
    }

    /// <param name="body">What follows type, code and checksum.</param>
    public static byte[] Icmp6(string? to, string from, string fromIp, string toIp, byte type, byte[] body) =>
        Packet(to, from, fromIp, toIp, 58, [type, 0, 0, 0, .. body], checksumAt: 2);

    /// <summary>Unasked, solicited or not: the target is at this station.</summary>
    public static byte[] NeighbourAdvert(string from, string fromIp, string target) =>
        Icmp6("33:33:00:00:00:01", from, fromIp, "ff02::1", 136, [0x20, 0, 0, 0, .. Ip(target), 2, 1, .. Hardware(from)]);

    public static byte[] NeighbourSolicit(string from, string fromIp, string target) =>
        Icmp6("33:33:00:00:00:01", from, fromIp, "ff02::1", 135, [0, 0, 0, 0, .. Ip(target)]);

    public static byte[] RouterAdvert(string from, string fromIp) =>
        Icmp6("33:33:00:00:00:01", from, fromIp, "ff02::1", 134, [64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, .. Hardware(from)]);

    /// <summary>One that is too long for one frame of the least size that IPv6 wants.</summary>
    public static byte[] LongRouterAdvert(string from, string fromIp) =>
        Icmp6("33:33:00:00:00:01", from, fromIp, "ff02::1", 134, [64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 253, 165, .. new byte[(165 * 8) - 2]]);

    /// <summary>The same IPv6 packet in two pieces.</summary>
    public static byte[][] Fragments(byte[] frame)
    {
        const int First = 1240;
        var (ethernet, ip, payload) = (frame[..14], frame[14..54], frame[54..]);
        byte[] Piece(int offset, byte[] part, bool more)
        {
            var header = ip.ToArray();
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)(8 + part.Length));
            header[6] = 44;
            return [.. ethernet, .. header, ip[6], 0, .. Short(offset | (more ? 1 : 0)), 0, 0, 0, 7, .. part];
        }

        return [Piece(0, payload[..First], true), Piece(First, payload[First..], false)];
    }

    public static byte[] Tagged(byte[] frame) => [.. frame[..12], 0x81, 0, 0, 5, .. frame[12..]];

    public static byte[] Ip(string address) => IPAddress.Parse(address).GetAddressBytes();

    public static byte[] Hardware(string? mac) => mac is null ? [255, 255, 255, 255, 255, 255] : [.. mac.Split(':').Select(b => Convert.ToByte(b, 16))];

    private static byte[] Packet(string? to, string from, string fromIp, string toIp, byte protocol, byte[] data, int checksumAt)
    {
        var (source, target) = (Ip(fromIp), Ip(toIp));
        byte[] pseudo = [.. source, .. target, 0, protocol, .. Short(data.Length)];
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(checksumAt), Sum([.. pseudo, .. data]));
        if (source.Length == 16)
            return Ethernet(to, from, 0x86dd, [0x60, 0, 0, 0, .. Short(data.Length), protocol, 255, .. source, .. target, .. data]);
        byte[] header = [0x45, 0, .. Short(20 + data.Length), 0, 0, 0x40, 0, 64, protocol, 0, 0, .. source, .. target];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), Sum(header));
        return Ethernet(to, from, 0x0800, [.. header, .. data]);
    }

    private static ushort Sum(byte[] bytes)
    {
        uint sum = 0;
        for (var i = 0; i < bytes.Length; i += 2)
            sum += (uint)(bytes[i] << 8 | (i + 1 < bytes.Length ? bytes[i + 1] : 0));
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static byte[] Short(int value) => [(byte)(value >> 8), (byte)value];
}
