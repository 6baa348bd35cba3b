using Cloud.Platform.Sagas;
using Cloud.Platform.State;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Sagas;

/// <summary>One of our rules broken on purpose, to see that the matrix notices.</summary>
public record Mutant(string Name)
{
    /// <summary>Wraps a saga.</summary>
    public Func<ISaga, ISaga> Saga { get; init; } = s => s;
    public Func<MemoryStore, IEntityStore> Store { get; init; } = s => s;
    /// <summary>Changes a command just before the host sees it.</summary>
    public Func<Agents.Contract.CommandMessage, Agents.Contract.CommandMessage> Command { get; init; } = m => m;

    /// <summary>Changes a reply before the control plane sees it.</summary>
    public Func<Agents.Contract.CommandMessage, Agents.Contract.CommandReply, Agents.Contract.CommandReply> Reply { get; init; } = (_, r) => r;

    /// <summary>Messages are done with before anything was done.</summary>
    public bool SettlesFirst { get; init; }

    public override string ToString() => Name;
}
