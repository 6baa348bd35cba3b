using Cloud.Agents.Contract;
using Cloud.Agents.Contract.Libvirt;
using Cloud.Agents.Host.Disks;
using Cloud.Agents.Host.Domains;

namespace Cloud.Agents.Host.Handlers;

public sealed class DiskHandlers(DiskFiles disks, ImageCache images, Guests guests, IHypervisor hypervisor, TimeProvider time)
    : IHandler<EnsureDisk>, IHandler<RemoveDisk>, IHandler<CopyDisk>, IHolder
{
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public async Task<Result?> Handle(EnsureDisk command, CancellationToken ct)
    {
        DiskFiles.Size(command.Bytes);
        if (disks.Bytes(command.DiskId) is { } bytes)
        {
            if (bytes < command.Bytes)
                await Grow(command.DiskId, command.Bytes, ct);
        }
        else if (command.Image is { } image)
            await images.Use(image, file => disks.CreateOver(command.DiskId, command.Bytes, file, image.Format, ct), ct);
        else
            await disks.Create(command.DiskId, command.Bytes, ct);
        return new Result(Bytes: disks.Bytes(command.DiskId));
    }

    /// <summary>A disk that a guest still has is not taken from under it; one that is just going is waited for.</summary>
    public async Task<Result?> Handle(RemoveDisk command, CancellationToken ct)
    {
        var file = disks.File(command.DiskId);
        if (!File.Exists(file))
            return null;
        var start = time.GetTimestamp();
        while (await guests.UserOf(file, ct) is { } user)
        {
            if (time.GetElapsedTime(start) > ReleasePatience)
                throw new HandlerFault($"disk {command.DiskId} is in use by guest {user.ServerId}", retry: true);
            await Task.Delay(Look, time, ct);
        }

        var below = Qcow2.Read(file)?.Backing;
        Linux.Durable.Delete(file);
        if (below is not null)
            await images.Release(below, ct);
        return null;
    }

    public async Task<Result?> Handle(CopyDisk command, CancellationToken ct)
    {
        var (from, to) = (disks.File(command.FromDiskId), disks.File(command.DiskId));
        if (from == to || !File.Exists(from))
            throw new HandlerFault($"there is no disk {command.FromDiskId} to copy", retry: false);
        if (await guests.UserOf(to, ct) is { } user && user.Domain.IsActive())
            throw new HandlerFault($"disk {command.DiskId} is in use by guest {user.ServerId}", retry: true);

        var below = File.Exists(to) ? Qcow2.Read(to)?.Backing : null;
        if (await Freeze(command, ct) is { } frozen)
        {
            try
            {
                await disks.Convert(command.DiskId, frozen, ct);
            }
            finally
            {
                File.Delete(frozen);
            }
        }
        else
            await disks.Convert(command.DiskId, from, ct);

        if (below is not null)
            await images.Release(below, ct);
        if (disks.Bytes(command.DiskId) < command.Bytes)
            await disks.Grow(command.DiskId, command.Bytes, ct);
        return new Result(Bytes: disks.Bytes(command.DiskId));
    }

    public async Task Recover(CancellationToken ct)
    {
        disks.RemoveParts();
        await images.Recover(ct);
    }

    public Task<IReadOnlyList<InventoryItem>> Items(CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<InventoryItem>>([.. images.All().Select(i => new InventoryItem($"image/{i}", 0)), .. disks.All().Select(d => new InventoryItem($"disk/{d}", 0))]);

    /// <summary>Copies the file while its guest stands still: suspending writes out all that qemu holds back. Null when no guest has the disk.</summary>
    private async Task<string?> Freeze(CopyDisk command, CancellationToken ct)
    {
        if (await guests.UserOf(disks.File(command.FromDiskId), ct) is not { } user)
            return null;
        using var held = await guests.Lock(user.ServerId, ct);
        var running = await hypervisor.Get(user.Domain.Name, ct) is { State: DomainState.Running };
        if (running)
            await hypervisor.Suspend(user.Domain.Name, ct);
        try
        {
            return await disks.Freeze(command.FromDiskId, command.DiskId, ct);
        }
        finally
        {
            if (running)
                await hypervisor.Resume(user.Domain.Name, CancellationToken.None);
        }
    }

    private async Task Grow(string diskId, long bytes, CancellationToken ct)
    {
        if (await guests.UserOf(disks.File(diskId), ct) is { } user)
        {
            using var held = await guests.Lock(user.ServerId, ct);
            if (await hypervisor.Get(user.Domain.Name, ct) is { } domain && domain.IsActive())
                await hypervisor.Resize(domain.Name, user.Device, bytes, ct);
            else
                await disks.Grow(diskId, bytes, ct);
        }
        else
            await disks.Grow(diskId, bytes, ct);
    }
}
