using Cloud.Agents.Contract;
using Cloud.Platform.Agents;
using Cloud.Platform.Bus;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Platform.Sagas;

/// <summary>The engine: turn by turn, each ending in one transaction, until it has to wait or is done.</summary>
public sealed partial class Saga<T>
{
    private const int TriesOfCommand = 5, TriesOfStep = 5;

    private sealed record State(string Partition, Loaded<T> Was, SagaRow Saga, string SagaTag)
    {
        public string SagaKey => SagaRow.KeyOf(Saga.Id);
    }

    public async Task Run(Services s, SagaMessage message, int attempt, CancellationToken ct)
    {
        var (reply, resend) = (message.Reply, message.Resend);
        for (var conflicts = 0; await Load(s, message, ct) is { } state;)
        {
            try
            {
                if (!await Turn(s, state, reply, resend, attempt, ct)) return;
                (reply, resend) = (null, false);
            }
            catch (ConflictException) when (++conflicts < 100) { /* somebody wrote meanwhile: look again */ }
        }
    }

    /// <returns>Null when there is nothing left to do: it ended, was superseded, or its resource is gone.</returns>
    private async ValueTask<State?> Load(Services s, SagaMessage m, CancellationToken ct)
    {
        if (await s.Store.Get(m.Partition, SagaRow.KeyOf(m.Saga), ct) is not { } row) return null;
        var saga = Json.Read<SagaRow>(row.Body);
        if (await s.Store.Get(m.Partition, saga.Key, ct) is { } found && Json.Read<T>(found.Body) is var item && item.Saga == saga.Id)
            return new(m.Partition, new(item, found.ETag), saga, row.ETag);
        await s.Store.Commit(m.Partition, [new Op.Delete(row.Key)], ct: ct);
        return null;
    }

    /// <returns>True when there is more to do at once.</returns>
    private async ValueTask<bool> Turn(Services s, State state, CommandReply? reply, bool resend, int attempt, CancellationToken ct)
    {
        var saga = state.Saga;
        if (saga.Waiting.Length > 0)
            return reply is not null ? await Answered(s, state, reply, ct) : resend && await Quiet(s, state, ct);
        if (saga.Unwinding ? saga.Step < 0 : saga.Step >= _steps.Count) return await End(s, state, ct);

        var step = _steps[saga.Step];
        var work = new Work<T>(s, state.Was.Item, saga, ct);
        try
        {
            if (!saga.Unwinding && !Deletes && s.Now > saga.Deadline) throw new SagaFault("It took too long.");
            if ((saga.Unwinding ? step.UndoCommands : step.Commands) is { } commands)
            {
                var list = await commands(work);
                if (list.Count > 0) return await Send(s, state, work, list, ct);
            }
            else if ((saga.Unwinding ? step.Undo : step.Do) is { } run) await run(work);
        }
        catch (Exception e) when (!Deletes && !saga.Unwinding && (e is SagaFault or Fault || (attempt >= TriesOfStep && e is not (ConflictException or OperationCanceledException))))
        {
            return await Fail(s, state, e is SagaFault or Fault ? e.Message : "An unexpected error happened.", ct);
        }
        return await Next(s, state, work, ct);
    }

    private async ValueTask<bool> Next(Services s, State state, Work<T> work, CancellationToken ct)
    {
        var saga = state.Saga;
        await Write(s, state, work, saga with { Step = saga.Step + (saga.Unwinding ? -1 : 1), Turn = saga.Turn + 1, Waiting = [] }, ct);
        return true;
    }

    private async ValueTask<bool> Fail(Services s, State state, string error, CancellationToken ct)
    {
        var work = new Work<T>(s, state.Was.Item, state.Saga, ct);
        await Write(s, state, work, state.Saga with { Unwinding = true, Error = error, Turn = state.Saga.Turn + 1, Waiting = [] }, ct);
        return true;
    }

    private async ValueTask<bool> End(Services s, State state, CancellationToken ct)
    {
        var work = new Work<T>(s, state.Was.Item, state.Saga, ct);
        if (state.Saga.Unwinding) await _failed(work);
        else await _finished(work);
        Op[] ops = [new Op.Delete(state.SagaKey, state.SagaTag), .. work.Ops];
        if (Deletes) await _rows.Remove(s, state.Was, work.Change, ops, work.Messages, ct);
        else await _rows.Save(s, work.Item with { Saga = null }, state.Was, work.Change, ops, work.Messages, ct);
        return false;
    }

    private async ValueTask<bool> Send(Services s, State state, Work<T> work, IReadOnlyList<HostCommand> commands, CancellationToken ct)
    {
        var saga = state.Saga;
        var waiting = commands.Select((c, i) => new Waiting($"{saga.Id}.{(saga.Unwinding ? "u" : "f")}{saga.Step}.{saga.Turn}.{i}", c.Host)).ToArray();
        // A host that is gone can't clean up now; when it comes back its inventory is compared and cleaned.
        if (saga.Unwinding || Deletes)
            for (var i = 0; i < waiting.Length; i++)
                if (await Hosts.IsDown(s, commands[i].Host, ct)) waiting[i] = waiting[i] with { Done = true };
        for (var i = 0; i < waiting.Length; i++)
            if (!waiting[i].Done) work.Messages.Add(ToBus(state, waiting[i], commands[i], null));
        if (Array.TrueForAll(waiting, w => w.Done)) return await Next(s, state, work, ct);
        await Write(s, state, work, saga with { Waiting = waiting }, ct);
        return false;
    }

