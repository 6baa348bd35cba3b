namespace Cloud.Agents.Contract;

/// <summary>A host's line to the control plane: commands in, messages out.</summary>
public interface IHostLink : IAsyncDisposable
{
    /// <summary>
    /// Receives commands until <paramref name="ct"/> is cancelled, reconnecting by itself for ever. Calls <paramref name="handle"/>
    /// for several commands at once (bounded), sends the reply and only then settles the command: a command whose reply
    /// got lost comes again. When <paramref name="handle"/> throws, the command is released and comes again.
    /// </summary>
    Task Run(Func<CommandMessage, CancellationToken, Task<CommandReply>> handle, CancellationToken ct);

    /// <summary>Sends one message; returns when the control plane has it, waiting for the connection as long as it takes.</summary>
    Task Send(HostMessage message, CancellationToken ct);
}
