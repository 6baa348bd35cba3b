using Cloud.Agents.Contract;

namespace Cloud.Agents.Host;

/// <summary>
/// Makes the host true to one kind of command. Must be safe to repeat, also after a kill half way.
/// Calls for one <see cref="Command.Key"/> never overlap; calls for different keys do.
/// </summary>
public interface IHandler<in TCommand> where TCommand : Command
{
    /// <returns>What the reply carries, or null.</returns>
    /// <exception cref="HandlerFault">The command failed; any other exception counts as one that may be tried again.</exception>
    Task<Result?> Handle(TCommand command, CancellationToken ct);
}

/// <summary>A command failed.</summary>
/// <param name="message">For operators; no secrets.</param>
/// <param name="retry">Trying again may help.</param>
public sealed class HandlerFault(string message, bool retry, Exception? inner = null) : Exception(message, inner)
{
    public bool Retry { get; } = retry;
}

/// <summary>A part of the host that holds things of ours which outlive this process.</summary>
public interface IHolder
{
    /// <summary>Puts right at start what a reboot or a kill took away, and deletes leftovers. Runs before commands are taken.</summary>
    Task Recover(CancellationToken ct);

    /// <summary>What really exists now; the fence is filled in by the caller.</summary>
    Task<IReadOnlyList<InventoryItem>> Items(CancellationToken ct);
}

/// <summary>
/// The wished state last asked for, by key: an Ensure command is stored before it is carried out and
/// stays until the Remove of the same key has succeeded.
/// </summary>
public interface ISpecs
{
    TCommand? Get<TCommand>(string key) where TCommand : Command;

    IReadOnlyList<TCommand> All<TCommand>() where TCommand : Command;

    /// <summary>The highest fence seen of this key.</summary>
    long Fence(string key);

    /// <summary>Stores a wish that didn't come as a command of its own (a network that came with a port).</summary>
    void Put(Command command);

    void Forget(string key);
}

/// <summary>Small facts that outlive the process.</summary>
public interface INotes
{
    void Note(string key, string? value);

    IReadOnlyDictionary<string, string> Notes(string prefix);
}
