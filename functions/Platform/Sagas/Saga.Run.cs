using System.Diagnostics;
using Cloud.Agents.Contract;
using Cloud.Platform.Agents;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Platform.Sagas;

/// <summary>The engine: turn by turn, each ending in one transaction, until it has to wait or is done.</summary>
public sealed partial class Saga<T>
{
    private const int TriesOfCommand = 5, TriesOfStep = 5;
    // A host speaks every ten seconds, and is connected again a few after the broker is.
    private static readonly TimeSpan Hearing = TimeSpan.FromSeconds(30);

    private sealed record State(string Partition, Loaded<T> Was, SagaRow Saga, string SagaTag)
    {
        public string SagaKey => SagaRow.KeyOf(Saga.Id);
    }

    public async Task Run(Services s, SagaMessage message, int attempt, CancellationToken ct)
    {
        var (reply, resend) = (message.Reply, message.Resend);
        for (var conflicts = 0; await Load(s, message, ct) is { } state;)
        {
            using var span = Tracing.Begin($"{Name} {NameOf(state.Saga)}", ActivityKind.Consumer, state.Saga.Trace);
            span?.SetTag("cloud.resource", state.Was.Item.Id).SetTag("cloud.request", state.Saga.RequestId);
            try
            {
                if (!await Turn(s, state, reply, resend, attempt, ct)) return;
                (reply, resend) = (null, false);
            }
            catch (ConflictException) when (++conflicts < 100) { /* somebody wrote meanwhile: look again */ }
        }
    }

    /// <returns>Null when there is nothing left to do: it ended, was superseded, or its resource is gone.</returns>
    private static async ValueTask<State?> Load(Services s, SagaMessage m, CancellationToken ct)
    {
        if (await s.Store.Get(m.Partition, SagaRow.KeyOf(m.Saga), ct) is not { } row) return null;
        var saga = Json.Read<SagaRow>(row.Body);
        if (await s.Store.Get(m.Partition, saga.Key, ct) is { } found && Json.Read<T>(found.Body) is var item && item.Saga == saga.Id)
            return new(m.Partition, new(item, found.ETag), saga, row.ETag);
        await s.Store.Commit(m.Partition, [new Op.Delete(row.Key)], ct: ct);
        return null;
    }

    /// <summary>
    /// Steps that wait for no host follow each other in one turn: as each may be repeated, so may all of them, and the record of the last is the record of all.
    /// </summary>
    /// <returns>True when there is more to do at once.</returns>
    private async ValueTask<bool> Turn(Services s, State state, CommandReply? reply, bool resend, int attempt, CancellationToken ct)
    {
        var work = new Work<T>(s, state.Was.Item, state.Saga, ct) { Stays = new(state.Partition, new(state.Saga.Key, state.Was.ETag), new(state.SagaKey, state.SagaTag)) };
        try
        {
            if (work.Row.Waiting.Length > 0)
            {
                var then = reply is not null ? await Answered(s, state, work, reply, ct) : resend ? await Quiet(s, state, work, ct) : Then.Rest;
                if (then is not Then.Step) return then is Then.Turn;
            }
            while (true)
            {
                if (work.Ops.Count > 0)
                {
                    // The next step may read what it wrote of others' rows.
                    await Write(s, state, work, work.Row, ct);
                    return true;
                }
                work.Mark();
                var saga = work.Row;
                if (saga.Unwinding ? saga.Step < 0 : saga.Step >= _steps.Count) return await End(s, state, work, ct);
                if (CanFail(saga) && s.Now > saga.Deadline) throw new SagaFault("It took too long.");
                var step = _steps[saga.Step];
                if ((saga.Unwinding ? step.UndoCommands : step.Commands) is { } commands)
                {
                    if (await commands(work) is { Count: > 0 } list && await Send(s, state, work, list, ct) is Then.Rest) return false;
                }
                else if ((saga.Unwinding ? step.Undo : step.Do) is { } run) await run(work);
                Advance(work);
            }
        }
        catch (Exception e) when (e is not (ConflictException or OperationCanceledException or StoreUnavailableException))
        {
            if (CanFail(work.Row) && e is SilenceFault && await Listen(s, state, work, ct)) return false;
            if (CanFail(work.Row) && e is SagaFault or Fault) return await Fail(s, state, work, e.Message, ct) is Then.Turn;
            if (attempt < TriesOfStep) throw;
            return CanFail(work.Row) ? await Fail(s, state, work, "An unexpected error happened.", ct) is Then.Turn : await Stuck(s, state, work, e, ct);
        }
    }

    /// <summary>
    /// Where control plane or broker were away nobody could hear the hosts, so silence counts from when somebody listens: before a saga gives up for it, the
    /// watchdog has it look again.
    /// </summary>
    /// <returns>False when it listened long enough.</returns>
    private async ValueTask<bool> Listen(Services s, State state, Work<T> work, CancellationToken ct)
    {
        work.Back();
        if (work.Row.Silent is { } since) return s.Now - since < Hearing;
        await Write(s, state, work, work.Row with { Silent = s.Now }, ct);
        return true;
    }

