using Cloud.Agents.Contract;

namespace Cloud.Agents.Host;

/// <summary>Which handler takes which command; filled in one place, <c>Agent.cs</c>.</summary>
public sealed class HandlerTable
{
    private readonly Dictionary<Type, Func<Command, CancellationToken, Task<Result?>>> table = [];

    public HandlerTable On<TCommand>(IHandler<TCommand> handler) where TCommand : Command
    {
        table.Add(typeof(TCommand), (command, ct) => handler.Handle((TCommand)command, ct));
        return this;
    }

    public Task<Result?> Handle(Command command, CancellationToken ct) =>
        table.TryGetValue(command.GetType(), out var handle)
            ? handle(command, ct)
            : throw new HandlerFault($"this host does not know the command {command.GetType().Name}", retry: false);
}
