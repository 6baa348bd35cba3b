using System.Security.Cryptography;
using System.Text;

namespace Cloud.Agents.Contract;

/// <summary>
/// Names of queues, and of what hosts make in kernel and libvirt. Interface names hold at most 15 characters,
/// so ids are hashed: ids that a client chose, or that differ only at their end, still differ here.
/// </summary>
public static class Names
{
    public const string Replies = "replies";
    public static string HostQueue(string host) => $"host.{host}";

    public static string Tap(string portId) => "cst" + Short(portId);
    public static string Bridge(string networkId) => "csb" + Short(networkId);
    public static string Vxlan(string networkId) => "csv" + Short(networkId);
    /// <summary>Our end of the pair that joins a network to an operator's bridge; <see cref="UplinkPeer"/> is the other.</summary>
    public static string Uplink(string networkId) => "csu" + Short(networkId);
    public static string UplinkPeer(string networkId) => "csp" + Short(networkId);
    public static string DhcpPort(string networkId) => "csh" + Short(networkId);
    public static string RouterPort(string portId) => "csi" + Short(portId);
    public static string DhcpNamespace(string networkId) => "csd-" + Short(networkId);
    public static string RouterNamespace(string routerId) => "csr-" + Short(routerId);
    public static string Domain(string serverId) => "cs-" + serverId;

    /// <summary>12 hex characters of the id's SHA-256.</summary>
    public static string Short(string id) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 6));
}
