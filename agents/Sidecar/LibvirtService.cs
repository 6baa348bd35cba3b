using Cloud.Agents.Contract.Libvirt;
using Grpc.Core;

namespace Cloud.Agents.Sidecar;

/// <summary>The operations of libvirt.proto. libvirt's calls block, so each runs on a thread of the pool.</summary>
internal sealed class LibvirtService(Connection connection, DomainEvents events, HostProbe host, IHostApplicationLifetime life) : Libvirt.LibvirtBase
{
    public override Task<HostInfo> GetHost(Empty request, ServerCallContext context) => Call(host.Describe);

    public override Task<DomainList> ListDomains(Empty request, ServerCallContext context) =>
        Call(connect => new DomainList { Domains = { Domains.List(connect) } });

    public override Task<StatsList> GetStats(Empty request, ServerCallContext context) =>
        Call(connect => new StatsList { Domains = { Stats.Of(connect) } });

    public override Task<DomainInfo> GetDomain(DomainRef request, ServerCallContext context) => Drive(request, (_, _) => { });

    public override Task<DomainInfo> Define(DomainXml request, ServerCallContext context) => Call(connect =>
    {
        using var domain = Domains.Define(connect, request.Xml);
        return Domains.Describe(connect, domain);
    });

    public override Task<DomainInfo> Start(DomainRef request, ServerCallContext context) => Drive(request, Domains.Start);
    public override Task<DomainInfo> Destroy(DomainRef request, ServerCallContext context) => Drive(request, Domains.Destroy);
    public override Task<DomainInfo> Shutdown(DomainRef request, ServerCallContext context) => Drive(request, Domains.Shutdown);
    public override Task<DomainInfo> Suspend(DomainRef request, ServerCallContext context) => Drive(request, Domains.Suspend);
    public override Task<DomainInfo> Resume(DomainRef request, ServerCallContext context) => Drive(request, Domains.Resume);
    public override Task<DomainInfo> Reset(DomainRef request, ServerCallContext context) => Drive(request, Domains.Reset);

    public override Task<Empty> Undefine(DomainRef request, ServerCallContext context) => Call(connect =>
    {
        try
        {
            using var domain = Domains.Find(connect, request.Name);
            Domains.Undefine(connect, domain);
        }
        catch (LibvirtException e) when (e.Code == Errors.NoDomain) { }
        return new Empty();
    });

    public override Task<Empty> AttachDevice(DeviceXml request, ServerCallContext context) =>
        Change(request.Name, (connect, domain) => Devices.Attach(connect, domain, request.Xml));

    public override Task<Empty> DetachDevice(DeviceXml request, ServerCallContext context) =>
        Change(request.Name, (connect, domain) => Devices.Detach(connect, domain, request.Xml));

    public override Task<Empty> BlockResize(BlockResizeRequest request, ServerCallContext context) =>
        Change(request.Name, (connect, domain) => Domains.Resize(connect, domain, request.Device, request.Bytes));

    /// <summary>
    /// Events from the moment the response's headers arrive. The stream outlives libvirtd: when it is back, the
    /// state of every domain comes as a lifecycle event with the detail "connected".
    /// </summary>
    public override async Task Events(Empty request, IServerStreamWriter<DomainEvent> stream, ServerCallContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, life.ApplicationStopping);
        var subscription = events.Subscribe();
        try
        {
            await context.WriteResponseHeadersAsync([]);
            await foreach (var e in subscription.Reader.ReadAllAsync(ended.Token)) await stream.WriteAsync(e, ended.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested) { }
        catch (LibvirtException e) { throw new RpcException(new Status(Errors.Status(e.Code), e.Message)); }
        finally { events.Unsubscribe(subscription); }
    }

    private Task<DomainInfo> Drive(DomainRef request, Action<ConnectHandle, DomainHandle> act) => Call(connect =>
    {
        using var domain = Domains.Find(connect, request.Name);
        act(connect, domain);
        return Domains.Describe(connect, domain);
    });

    private Task<Empty> Change(string name, Action<ConnectHandle, DomainHandle> act) => Call(connect =>
    {
        using var domain = Domains.Find(connect, name);
        act(connect, domain);
        return new Empty();
    });

    /// <summary>The connection is held for the length of the call: a reconnect meanwhile doesn't free it under us.</summary>
    private Task<T> Call<T>(Func<ConnectHandle, T> call) => Task.Run(() =>
    {
        var connect = connection.Current;
        var held = false;
        try
        {
            connect.DangerousAddRef(ref held);
            return call(connect);
        }
        catch (ObjectDisposedException)
        {
            throw new LibvirtException(Errors.Disconnected, "libvirtd went away");
        }
        finally
        {
            if (held) connect.DangerousRelease();
        }
    });
}
