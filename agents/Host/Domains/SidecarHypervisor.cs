using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Cloud.Agents.Contract.Libvirt;
using Grpc.Core;
using Grpc.Net.Client;
using Tracing = Cloud.Agents.Contract.Tracing;

namespace Cloud.Agents.Host.Domains;

/// <inheritdoc cref="IHypervisor"/>
public sealed class SidecarHypervisor : IHypervisor, IDisposable
{
    // Generous: many guests that start at once make libvirt slow, and giving up doesn't stop what was begun.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly TimeProvider clock;
    private readonly GrpcChannel channel;
    private readonly Libvirt.LibvirtClient libvirt;

    public SidecarHypervisor(string socket, TimeProvider clock)
    {
        this.clock = clock;
        var endpoint = new UnixDomainSocketEndPoint(socket);
        var handler = new SocketsHttpHandler { ConnectCallback = (_, ct) => Connect(endpoint, ct), UseProxy = false };
        channel = GrpcChannel.ForAddress("http://sidecar", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, ThrowOperationCanceledOnCancellation = true, MaxReceiveMessageSize = 64 << 20 });
        libvirt = new Libvirt.LibvirtClient(channel);
    }

    public async Task<HostInfo> Host(CancellationToken ct) => await libvirt.GetHostAsync(new Empty(), Call(ct));

    public async Task<IReadOnlyList<DomainInfo>> List(CancellationToken ct) => (await libvirt.ListDomainsAsync(new Empty(), Call(ct))).Domains;

    public async Task<IReadOnlyList<DomainStats>> Stats(CancellationToken ct) => (await libvirt.GetStatsAsync(new Empty(), Call(ct))).Domains;

    public async Task<DomainInfo?> Get(string name, CancellationToken ct)
    {
        try
        {
            return await libvirt.GetDomainAsync(Ref(name), Call(ct));
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task Define(string xml, CancellationToken ct) => await libvirt.DefineAsync(new DomainXml { Xml = xml }, Call(ct));
    public async Task Start(string name, CancellationToken ct) => await libvirt.StartAsync(Ref(name), Call(ct));
    public async Task Destroy(string name, CancellationToken ct) => await libvirt.DestroyAsync(Ref(name), Call(ct));
    public async Task Shutdown(string name, CancellationToken ct) => await libvirt.ShutdownAsync(Ref(name), Call(ct));
    public async Task Suspend(string name, CancellationToken ct) => await libvirt.SuspendAsync(Ref(name), Call(ct));
    public async Task Resume(string name, CancellationToken ct) => await libvirt.ResumeAsync(Ref(name), Call(ct));
    public async Task Undefine(string name, CancellationToken ct) => await libvirt.UndefineAsync(Ref(name), Call(ct));
    public async Task Attach(string name, string xml, CancellationToken ct) => await libvirt.AttachDeviceAsync(new DeviceXml { Name = name, Xml = xml }, Call(ct));

    public async Task Detach(string name, string xml, CancellationToken ct)
    {
        try
        {
            await libvirt.DetachDeviceAsync(new DeviceXml { Name = name, Xml = xml }, Call(ct));
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            // Gone since we looked.
        }
    }

    public async Task Resize(string name, string device, long bytes, CancellationToken ct) =>
        await libvirt.BlockResizeAsync(new BlockResizeRequest { Name = name, Device = device, Bytes = bytes }, Call(ct));

    public async IAsyncEnumerable<DomainEvent> Events([EnumeratorCancellation] CancellationToken ct)
    {
        using var call = libvirt.Events(new Empty(), cancellationToken: ct);
        await call.ResponseHeadersAsync;
        yield return new DomainEvent { Kind = IHypervisor.Subscribed };
        while (await call.ResponseStream.MoveNext(ct))
            yield return call.ResponseStream.Current;
    }

    public void Dispose() => channel.Dispose();

    private CallOptions Call(CancellationToken ct) => new(Tracing.Current is { } trace ? new() { { "traceparent", trace } } : null, clock.GetUtcNow().UtcDateTime + Patience, ct);

    private static DomainRef Ref(string name) => new() { Name = name };

    private static async ValueTask<Stream> Connect(UnixDomainSocketEndPoint endpoint, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endpoint, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