    /// <summary>What comes next: a step in the same turn, another turn, or nothing before the next message.</summary>
    private enum Then { Step, Turn, Rest }

    private Then Advance(Work<T> work)
    {
        work.Row = work.Row with { Step = After(work.Row), Turn = work.Row.Turn + 1, Waiting = [], Silent = null };
        return Then.Step;
    }

    /// <summary>The next step that has anything to do in the saga's direction.</summary>
    private int After(SagaRow saga)
    {
        var (step, by) = (saga.Step, saga.Unwinding ? -1 : 1);
        do step += by; while (_steps.ElementAtOrDefault(step) is { } s && (saga.Unwinding ? s.Undo is null && s.UndoCommands is null : s.Do is null && s.Commands is null));
        return step;
    }

    private async ValueTask<Then> Fail(Services s, State state, Work<T> work, string error, CancellationToken ct)
    {
        work.Back();
        // The row is written as well: its new revision fences off the commands that are still on their way from those that undo them.
        work.Item = work.Item with { };
        await Write(s, state, work, work.Row with { Unwinding = true, Error = error, Step = Math.Min(work.Row.Step, _steps.Count - 1), Turn = work.Row.Turn + 1, Waiting = [] }, ct);
        return Then.Turn;
    }

    /// <summary>What hasn't reached the point of no return may fail and is then undone.</summary>
    private bool CanFail(SagaRow saga) => !saga.Unwinding && saga.Step < _insists;

    /// <summary>What can't be given up: somebody is told, and the watchdog makes it try again.</summary>
    private async ValueTask<bool> Stuck(Services s, State state, Work<T> work, Exception e, CancellationToken ct)
    {
        if (work.Row.Alerted) return false;
        work.Back();
        work.Messages.Add(Events.CloudEvent.Alert(s, "saga-stuck", state.Was.Item.Id, state.Was.Item.ProjectId, $"{Name} can't get past step {NameOf(work.Row)} ({e.GetType().Name}); it goes on trying."));
        await Write(s, state, work, work.Row with { Alerted = true }, ct);
        return false;
    }

    private string NameOf(SagaRow saga) => _steps.ElementAtOrDefault(saga.Step)?.Name ?? StepCall.End;

    private async ValueTask<bool> End(Services s, State state, Work<T> work, CancellationToken ct)
    {
        if (work.Row.Unwinding) await _failed(work);
        else await _finished(work);
        var next = !work.Row.Unwinding && _again(state.Was.Item) is { } after ? Start(s, state.Partition, state.Saga.Key, work.Item with { Saga = null }, work.Change, after) : null;
        Op[] ops = [new Op.Delete(state.SagaKey, state.SagaTag), .. work.Ops, .. next?.Ops ?? []];
        if (Deletes) await _rows.Remove(s, state.Was, work.Change, ops, work.Messages, ct);
        else await _rows.Save(s, work.Item with { Saga = next?.Active }, state.Was, work.Change, ops, [.. work.Messages, .. next?.Messages ?? []], ct);
        Numbers.Saga(Name, undone: work.Row.Unwinding);
        return false;
    }

    private async ValueTask<Then> Send(Services s, State state, Work<T> work, IReadOnlyList<HostCommand> commands, CancellationToken ct)
    {
        var saga = work.Row;
        var waiting = commands.Select((c, i) => new Waiting(IdOf(saga, i), c.Host, c.Command.Key)).ToArray();
        for (var i = 0; i < waiting.Length; i++)
        {
            work.Messages.Add(ToBus(state, waiting[i], commands[i], null));
            // Nobody waits for a host that is gone to clean up. When it comes back it finds this behind older commands, and its inventory is compared.
            if (!(saga.Unwinding || Deletes) || !await Hosts.IsDown(s, commands[i].Host, ct)) continue;
            waiting[i] = waiting[i] with { Done = true };
            saga = PassOver(saga, commands[i].Host);
        }
        if (Array.TrueForAll(waiting, w => w.Done))
        {
            work.Row = saga;
            return Then.Step;
        }
        await Write(s, state, work, saga with { Waiting = waiting }, ct);
        return Then.Rest;
    }

    private static SagaRow PassOver(SagaRow saga, string host) =>
        Array.Exists(saga.Passed, p => p.Host == host) ? saga : saga with { Passed = [.. saga.Passed, new(host, saga.Step)] };

    private static string IdOf(SagaRow saga, int i) => $"{saga.Id}.{(saga.Unwinding ? "u" : "f")}{saga.Step}.{saga.Turn}.{i}";

    private static Message ToBus(State state, Waiting w, HostCommand c, DateTimeOffset? notBefore) =>
        Dispatch.ToBus(new(w.Id, c.Host, c.Fence ?? state.Was.Item.Revision, Replies.ToSaga(state.Partition, state.Saga), c.Command, Tracing.Current), notBefore);

