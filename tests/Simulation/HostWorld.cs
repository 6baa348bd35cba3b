using Cloud.Agents.Contract;
using Cloud.Agents.Host;

namespace Cloud.Tests.Simulation;

/// <summary>Handlers as the agent's, for a host that is made of names. They take time before and after their effect, and may fail at both.</summary>
public sealed class HostWorld
{
    private readonly Dictionary<string, Command> _world;
    private readonly SimHost _host;

    public HostWorld(Dictionary<string, Command> world, SimHost host)
    {
        (_world, _host) = (world, host);
        Table = new HandlerTable().On(new Handler<EnsureDisk>(this)).On(new Handler<RemoveDisk>(this)).On(new Handler<CopyDisk>(this)).On(new Handler<EnsureNetwork>(this)).On(new Handler<EnsureGroup>(this))
            .On(new Handler<EnsurePort>(this)).On(new Handler<RemovePort>(this)).On(new Handler<EnsureRouter>(this)).On(new Handler<RemoveRouter>(this)).On(new Handler<EnsureDomain>(this)).On(new Handler<RebootDomain>(this)).On(new Handler<RemoveDomain>(this))
            .On(new Handler<EnsureImage>(this)).On(new Handler<RemoveImage>(this));
    }

    public HandlerTable Table { get; }

    private sealed class Handler<T>(HostWorld world) : IHandler<T> where T : Command
    {
        public async Task<Result?> Handle(T command, CancellationToken ct)
        {
            await world._host.Pause();
            // A disk that a guest still has is waited for a while, as the agent does.
            for (var i = 0; i < 20 && command is RemoveDisk disk && world.UserOf(disk.DiskId) is not null; i++) await world._host.Pause(1);
            if (world._host.Fault() is { } before) throw before;
            var result = world.Do(command);
            await world._host.Pause();
            return world._host.Fault() is { } after ? throw after : result;
        }
    }

    private Result? Do(Command command)
    {
        switch (command)
        {
            case RemoveDisk disk:
                if (UserOf(disk.DiskId) is { } user) throw new HandlerFault($"disk {disk.DiskId} is in use by guest {user.Domain.ServerId}", retry: true);
                _world.Remove(command.Key);
                return null;
            case RemoveImage or RemovePort or RemoveRouter or RemoveDomain:
                _world.Remove(command.Key);
                return null;
            case EnsureImage:
                return null;
            case RebootDomain reboot:
                if (_world.GetValueOrDefault(command.Key) is not EnsureDomain guest) throw new HandlerFault($"there is no guest {reboot.ServerId} on this host", retry: false);
                _world[command.Key] = new EnsureDomain(guest.Domain with { Power = PowerState.Running });
                return null;
            case EnsureNetwork { Network: var network }:
                Network(network);
                return null;
            case EnsurePort { Network: var network } port:
                var newer = _world.Values.OfType<EnsurePort>().Select(p => p.Network).FirstOrDefault(n => n.NetworkId == network.NetworkId && n.Revision > network.Revision);
                _world[command.Key] = newer is null ? port : port with { Network = newer };
                Network(network);
                return null;
            case EnsureDisk disk:
                if (_world.GetValueOrDefault(command.Key) is { } there && Bytes(there) >= disk.Bytes) return new(Bytes: Bytes(there));
                _world[command.Key] = disk;
                return new(Bytes: disk.Bytes);
            case CopyDisk copy:
                if (!_world.ContainsKey($"disk/{copy.FromDiskId}")) throw new HandlerFault($"there is no disk {copy.FromDiskId} to copy", retry: false);
                _world[command.Key] = copy;
                return new(Bytes: copy.Bytes);
            case EnsureDomain { Domain: var d }:
                if (d.Disks.Select(x => $"disk/{x.DiskId}").Concat(d.Nics.Select(n => $"port/{n.PortId}")).FirstOrDefault(k => !_world.ContainsKey(k)) is { } missing) throw new HandlerFault(missing + " is not here", retry: true);
                _world[command.Key] = command;
                return null;
            default:
                _world[command.Key] = command;
                return null;
        }
    }

    private EnsureDomain? UserOf(string disk) => _world.Values.OfType<EnsureDomain>().FirstOrDefault(d => d.Domain.Disks.Any(x => x.DiskId == disk));

    private void Network(NetworkSpec network)
    {
        foreach (var (key, p) in _world.Where(w => w.Value is EnsurePort p && p.Network.NetworkId == network.NetworkId && p.Network.Revision < network.Revision).ToList()) _world[key] = (EnsurePort)p with { Network = network };
    }

    private static long Bytes(Command disk) => disk switch { EnsureDisk d => d.Bytes, CopyDisk c => c.Bytes, _ => 0 };
}
