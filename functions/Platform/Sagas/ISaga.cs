using Cloud.Agents.Contract;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Sagas;

/// <summary>What must be written together with a resource to make a saga work on it.</summary>
/// <param name="Active">The saga's id, for <see cref="Resource.Saga"/>.</param>
public sealed record SagaStart(string Active, IReadOnlyList<Op> Ops, IReadOnlyList<Message> Messages);

/// <summary>A saga as the engine sees it, whatever its resource.</summary>
public interface ISaga
{
    /// <summary>Unique, ends with its version; a saga whose steps change gets a new name and the old one stays until its work is done.</summary>
    string Name { get; }
    /// <summary>Runs forward only and removes the resource at its end.</summary>
    bool Deletes { get; }
    /// <summary>Names of its steps, in order.</summary>
    IReadOnlyList<string> Steps { get; }
    /// <summary>A saga that runs already is superseded: it ends without undo, so the new one must bring the resource to its end alone.</summary>
    /// <param name="after">How long it rests first.</param>
    SagaStart Start(Services s, string partition, string key, Resource item, Change change, TimeSpan after = default);
    Task Run(Services s, SagaMessage message, int attempt, CancellationToken ct);
    /// <summary>The same saga with something around every step and undo: to trace them, or to let one fail.</summary>
    ISaga Around(Func<StepCall, Func<ValueTask>, ValueTask> around);
}

/// <summary>A step that is about to be made or undone. The saga's end counts as a step: <see cref="End"/>.</summary>
public readonly record struct StepCall(string Saga, string Step, bool Undo)
{
    public const string End = "end";
}

/// <summary>Wakes a saga: at its start, when a host answered, or because it has been quiet.</summary>
public sealed record SagaMessage(string Partition, string Saga, string Key, string Name)
{
    public const string Queue = "sagas";
    public CommandReply? Reply { get; init; }
    /// <summary>Commands without an answer are to be sent again.</summary>
    public bool Resend { get; init; }

    /// <summary>One session per resource: sagas of one resource never run at the same time.</summary>
    public Message ToBus(string id) => new(Queue, id, Json.Write(this), Session: $"{Partition}|{Key}");
}

/// <summary>A command for a host.</summary>
/// <param name="Fence">Revision of the row that owns the command's key, where that isn't the saga's resource.</param>
public sealed record HostCommand(string Host, Command Command, long? Fence = null);

/// <summary>A step failed and trying again won't help: what was done is undone. The text may reach the tenant.</summary>
public class SagaFault(string message) : Exception(message);

/// <summary>A step failed for want of hosts that are silent: they get a while to be heard, as it may be we who were away.</summary>
public sealed class SilenceFault(string message) : SagaFault(message);

/// <summary>The durable state of one saga; lives beside its resource. Holds no command bodies and no secrets.</summary>
public sealed record SagaRow
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    /// <summary>Row key of the resource.</summary>
    public required string Key { get; init; }
    public int Step { get; init; }
    public bool Unwinding { get; init; }
    /// <summary>Counts turns in a step, so that a repeated turn has ids of its own.</summary>
    public int Turn { get; init; }
    public DateTimeOffset Started { get; init; }
    /// <summary>Its first step isn't made before.</summary>
    public DateTimeOffset Begins { get; init; }
    public DateTimeOffset Deadline { get; init; }
    public string? Error { get; init; }
    public bool Alerted { get; init; }
    /// <summary>Since when it knows that a host it needs is silent; null when none is.</summary>
    public DateTimeOffset? Silent { get; init; }
    public string Actor { get; init; } = "";
    public string RequestId { get; init; } = "";
    /// <summary>The request's or turn's span that started it, as in a traceparent header; null when nobody traces.</summary>
    public string? Trace { get; init; }
    public Waiting[] Waiting { get; init; } = [];
    /// <summary>Hosts that were gone when they had to clean up.</summary>
    public Passed[] Passed { get; init; } = [];

    public static string KeyOf(string id) => "saga|" + id;
}

/// <summary>A command on its way. Host and key find it again among the step's commands, which may be others by then.</summary>
public sealed record Waiting(string Id, string Host, string Key, int Tries = 0, bool Done = false, Result? Result = null);

/// <summary>A host that wasn't waited for, and the first step that went on without it.</summary>
public sealed record Passed(string Host, int Step);
