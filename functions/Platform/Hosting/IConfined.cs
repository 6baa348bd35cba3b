namespace Cloud.Platform.Hosting;

/// <summary>Has bytes that nobody trusts looked at where it does no harm.</summary>
public interface IConfined
{
    /// <returns>What was said of them.</returns>
    /// <exception cref="ConfinedException">The look at them took too much of something, or broke down.</exception>
    Task<string> Run(string verb, IReadOnlyList<string> arguments, ReadOnlyMemory<byte> input, CancellationToken ct);
}

public sealed class ConfinedException(string message, Exception? inner = null) : IOException(message, inner);
