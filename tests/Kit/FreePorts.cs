using System.Net;
using System.Net.Sockets;

namespace Cloud.Tests.Kit;

public static class FreePorts
{
    // Below those that the kernel gives to who asks for any, and no port twice in a process: nobody takes it before it is used.
    private const int First = 10_000, Many = 20_000;
    private static int _next = Environment.ProcessId * 40;

    /// <summary>Of the loopback; nobody listens on it, nor on the one above (which ./cloud up takes for hosts).</summary>
    public static int One()
    {
        while (true)
        {
            var port = First + Interlocked.Add(ref _next, 2) % Many;
            if (IsFree(port) && IsFree(port + 1)) return port;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            listener.Start();
            return true;
        }
        catch (SocketException) { return false; }
    }
}
