using Cloud.Agents.Contract;
using Cloud.Agents.Contract.Libvirt;
using Cloud.Agents.Host.Domains;

namespace Cloud.Agents.Host.Handlers;

public sealed class DomainHandlers(Guests guests, GuestNotes notes, Consoles consoles, ConfigDrives configDrives, IHypervisor hypervisor, ISpecs specs)
    : IHandler<EnsureDomain>, IHandler<RebootDomain>, IHandler<RemoveDomain>, IHandler<ReadConsole>, IHolder
{
    public async Task<Result?> Handle(EnsureDomain command, CancellationToken ct)
    {
        using var held = await guests.Lock(command.Domain.ServerId, ct);
        await guests.Ensure(command.Domain, ct);
        notes.Told(command.Domain.ServerId, null);
        return null;
    }

    public async Task<Result?> Handle(RebootDomain command, CancellationToken ct)
    {
        using var held = await guests.Lock(command.ServerId, ct);
        if (notes.LastReboot(command.ServerId) == command.Nonce)
            return null;
        if (specs.Get<EnsureDomain>(command.Key) is not { } wish)
            throw new HandlerFault($"there is no guest {command.ServerId} on this host", retry: false);
        var running = wish with { Domain = wish.Domain with { Power = PowerState.Running } };
        await guests.Reboot(running.Domain, command.Soft, ct);
        specs.Put(running);
        notes.Told(command.ServerId, null);
        notes.LastReboot(command.ServerId, command.Nonce);
        return null;
    }

    public async Task<Result?> Handle(RemoveDomain command, CancellationToken ct)
    {
        using var held = await guests.Lock(command.ServerId, ct);
        await guests.Remove(command.ServerId, ct);
        notes.Forget(command.ServerId);
        return null;
    }

    public Task<Result?> Handle(ReadConsole command, CancellationToken ct) =>
        Task.FromResult<Result?>(new Result(Text: consoles.Read(command.ServerId, command.Lines)));

    /// <summary>Lets guests go on that a kill left suspended while their disk was copied; deletes files of guests that are no more.</summary>
    public async Task Recover(CancellationToken ct)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var domain in await hypervisor.List(ct))
        {
            if (Guests.ServerId(domain.Name) is not { } serverId)
                continue;
            known.Add(serverId);
            if (domain.State == DomainState.Paused && specs.Get<EnsureDomain>($"domain/{serverId}")?.Domain.Power == PowerState.Running)
                await hypervisor.Resume(domain.Name, ct);
        }

        foreach (var serverId in consoles.All().Concat(configDrives.All()).Distinct().Where(id => Ids.IsValid(id) && !known.Contains(id)).ToList())
        {
            if (specs.Get<EnsureDomain>($"domain/{serverId}") is not null)
                continue;
            consoles.Remove(serverId);
            configDrives.Remove(serverId);
        }
    }

    public async Task<IReadOnlyList<InventoryItem>> Items(CancellationToken ct) =>
        [.. (await hypervisor.List(ct)).Where(d => Guests.ServerId(d.Name) is not null).Select(d => Item($"domain/{Guests.ServerId(d.Name)}", d.State))];

    // One that stands still while its disk is copied isn't paused.
    private InventoryItem Item(string key, DomainState state) =>
        new(key, 0, state == DomainState.Paused && specs.Get<EnsureDomain>(key)?.Domain.Power == PowerState.Running ? null : GuestReports.State(state));
}
