using Cloud.Agents.Host.Handlers;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Usage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host.Networks;

/// <summary>The network part of an agent put together.</summary>
public sealed class NetworkParts : IAsyncDisposable
{
    private readonly MetadataListeners listeners;
    private readonly PortFilter filter;

    /// <param name="metadata">Answers as the guest whose id stands in X-Instance-ID.</param>
    public NetworkParts(HostOptions options, ITool tool, ISpecs specs, Finals finals, TimeProvider time, RequestDelegate metadata, ILoggerFactory logs)
    {
        var (marks, namespaces, wishes) = (new Marks(options), new Namespaces(options, tool), new Wishes(specs));
        listeners = new MetadataListeners(namespaces, metadata, logs);
        filter = new PortFilter(tool, marks, wishes, logs.CreateLogger<PortFilter>());
        Holder = new HostNetworks(tool, marks, namespaces, wishes, new Segments(options, tool, marks), filter, new DhcpServers(options, tool, marks, namespaces, listeners),
            new Routers(options, tool, marks, namespaces, new Traffic(finals, time)), logs.CreateLogger<HostNetworks>());
        (Networks, Groups, Ports, Routers) = (new NetworkHandlers(Holder), new GroupHandlers(Holder), new PortHandlers(Holder), new RouterHandlers(Holder));
    }

    public NetworkHandlers Networks { get; }
    public GroupHandlers Groups { get; }
    public PortHandlers Ports { get; }
    public RouterHandlers Routers { get; }

    /// <summary>Goes before guests at recovery: they need their taps.</summary>
    public HostNetworks Holder { get; }

    public async ValueTask DisposeAsync()
    {
        await listeners.DisposeAsync();
        filter.Dispose();
    }
}
