using Cloud.Agents.Contract;
using Cloud.Agents.Host.Networks;

namespace Cloud.Agents.Host.Handlers;

public sealed class GroupHandlers(HostNetworks networks) : IHandler<EnsureGroup>
{
    public async Task<Result?> Handle(EnsureGroup command, CancellationToken ct)
    {
        Ids.Check(command.GroupId);
        await networks.Ensure(command, ct);
        return null;
    }
}
