using Cloud.Agents.Contract;
using Cloud.Agents.Host.Networks;

namespace Cloud.Agents.Host.Handlers;

public sealed class RouterHandlers(HostNetworks networks) : IHandler<EnsureRouter>, IHandler<RemoveRouter>
{
    public async Task<Result?> Handle(EnsureRouter command, CancellationToken ct)
    {
        Ids.Check(command.Router.RouterId);
        await networks.Ensure(command.Router, ct);
        return null;
    }

    public async Task<Result?> Handle(RemoveRouter command, CancellationToken ct)
    {
        await networks.RemoveRouter(command.RouterId, ct);
        return null;
    }
}
