using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.Agents.Host.Linux;

/// <summary>An Ethernet address of one station.</summary>
public readonly record struct Mac
{
    private readonly ulong value;

    private Mac(ulong value) => this.value = value;

    /// <exception cref="HandlerFault">It isn't six pairs of hex digits with colons, or means a group of stations or none.</exception>
    public static Mac Parse(string text)
    {
        if (text.Length != 17)
            throw Invalid();
        ulong value = 0;
        for (var i = 0; i < 17; i++)
            if (i % 3 == 2 ? text[i] != ':' : !char.IsAsciiHexDigit(text[i]))
                throw Invalid();
            else if (i % 3 != 2)
                value = (value << 4) | (uint)Convert.ToInt32(text[i].ToString(), 16);
        return value == 0 || (value >> 40 & 1) == 1 ? throw Invalid() : new Mac(value);
    }

    /// <summary>A locally administered address that follows from the text.</summary>
    public static Mac Of(string text)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        ulong value = 0x02;
        for (var i = 0; i < 5; i++)
            value = value << 8 | hash[i];
        return new Mac(value);
    }

    /// <summary>The IPv6 address that a host with this MAC gives itself on its link.</summary>
    public IPAddress LinkLocal
    {
        get
        {
            var mac = Bytes;
            return new IPAddress([0xfe, 0x80, 0, 0, 0, 0, 0, 0, (byte)(mac[0] ^ 2), mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]]);
        }
    }

    public byte[] Bytes => [(byte)(value >> 40), (byte)(value >> 32), (byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    public override string ToString() => string.Join(':', Bytes.Select(b => b.ToString("x2", null)));

    private static HandlerFault Invalid() => new("a MAC address is not valid", retry: false);
}
