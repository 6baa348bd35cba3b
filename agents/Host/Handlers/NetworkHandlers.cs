using Cloud.Agents.Contract;
using Cloud.Agents.Host.Networks;

namespace Cloud.Agents.Host.Handlers;

public sealed class NetworkHandlers(HostNetworks networks) : IHandler<EnsureNetwork>
{
    public async Task<Result?> Handle(EnsureNetwork command, CancellationToken ct)
    {
        await networks.Ensure(command.Network, ct);
        return null;
    }
}
