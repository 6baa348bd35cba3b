using Cloud.Agents.Contract;
using Cloud.Agents.Contract.Libvirt;
using Cloud.Agents.Host.Domains;

namespace Cloud.Agents.Host;

/// <summary>What this host can hold, and holds.</summary>
public sealed class Capacity(HostOptions options, IHypervisor hypervisor)
{
    private HostInfo? host;

    public async Task<HostCapacity> Read(CancellationToken ct)
    {
        host ??= await hypervisor.Host(ct);
        var running = (await hypervisor.List(ct)).Where(d => d.IsActive()).ToList();
        var drive = new DriveInfo(options.Data);
        return new HostCapacity(host.Cpus, (int)(host.MemoryKib >> 10), GiB(drive.TotalSize), host.Hypervisor, host.Version, host.CpuModel,
            options.TunnelAddress, [.. options.Physical.Keys.Order(StringComparer.Ordinal)], options.Zone,
            running.Count, (int)(running.Sum(d => d.MemoryKib) >> 10), GiB(drive.TotalSize - drive.AvailableFreeSpace));
    }

    private static int GiB(long bytes) => (int)(bytes >> 30);
}
