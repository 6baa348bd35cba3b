using System.Net;
using System.Net.Sockets;

namespace Cloud.Tests.Kit;

public static class FreePorts
{
    /// <summary>Of the loopback; nobody listens on it.</summary>
    public static int One()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
