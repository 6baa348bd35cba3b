using Cloud.Agents.Contract.Libvirt;

namespace Cloud.Agents.Host.Domains;

/// <summary>libvirt as the sidecar offers it; see libvirt.proto. Errors come as <see cref="Grpc.Core.RpcException"/>.</summary>
public interface IHypervisor
{
    Task<HostInfo> Host(CancellationToken ct);
    Task<IReadOnlyList<DomainInfo>> List(CancellationToken ct);

    /// <summary>Of those that run.</summary>
    Task<IReadOnlyList<DomainStats>> Stats(CancellationToken ct);

    /// <returns>Null when there is no such domain.</returns>
    Task<DomainInfo?> Get(string name, CancellationToken ct);

    Task Define(string xml, CancellationToken ct);
    Task Start(string name, CancellationToken ct);
    Task Destroy(string name, CancellationToken ct);
    Task Shutdown(string name, CancellationToken ct);
    Task Suspend(string name, CancellationToken ct);
    Task Resume(string name, CancellationToken ct);
    Task Undefine(string name, CancellationToken ct);
    Task Attach(string name, string xml, CancellationToken ct);

    /// <summary>Asks the guest to let the device go; that it is gone already is fine.</summary>
    Task Detach(string name, string xml, CancellationToken ct);

    Task Resize(string name, string device, long bytes, CancellationToken ct);

    /// <summary>Begins with an event of kind <see cref="Subscribed"/>: nothing that happens after it is missed. Ends when the sidecar goes away.</summary>
    IAsyncEnumerable<DomainEvent> Events(CancellationToken ct);

    const string Subscribed = "subscribed";
}

public static class DomainStates
{
    /// <summary>There is a qemu process.</summary>
    public static bool IsActive(this DomainInfo domain) => domain.State is DomainState.Running or DomainState.Paused or DomainState.ShuttingDown;
}
