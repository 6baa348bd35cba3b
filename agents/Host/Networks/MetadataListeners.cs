using System.Collections.Frozen;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// Listens for guests at 169.254.169.254 in every network's namespace. Who asks is told by the address it asks from, which the port's
/// rules vouch for; addresses of another network are another matter.
/// </summary>
/// <param name="answer">Answers as the guest whose id stands in X-Instance-ID.</param>
public sealed class MetadataListeners(Namespaces namespaces, RequestDelegate answer, ILoggerFactory logs) : IAsyncDisposable
{
    private const int ListenPort = 80;
    private readonly Dictionary<string, Listener> listeners = new(StringComparer.Ordinal);

    /// <param name="fresh">The namespace is new: a listener in an older one is given up.</param>
    public async Task Ensure(string networkId, string ns, bool fresh, IEnumerable<PortSpec> ports, CancellationToken ct)
    {
        if (fresh)
            await Remove(networkId, ct);
        var guests = ports.Where(p => p.ServerId is not null)
            .SelectMany(p => p.FixedIps.Select(f => Addresses.Parse(f.Address)).Append(Mac.Parse(p.Mac).LinkLocal).Select(a => (Address: a, p.ServerId)))
            .DistinctBy(g => g.Address).ToFrozenDictionary(g => g.Address, g => g.ServerId!);
        if (Find(networkId) is { } present)
        {
            present.Guests.Known = guests;
            return;
        }

        var listener = Open(ns, new Guests(answer) { Known = guests });
        await listener.Server.StartAsync(listener.Guests, ct);
        lock (listeners)
            listeners[networkId] = listener;
    }

    public async Task Remove(string networkId, CancellationToken ct)
    {
        Listener? listener;
        lock (listeners)
            listeners.Remove(networkId, out listener);
        if (listener is null)
            return;
        // Nobody is waited for: the network goes.
        await listener.Server.StopAsync(new CancellationToken(canceled: true));
        listener.Server.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var networkId in listeners.Keys.ToList())
            await Remove(networkId, CancellationToken.None);
    }

    private Listener? Find(string networkId)
    {
        lock (listeners)
            return listeners.GetValueOrDefault(networkId);
    }

    private Listener Open(string ns, Guests guests)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = 200;
        options.Limits.MaxRequestBodySize = 4096;
        options.Limits.MaxRequestHeadersTotalSize = 8192;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(10);
        options.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http1);
        options.Listen(DhcpFiles.Metadata, ListenPort);
        options.Listen(DhcpFiles.Metadata6, ListenPort);
        var transport = new SocketTransportOptions
        {
            IOQueueCount = 0,
            CreateBoundListenSocket = endpoint => namespaces.Run(ns, () => Bind((IPEndPoint)endpoint)),
        };
        return new Listener(new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(transport), logs), logs), guests);
    }

    private static Socket Bind(IPEndPoint endpoint)
    {
        var address = endpoint.Address;
        // An address of the link is one only together with the interface.
        if (address.IsIPv6LinkLocal)
            address = new IPAddress(address.GetAddressBytes(), NetworkInterface.GetAllNetworkInterfaces().Single(i => i.Name == Dnsmasq.Port).GetIPProperties().GetIPv6Properties().Index);
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, endpoint.Port));
        return socket;
    }

    private sealed record Listener(KestrelServer Server, Guests Guests);

    /// <summary>The guests of one network.</summary>
    private sealed class Guests(RequestDelegate answer) : IHttpApplication<HttpContext>
    {
        public volatile FrozenDictionary<IPAddress, string> Known = FrozenDictionary<IPAddress, string>.Empty;

        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context)
        {
            context.Request.Headers.Remove("X-Instance-ID");
            if (context.Connection.RemoteIpAddress is { } from && Known.TryGetValue(new IPAddress(from.GetAddressBytes()), out var guest))
                context.Request.Headers["X-Instance-ID"] = guest;
            return answer(context);
        }

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
