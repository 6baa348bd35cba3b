using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Cloud.Agents.Host.Linux;

/// <summary>Says unasked which station an address is at.</summary>
public static class GratuitousArp
{
    private const ushort Arp = 0x0806;

    /// <summary>Sends from an interface of the namespace that the calling thread is in.</summary>
    public static int Send(string device, Mac mac, IEnumerable<IPAddress> addresses)
    {
        var index = NetworkInterface.GetAllNetworkInterfaces().Single(i => i.Name == device).GetIPProperties().GetIPv4Properties().Index;
        using var socket = new Socket(AddressFamily.Packet, SocketType.Raw, 0);
        var sent = 0;
        foreach (var address in addresses)
            sent += socket.SendTo(Frame(mac, address), new LinkEndPoint(index));
        return sent;
    }

    private static byte[] Frame(Mac mac, IPAddress address)
    {
        byte[] all = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], ip = address.GetAddressBytes();
        return [.. all, .. mac.Bytes, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, .. mac.Bytes, .. ip, 0, 0, 0, 0, 0, 0, .. ip, .. new byte[18]];
    }

    /// <summary>sockaddr_ll with nothing but protocol and interface.</summary>
    private sealed class LinkEndPoint(int index) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            address[2] = Arp >> 8;
            address[3] = Arp & 0xff;
            BitConverter.TryWriteBytes(address.Buffer.Span[4..], index);
            return address;
        }
    }
}
