using Cloud.Agents.Contract;
using Cloud.Agents.Host.Networks;

namespace Cloud.Agents.Host.Handlers;

public sealed class PortHandlers(HostNetworks networks) : IHandler<EnsurePort>, IHandler<RemovePort>
{
    public async Task<Result?> Handle(EnsurePort command, CancellationToken ct)
    {
        Ids.Check(command.Port.PortId);
        await networks.Ensure(command.Network, command.Port, ct);
        return null;
    }

    public async Task<Result?> Handle(RemovePort command, CancellationToken ct)
    {
        await networks.RemovePort(command.PortId, ct);
        return null;
    }
}
