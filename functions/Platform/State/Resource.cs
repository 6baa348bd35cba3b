using Cloud.Platform.Events;

namespace Cloud.Platform.State;

/// <summary>What every stored resource has. What of it the API shows, each record says by its own properties.</summary>
public abstract record Resource
{
    public string Id { get; init; } = "";
    /// <summary>The partition it lives in; empty for resources of the whole cloud.</summary>
    public string ProjectId { get; init; } = "";
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? UpdatedAt { get; init; }
    /// <summary>Counts the writes; the fence of commands sent to hosts.</summary>
    public long Revision { get; init; }
    /// <summary>The saga that works on it now, or null.</summary>
    [OperatorOnly] public string? Saga { get; init; }
    /// <summary>A delete was accepted. It wins over whatever runs.</summary>
    public bool Doomed { get; init; }

    /// <summary>What it is and which one. By itself a record prints all that it holds, secrets too, wherever it gets into a log or an error.</summary>
    public sealed override string ToString() => $"{GetType().Name} {Id}";
}