    private async ValueTask<Then> Answered(Services s, State state, Work<T> work, CommandReply reply, CancellationToken ct)
    {
        var saga = work.Row;
        var i = Array.FindIndex(saga.Waiting, w => w.Id == reply.CommandId && w.Host == reply.Host && !w.Done);
        if (i < 0) return Then.Rest; // an answer to what nobody waits for any more
        var waiting = saga.Waiting.ToArray();
        if (reply.Outcome == Outcome.Done)
        {
            waiting[i] = waiting[i] with { Done = true, Result = reply.Result };
            work.Fence = reply.Fence;
            if (!Array.TrueForAll(waiting, w => w.Done))
            {
                await Write(s, state, work, saga with { Waiting = waiting }, ct);
                return Then.Rest;
            }
            if (!saga.Unwinding) _steps[saga.Step].Done?.Invoke(work, [.. waiting.Select(w => w.Result)]);
            return Advance(work);
        }
        if (reply.Outcome == Outcome.Failed && Array.Find(saga.Passed, p => p.Host == reply.Host) is { } passed)
        {
            // It is back, and what it should have cleaned up before may be in the way: from there on once more.
            work.Row = saga with { Step = passed.Step, Turn = saga.Turn + 1, Waiting = [], Passed = [.. saga.Passed.Where(p => p != passed)] };
            return Then.Step;
        }
        var again = reply.Outcome == Outcome.Stale || reply.Retry || !CanFail(saga);
        waiting[i] = waiting[i] with { Tries = waiting[i].Tries + 1 };
        if (reply.Outcome == Outcome.Stale)
        {
            // The host has seen a newer fence than the row can give: the row moves on. Or another command of this fence came between, and this one would
            // be overtaken for ever: it is another one from now on.
            work.Item = work.Item with { };
            saga = saga with { Turn = saga.Turn + 1 };
            waiting[i] = waiting[i] with { Id = IdOf(saga, i) };
        }
        if (!again || (waiting[i].Tries >= TriesOfCommand && CanFail(saga)))
            return await Fail(s, state, work, _steps[saga.Step].Name + ": the host could not do it.", ct);
        // Rebuilt from the row as it is now, with its present fence; a little later each time.
        if (waiting[i].Tries < TriesOfCommand && Find(await Rebuild(work), waiting[i]) is { } command)
            work.Messages.Add(ToBus(state, waiting[i], command, s.Now + TimeSpan.FromSeconds(0.25 * (1 << waiting[i].Tries))));
        await Write(s, state, work, saga with { Waiting = waiting }, ct);
        return Then.Rest;
    }

    /// <summary>Nothing was heard for a while: the deadline is looked at, hosts that are gone are given up, the rest is sent again.</summary>
    private async ValueTask<Then> Quiet(Services s, State state, Work<T> work, CancellationToken ct)
    {
        var saga = work.Row;
        if (s.Now > saga.Deadline && CanFail(saga)) return await Fail(s, state, work, _steps[saga.Step].Name + ": it took too long.", ct);
        var waiting = saga.Waiting.ToArray();
        var commands = await Rebuild(work);
        for (var i = 0; i < waiting.Length; i++)
        {
            if (waiting[i].Done) continue;
            var down = await Hosts.IsDown(s, waiting[i].Host, ct);
            if (down && CanFail(saga)) throw new SilenceFault(_steps[saga.Step].Name + ": the host does not answer.");
            var command = Find(commands, waiting[i]);
            waiting[i] = waiting[i] with { Tries = 0, Done = command is null || (down && (saga.Unwinding || Deletes)) };
            if (waiting[i].Done && command is not null) saga = PassOver(saga, waiting[i].Host);
            if (command is not null) work.Messages.Add(ToBus(state, waiting[i], command, null));
        }
        if (s.Now > saga.Deadline && !saga.Alerted)
        {
            work.Messages.Add(Events.CloudEvent.Alert(s, "saga-overdue", state.Was.Item.Id, state.Was.Item.ProjectId, $"{Name} is overdue at step {NameOf(saga)}; it goes on trying."));
            saga = saga with { Alerted = true };
        }
        if (Array.TrueForAll(waiting, w => w.Done))
        {
            work.Row = saga;
            return Advance(work);
        }
        await Write(s, state, work, saga with { Waiting = waiting, Silent = null }, ct);
        return Then.Rest;
    }

    private ValueTask<IReadOnlyList<HostCommand>> Rebuild(Work<T> work)
    {
        var step = _steps[work.Row.Step];
        return (work.Row.Unwinding ? step.UndoCommands : step.Commands)!(work);
    }

    private static HostCommand? Find(IReadOnlyList<HostCommand> commands, Waiting w) => commands.FirstOrDefault(c => c.Host == w.Host && c.Command.Key == w.Key);

    private async ValueTask Write(Services s, State state, Work<T> work, SagaRow saga, CancellationToken ct)
    {
        Op[] ops = [new Op.Replace(state.SagaKey, Json.Write(saga), state.SagaTag), .. work.Ops];
        if (ReferenceEquals(work.Item, state.Was.Item))
            await s.Store.Commit(state.Partition, [new Op.Check(saga.Key, state.Was.ETag), .. ops], work.Messages, ct);
        else await _rows.Save(s, work.Item, state.Was, work.Change, ops, work.Messages, ct);
    }
}