    private static Message ToBus(State state, Waiting w, HostCommand c, DateTimeOffset? notBefore) =>
        Dispatch.ToBus(new(w.Id, c.Host, c.Fence ?? state.Was.Item.Revision, Replies.ToSaga(state.Partition, state.Saga), c.Command, state.Saga.RequestId), notBefore);

    private async ValueTask<bool> Answered(Services s, State state, CommandReply reply, CancellationToken ct)
    {
        var saga = state.Saga;
        var i = Array.FindIndex(saga.Waiting, w => w.Id == reply.CommandId && w.Host == reply.Host && !w.Done);
        if (i < 0) return false; // an answer to what nobody waits for any more
        var waiting = saga.Waiting.ToArray();
        var work = new Work<T>(s, state.Was.Item, saga, ct);
        if (reply.Outcome == Outcome.Done)
        {
            waiting[i] = waiting[i] with { Done = true, Result = reply.Result };
            if (!Array.TrueForAll(waiting, w => w.Done))
            {
                await Write(s, state, work, saga with { Waiting = waiting }, ct);
                return false;
            }
            if (!saga.Unwinding) _steps[saga.Step].Done?.Invoke(work, [.. waiting.Select(w => w.Result)]);
            return await Next(s, state, work, ct);
        }
        var again = reply.Outcome == Outcome.Stale || reply.Retry || saga.Unwinding || Deletes;
        waiting[i] = waiting[i] with { Tries = waiting[i].Tries + 1 };
        if (!again || (waiting[i].Tries >= TriesOfCommand && !saga.Unwinding && !Deletes))
            return await Fail(s, state, _steps[saga.Step].Name + ": the host could not do it.", ct);
        // Rebuilt from the row as it is now, with its present fence; a little later each time.
        if (waiting[i].Tries < TriesOfCommand && (await Rebuild(work)).ElementAtOrDefault(i) is { } command)
            work.Messages.Add(ToBus(state, waiting[i], command, s.Now + TimeSpan.FromSeconds(0.25 * (1 << waiting[i].Tries))));
        await Write(s, state, work, saga with { Waiting = waiting }, ct);
        return false;
    }

    /// <summary>Nothing was heard for a while: the deadline is looked at, hosts that are gone are given up, the rest is sent again.</summary>
    private async ValueTask<bool> Quiet(Services s, State state, CancellationToken ct)
    {
        var saga = state.Saga;
        var forward = !saga.Unwinding && !Deletes;
        if (s.Now > saga.Deadline && forward) return await Fail(s, state, _steps[saga.Step].Name + ": it took too long.", ct);
        var work = new Work<T>(s, state.Was.Item, saga, ct);
        var waiting = saga.Waiting.ToArray();
        var commands = await Rebuild(work);
        for (var i = 0; i < waiting.Length; i++)
        {
            if (waiting[i].Done) continue;
            var down = await Hosts.IsDown(s, waiting[i].Host, ct);
            if (down && forward) return await Fail(s, state, $"{_steps[saga.Step].Name}: the host does not answer.", ct);
            if (down || i >= commands.Count || commands[i].Host != waiting[i].Host) waiting[i] = waiting[i] with { Done = true };
            else work.Messages.Add(ToBus(state, waiting[i] = waiting[i] with { Tries = 0 }, commands[i], null));
        }
        if (s.Now > saga.Deadline && !saga.Alerted)
        {
            work.Messages.Add(Events.CloudEvent.Alert(s, "saga-overdue", state.Was.Item.Id, state.Was.Item.ProjectId, $"{Name} is overdue at step {_steps[saga.Step].Name}; it goes on trying."));
            saga = saga with { Alerted = true };
        }
        if (Array.TrueForAll(waiting, w => w.Done)) return await Next(s, state with { Saga = saga }, work, ct);
        await Write(s, state, work, saga with { Waiting = waiting }, ct);
        return false;
    }

    private ValueTask<IReadOnlyList<HostCommand>> Rebuild(Work<T> work)
    {
        var step = _steps[work.Row.Step];
        return (work.Row.Unwinding ? step.UndoCommands : step.Commands)!(work);
    }

    private async ValueTask Write(Services s, State state, Work<T> work, SagaRow saga, CancellationToken ct)
    {
        Op[] ops = [new Op.Replace(state.SagaKey, Json.Write(saga), state.SagaTag), .. work.Ops];
        if (ReferenceEquals(work.Item, state.Was.Item))
            await s.Store.Commit(state.Partition, [new Op.Check(saga.Key, state.Was.ETag), .. ops], work.Messages, ct);
        else await _rows.Save(s, work.Item, state.Was, work.Change, ops, work.Messages, ct);
    }
}
