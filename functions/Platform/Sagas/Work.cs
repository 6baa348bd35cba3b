using Cloud.Agents.Contract;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Sagas;

/// <summary>What a step works on. Changes to <see cref="Item"/> are written when the step ends, with all else the step asks for, in one transaction.</summary>
public sealed class Work<T>(Services services, T item, SagaRow saga, CancellationToken ct) where T : Resource
{
    public Services Services => services;
    public IEntityStore Store => services.Store;
    public T Item { get; set; } = item;
    /// <summary>Where the saga is; runs ahead of what is recorded.</summary>
    internal SagaRow Row { get; set; } = saga;
    public string SagaId => Row.Id;
    /// <summary>Where an answer of a host ends a step: the fence of the command it answers.</summary>
    public long Fence { get; internal set; }
    /// <summary>Why it is being undone; null on the way forward.</summary>
    public string? Error => Row.Error;
    /// <summary>For what a step writes of other rows of the partition.</summary>
    public required Stays Stays { get; init; }
    public Change Change { get; } = new(saga.Actor, saga.RequestId);
    public CancellationToken Cancelled => ct;
    /// <summary>More rows of the same partition.</summary>
    public List<Op> Ops { get; } = [];
    public List<Message> Messages { get; } = [];
    /// <summary>Takes another resource's change into the same transaction.</summary>
    public void Add(Along along)
    {
        Ops.AddRange(along.Ops);
        Messages.AddRange(along.Messages);
    }

    private (T Item, int Ops, int Messages) _mark = (item, 0, 0);

    /// <summary>Remembers what the steps so far asked for; <see cref="Back"/> forgets what a step that failed asked for since.</summary>
    internal void Mark() => _mark = (Item, Ops.Count, Messages.Count);

    internal void Back()
    {
        Item = _mark.Item;
        Ops.RemoveRange(_mark.Ops, Ops.Count - _mark.Ops);
        Messages.RemoveRange(_mark.Messages, Messages.Count - _mark.Messages);
    }
}

/// <summary>One step. Everything it does outside its own partition must be safe to repeat, because a kill may come before it is recorded.</summary>
public sealed record Step<T>(string Name) where T : Resource
{
    public Func<Work<T>, ValueTask>? Do { get; init; }
    /// <summary>Works from the resource alone and tolerates that nothing was done.</summary>
    public Func<Work<T>, ValueTask>? Undo { get; init; }
    public Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>>? Commands { get; init; }
    public Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>>? UndoCommands { get; init; }
    /// <summary>Takes the results in the order of the commands.</summary>
    public Action<Work<T>, IReadOnlyList<Result?>>? Done { get; init; }
}
