using Cloud.Agents.Contract;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Sagas;

/// <summary>
/// A linear list of steps that brings one resource to its end, whatever is killed meanwhile. A value: built once, named, never changed.
/// A failed step is undone too, then those before it; past <see cref="Insist"/> nothing is given up. Deletion supersedes whatever runs.
/// </summary>
public sealed partial class Saga<T> : ISaga where T : Resource
{
    private readonly Rows<T> _rows;
    private readonly List<Step<T>> _steps = [];
    private Func<Work<T>, ValueTask> _failed = _ => ValueTask.CompletedTask;
    private Func<Work<T>, ValueTask> _finished = _ => ValueTask.CompletedTask;
    private Func<T, TimeSpan?> _again = _ => null;
    private TimeSpan _deadline = TimeSpan.FromMinutes(10);
    private int _insists = int.MaxValue;

    private Saga(string name, Rows<T> rows) => (Name, _rows) = (name, rows);

    public string Name { get; }
    public bool Deletes { get; private set; }
    public IReadOnlyList<string> Steps => [.. _steps.Select(s => s.Name)];

    public static Saga<T> Named(string name, Rows<T> rows) => new(name, rows);

    /// <summary>Removes the resource at the end. There is no undo: a step that fails is tried again until it works.</summary>
    public static Saga<T> Deleting(string name, Rows<T> rows) => new(name, rows) { Deletes = true, _insists = 0 };

    public Saga<T> Step(string name, Func<Work<T>, ValueTask> run, Func<Work<T>, ValueTask>? undo = null) => Add(new(name) { Do = run, Undo = undo });

    /// <summary>A step within the control plane that hosts may have followed meanwhile: its undo sends them commands.</summary>
    public Saga<T> Step(string name, Func<Work<T>, ValueTask> run, Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>> undoOnHosts) => Add(new(name) { Do = run, UndoCommands = undoOnHosts });

    /// <summary>Nothing on the way forward; on the way back what is done after the undos of the steps behind it.</summary>
    public Saga<T> Undo(string name, Func<Work<T>, ValueTask> undo) => Add(new(name) { Undo = undo });

    /// <summary>From here on there is no way back: a step that fails is tried again until it works, and a host that is away is waited for.</summary>
    public Saga<T> Insist() { _insists = _steps.Count; return this; }

    /// <summary>Sends commands and goes on when all are answered. None at all: the step is skipped.</summary>
    public Saga<T> Agent(string name, Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>> commands,
        Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>>? undo = null, Action<Work<T>, IReadOnlyList<Result?>>? done = null) =>
        Add(new(name) { Commands = commands, UndoCommands = undo, Done = done });

    /// <summary>After the last undo: how the resource looks now that it failed (<see cref="Work{T}.Error"/> says why).</summary>
    public Saga<T> Failed(Func<Work<T>, ValueTask> failed) { _failed = failed; return this; }

    /// <summary>Written with the last commit: how the resource looks when all went well.</summary>
    public Saga<T> Finished(Func<Work<T>, ValueTask> finished) { _finished = finished; return this; }

    /// <summary>Looked at with the last commit: given a time, it begins anew so much later.</summary>
    public Saga<T> Again(Func<T, TimeSpan?> again) { _again = again; return this; }

    /// <summary>How long it may take. Past it a forward saga is undone, a deletion raises an alert and goes on.</summary>
    public Saga<T> Deadline(TimeSpan deadline) { _deadline = deadline; return this; }

    private Saga<T> Add(Step<T> step)
    {
        _steps.Add(step);
        return this;
    }

    public ISaga Around(Func<StepCall, Func<ValueTask>, ValueTask> around)
    {
        var copy = new Saga<T>(Name, _rows) { Deletes = Deletes, _again = _again, _deadline = _deadline, _insists = _insists };
        Func<Work<T>, ValueTask>? Wrap(Func<Work<T>, ValueTask>? run, string step, bool undo) => run is null ? null : w => around(new(Name, step, undo), () => run(w));
        Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>>? WrapCommands(Func<Work<T>, ValueTask<IReadOnlyList<HostCommand>>>? run, string step, bool undo) => run is null ? null : async w =>
        {
            IReadOnlyList<HostCommand> commands = [];
            await around(new(Name, step, undo), async () => commands = await run(w));
            return commands;
        };
        foreach (var s in _steps)
            copy._steps.Add(s with { Do = Wrap(s.Do, s.Name, false), Undo = Wrap(s.Undo, s.Name, true), Commands = WrapCommands(s.Commands, s.Name, false), UndoCommands = WrapCommands(s.UndoCommands, s.Name, true) });
        (copy._finished, copy._failed) = (Wrap(_finished, StepCall.End, false)!, Wrap(_failed, StepCall.End, true)!);
        return copy;
    }

    /// <exception cref="Rest.Fault">409: it is being deleted, and that wins.</exception>
    public SagaStart Start(Services s, string partition, string key, Resource item, Change change, TimeSpan after = default)
    {
        if (item.Doomed && !Deletes) throw Rest.Fault.Conflict("The resource is being deleted.");
        var id = s.Ids.New();
        var row = new SagaRow { Id = id, Name = Name, Key = key, Started = s.Now, Begins = s.Now + after, Deadline = s.Now + after + _deadline, Actor = change.Actor, RequestId = change.RequestId, Trace = Tracing.Current };
        var message = new SagaMessage(partition, id, key, Name);
        List<Op> ops = [new Op.Insert(SagaRow.KeyOf(id), Json.Write(row))];
        if (item.Saga is { } superseded) ops.Add(new Op.Delete(SagaRow.KeyOf(superseded)));
        return new(id, ops, [message.ToBus($"{id}.start") with { NotBefore = after > TimeSpan.Zero ? row.Begins : null }, Watchdog.First(s, message)]);
    }

    /// <summary>Starts this saga on a resource in the transaction of another one of its partition.</summary>
    public Along Along(Services s, T item, Loaded<T> was, Change change)
    {
        var start = Start(s, _rows.PartitionOf(item.ProjectId), _rows.Key(item.Id), item, change);
        var row = _rows.Replacement(s, item with { Saga = start.Active, Doomed = item.Doomed || Deletes }, was, change);
        return new([.. row.Ops, .. start.Ops], [.. row.Messages, .. start.Messages]);
    }

    /// <summary>Starts this saga on a resource outside of any request.</summary>
    /// <param name="after">How long to wait first, so that several changes in a row are one.</param>
    public async ValueTask<T> Begin(Services s, T item, Loaded<T>? was, Change change, IReadOnlyList<Op>? ops = null, TimeSpan after = default, CancellationToken ct = default)
    {
        var start = Start(s, _rows.PartitionOf(item.ProjectId), _rows.Key(item.Id), item, change, after);
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
