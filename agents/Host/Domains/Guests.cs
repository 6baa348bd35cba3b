using Cloud.Agents.Contract;
using Cloud.Agents.Contract.Libvirt;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host.Domains;

/// <summary>Makes guests as they were wished. Callers hold the guest's <see cref="Lock"/>.</summary>
public sealed class Guests(HostOptions options, IHypervisor hypervisor, Changes changes, Consoles consoles, ConfigDrives configDrives, TimeProvider time, ILogger<Guests> log)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UnplugPatience = TimeSpan.FromSeconds(60);
    private readonly KeyLock keys = new();
    private DomainDocument? document;

    /// <summary>One at a time per guest, also for those who come to it through a disk. The holder never waits for a command's turn.</summary>
    public Task<IDisposable> Lock(string serverId, CancellationToken ct) => keys.Take(serverId, ct);

    public async Task Ensure(DomainSpec spec, CancellationToken ct)
    {
        DomainCheck.Check(spec);
        var name = Names.Domain(spec.ServerId);
        var document = await Document(ct);
        foreach (var disk in spec.Disks)
            if (!File.Exists(document.DiskFile(disk.DiskId)))
                throw new HandlerFault($"disk {disk.DiskId} is not on this host", retry: true);

        var domain = await hypervisor.Get(name, ct);
        if (domain?.IsActive() == true && spec.Power == PowerState.Off)
        {
            await PowerOff(domain, ct);
            domain = await hypervisor.Get(name, ct);
        }

        if (spec.ConfigDrive && domain?.IsActive() != true)
            configDrives.Write(spec, document.ConfigDriveFile(spec.ServerId));
        await hypervisor.Define(document.Domain(spec), ct);
        if (domain?.IsActive() == true)
            await Plug(domain, spec, document, ct);
        await Power(name, spec.Power, ct);
    }

    /// <summary>Soft: asks, and switches off who doesn't obey in time.</summary>
    public async Task Reboot(DomainSpec spec, bool soft, CancellationToken ct)
    {
        var name = Names.Domain(spec.ServerId);
        if (await hypervisor.Get(name, ct) is { } domain && domain.IsActive())
        {
            if (soft)
                await PowerOff(domain, ct);
            else
                await hypervisor.Destroy(name, ct);
        }

        await Ensure(spec with { Power = PowerState.Running }, ct);
    }

    public async Task Remove(string serverId, CancellationToken ct)
    {
        var name = Names.Domain(Ids.Check(serverId));
        if (await hypervisor.Get(name, ct) is not null)
        {
            await hypervisor.Destroy(name, ct);
            await hypervisor.Undefine(name, ct);
        }

        consoles.Remove(serverId);
        configDrives.Remove(serverId);
    }

    /// <summary>The guest that has this disk, running or not.</summary>
    public async Task<(string ServerId, DomainInfo Domain, string Device)?> UserOf(string diskFile, CancellationToken ct)
    {
        foreach (var domain in await hypervisor.List(ct))
            if (ServerId(domain.Name) is { } serverId && HotPlug.DeviceOf(domain.Xml, diskFile) is { } device)
                return (serverId, domain, device);
        return null;
    }

    public static string? ServerId(string domain)
    {
        var prefix = Names.Domain("");
        return domain.StartsWith(prefix, StringComparison.Ordinal) && Ids.IsValid(domain[prefix.Length..]) ? domain[prefix.Length..] : null;
    }

    private async Task<DomainDocument> Document(CancellationToken ct) =>
        document ??= new DomainDocument(options, (await hypervisor.Host(ct)).Kvm);

    private async Task Power(string name, PowerState wished, CancellationToken ct)
    {
        var state = (await hypervisor.Get(name, ct))?.State ?? DomainState.Off;
        if (state == DomainState.ShuttingDown && wished != PowerState.Off)
        {
            await Until(name, d => !d.IsActive(), options.ShutdownGrace, ct);
            await hypervisor.Destroy(name, ct);
            state = DomainState.Off;
        }

        if (wished != PowerState.Off && state is not (DomainState.Running or DomainState.Paused))
            await hypervisor.Start(name, ct);
        if (wished == PowerState.Paused)
            await hypervisor.Suspend(name, ct);
        else if (wished == PowerState.Running && state == DomainState.Paused)
            await hypervisor.Resume(name, ct);
    }

    private async Task PowerOff(DomainInfo domain, CancellationToken ct)
    {
        // Who is paused can't obey.
        var end = time.GetTimestamp() + (long)(options.ShutdownGrace.TotalSeconds * time.TimestampFrequency);
        while (domain.State != DomainState.Paused && time.GetTimestamp() < end)
        {
            // A guest that is still booting doesn't hear the first time.
            await hypervisor.Shutdown(domain.Name, ct);
            if (await Until(domain.Name, d => !d.IsActive(), Min(AskAgain, time.GetElapsedTime(time.GetTimestamp(), end)), ct))
                return;
        }

        log.LogInformation("{Domain} is switched off", domain.Name);
        await hypervisor.Destroy(domain.Name, ct);
    }

    private async Task Plug(DomainInfo domain, DomainSpec spec, DomainDocument document, CancellationToken ct)
    {
        var plan = HotPlug.Between(domain.Xml, spec, document);
        foreach (var device in plan.Unplug)
            await Unplug(domain.Name, device, ct);
        foreach (var device in plan.Plug)
            await hypervisor.Attach(domain.Name, device, ct);
    }

    /// <summary>The guest must let the device go; one that is booting or busy is asked again. libvirt drops it from the XML when qemu says it is deleted.</summary>
    private async Task Unplug(string name, string device, CancellationToken ct)
    {
        var end = time.GetTimestamp() + (long)(UnplugPatience.TotalSeconds * time.TimestampFrequency);
        while (time.GetTimestamp() < end)
        {
            await hypervisor.Detach(name, device, ct);
            if (await Until(name, d => !d.IsActive() || !HotPlug.Has(d.Xml, device), AskAgain, ct))
                return;
        }

        throw new HandlerFault($"the guest {name} does not release a device", retry: true);
    }

    private async Task<bool> Until(string name, Func<DomainInfo, bool> holds, TimeSpan patience, CancellationToken ct)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            var next = changes.Next(name);
            if (await hypervisor.Get(name, ct) is not { } domain || holds(domain))
                return true;
            var left = patience - time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
                return false;
            await Task.WhenAny(next, Task.Delay(Min(Look, left), time, ct));
            ct.ThrowIfCancellationRequested();
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
