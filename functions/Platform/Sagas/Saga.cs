using Cloud.Agents.Contract;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Sagas;

/// <summary>
/// A linear list of steps that brings one resource to its end, whatever is killed meanwhile. A value: built once, named, never changed.
/// A failed step is undone too, then those before it. Deletion supersedes whatever runs.
/// </summary>
public sealed partial class Saga<T> : ISaga where T : Resource
{
    private readonly Rows<T> _rows;
    private readonly List<Step<T>> _steps = [];
    private Func<Work<T>, ValueTask> _failed = _ => ValueTask.CompletedTask;
    private Func<Work<T>, ValueTask> _finished = _ => ValueTask.CompletedTask;
    private TimeSpan _deadline = TimeSpan.FromMinutes(10);

    private Saga(string name, Rows<T> rows) => (Name, _rows) = (name, rows);

    public string Name { get; }
    public bool Deletes { get; private set; }
    public IReadOnlyList<string> Steps => [.. _steps.Select(s => s.Name)];

    public static Saga<T> Named(string name, Rows<T> rows) => new(name, rows);

    /// <summary>Removes the resource at the end. There is no undo: a step that fails is tried again until it works.</summary>
    public static Saga<T> Deleting(string name, Rows<T> rows) => new(name, rows) { Deletes = true };

    public Saga<T> Step(string name, Func<Work<T>, ValueTask> run, Func<Work<T>, ValueTask>? undo = null) => Add(new(name) { Do = run, Undo = undo });

    /// <summary>Sends commands and goes on when all are answered. None at all: the step is skipped.</summary>
    public Saga<T> Agent(string name, Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>> commands,
        Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>>? undo = null, Action<Work<T>, IReadOnlyList<Result?>>? done = null) =>
        Add(new(name) { Commands = commands, UndoCommands = undo, Done = done });

    /// <summary>After the last undo: how the resource looks now that it failed (<see cref="Work{T}.Error"/> says why).</summary>
    public Saga<T> Failed(Func<Work<T>, ValueTask> failed) { _failed = failed; return this; }

    /// <summary>Written with the last commit: how the resource looks when all went well.</summary>
    public Saga<T> Finished(Func<Work<T>, ValueTask> finished) { _finished = finished; return this; }

    /// <summary>How long it may take. Past it a forward saga is undone, a deletion raises an alert and goes on.</summary>
    public Saga<T> Deadline(TimeSpan deadline) { _deadline = deadline; return this; }

    private Saga<T> Add(Step<T> step)
    {
        _steps.Add(step);
        return this;
    }

    public SagaStart Start(Services s, string partition, string key, Resource item, Change change)
    {
        var id = s.Ids.New();
        var row = new SagaRow { Id = id, Name = Name, Key = key, Deadline = s.Now + _deadline, Actor = change.Actor, RequestId = change.RequestId };
        var message = new SagaMessage(partition, id, key, Name);
        List<Op> ops = [new Op.Insert(SagaRow.KeyOf(id), Json.Write(row))];
        if (item.Saga is { } superseded) ops.Add(new Op.Delete(SagaRow.KeyOf(superseded)));
        return new(id, ops, [message.ToBus($"{id}.start"), Watchdog.First(s, message)]);
    }

    /// <summary>Starts this saga on a resource outside of any request.</summary>
    /// <param name="after">How long to wait first, so that several changes in a row are one.</param>
    public async ValueTask<T> Begin(Services s, T item, Loaded<T>? was, Change change, IReadOnlyList<Op>? ops = null, TimeSpan after = default, CancellationToken ct = default)
    {
        var start = Start(s, _rows.PartitionOf(item.ProjectId), _rows.Key(item.Id), item, change);
        if (after > TimeSpan.Zero) start = start with { Messages = [start.Messages[0] with { NotBefore = s.Now + after }, .. start.Messages.Skip(1)] };
        return await _rows.Save(s, item with { Saga = start.Active, Doomed = item.Doomed || Deletes }, was, change, [.. start.Ops, .. ops ?? []], start.Messages, ct);
    }
}

/// <summary>All sagas that may have work, by name. A name that is gone would strand its work: keep old ones until they are done.</summary>
public sealed class SagaRegistry(IEnumerable<ISaga> sagas)
{
    private readonly Dictionary<string, ISaga> _byName = sagas.ToDictionary(s => s.Name);

    public IReadOnlyCollection<ISaga> All => _byName.Values;

    public ISaga? Find(string name) => _byName.GetValueOrDefault(name);

    public Task Run(Services s, SagaMessage message, int attempt, CancellationToken ct) =>
        _byName.TryGetValue(message.Name, out var saga) ? saga.Run(s, message, attempt, ct)
            : throw new InvalidOperationException($"no saga is named {message.Name}");
}
