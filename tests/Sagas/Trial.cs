using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Cloud.Platform.Events;
using Cloud.Platform.Hosting;
using Cloud.Platform.Sagas;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Sagas;

/// <param name="Points">Places where the process could have died.</param>
/// <param name="Commands">Commands that reached hosts.</param>
/// <param name="Calls">Of the store and the bus; true for those that write.</param>
/// <param name="Changes">Moments at which hosts hold something else than before.</param>
/// <param name="Course">Where others can go on, if it was asked for.</param>
public sealed record Report(IReadOnlyList<string> Problems, int Points, int Commands, bool Accepted, IReadOnlyList<string> Trace, IReadOnlyList<bool> Calls, int Moments, IReadOnlyList<int> Changes, Course? Course);

/// <summary>One run of a scenario under a plan, in a cloud of its own: act, suffer, heal, look at the whole world.</summary>
public sealed class Trial
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(21);
    private readonly Plan _plan;
    private readonly int[] _left;
    private readonly List<(SimulatedHost Host, CommandMessage Command)> _again = [];
    private readonly List<HostMessage> _late = [];
    private readonly List<string> _trace = [];
    private readonly Scenario _scenario;
    private readonly Mutant _mutant;
    private Stage _stage = null!;
    private readonly bool _looks;
    private bool _armed, _dead, _acted;
    private Answer? _deleted;
    private readonly List<bool> _calls = [];
    private Failing? _sending;
    private readonly List<int> _changes = [];
    private IReadOnlyList<Inventory> _sight = [];
    private string _held = "";
    private int _moments;
    private int _heard, _told, _died, _seen, _points, _commands;
    private readonly HashSet<(string, bool)> _ran = [];
    private Course? _course;
    private Answer? _answer;
    private int _leg;
    private bool _joined;

    private Trial(Scenario scenario, Plan plan, Mutant mutant)
    {
        (_scenario, _plan, _mutant) = (scenario, plan, mutant);
        _looks = plan.Sight is not null;
        _left = [.. plan.Breaks.Select(b => b.Times)];
    }

    private TestCloud Cloud => _stage.Cloud;

    /// <param name="keeps">Whether others will go on from where this one was.</param>
    public static async Task<Report> Run(Scenario scenario, Plan plan, Func<Mutant>? mutant = null, bool keeps = false)
    {
        var trial = new Trial(scenario, plan, mutant?.Invoke() ?? new Mutant("none"));
        var ready = await scenario.Ready();
        var mark = plan.Along?.Before(plan);
        var slices = ready.Cloud.Services.Slices.Select(s => s with { Sagas = [.. s.Sagas.Select(saga => trial._mutant.Saga(saga.Around(trial.Around)))] }).ToList();
        trial._stage = (mark?.Stage ?? ready).Copy(slices, store => new WalkedStore(trial._mutant.Store(store), trial.Called), midway: mark is not null);
        (trial.Cloud.Echo, trial.Cloud.SettlesFirst) = (plan.Echo, trial._mutant.SettlesFirst);
        if (mark is not null) trial.Join(mark);
        if (keeps) trial._course = new();
        await using (trial.Cloud)
        {
            var report = await trial.Run();
            trial._course?.End(trial.Cloud.Memory);
            return report;
        }
    }

    private void Join(Mark m)
    {
        (_joined, _acted, _answer, _deleted, _leg, _moments, _seen, _points) = (true, true, m.Answer, m.Deleted, m.Leg, m.Moment, m.Seen, m.Seen);
        (_commands, _told, _heard, _held) = (m.Commands, m.Told, m.Heard, m.Held);
        _trace.AddRange(m.Trace);
        if (m.Breaks == _plan.Breaks) m.Left.CopyTo(_left, 0);
        if (_plan.Sight is { } sight && sight.Seen < m.Moment) _sight = _plan.Along!.Sights(sight.Seen);
    }

    // Before a round nothing is in anybody's hands. Only what was accepted goes on.
    private void Keep()
    {
        if (_course is not null && _acted && _died == 0) _course.Add(new(_stage.Copy(midway: true), _answer!, _deleted, _leg, _moments, _seen, _commands, _told, _heard, _held, _ran.ToHashSet(), _plan.Breaks, [.. _left], [.. _trace]));
    }

    private async Task<Report> Run()
    {
        Cloud.Store.OnCommit = after => Point(after ? "after" : "before", Cloud.Store);
        Cloud.Bus.OnSend = Sending;
        Cloud.Bus.OnSettle = after => Point(after ? "after" : "before", "settle");
        Cloud.Line = Line;

        _armed = true;
        if (!_joined) _answer = await Survive(Act);
        _acted = _answer is { Status: < 300 };
        // What is there to do, three times over, and time that passes in between.
        for (; _leg < 6; _leg++)
        {
            if (_leg % 2 == 1 && !_joined) await Tick();
            _joined = false;
            while (!await Survive(Crank)) { }
        }
        _armed = false;
        await Heal();

        var problems = await Judge(_answer, _acted);
        return new(problems, _points, _commands, _acted, _trace, _calls, _moments, _changes, _course);
    }

    // What the act looks at first may be what fails.
    private async Task<Answer> Act()
    {
        try { return await _scenario.Act(_stage); }
        catch (InvalidOperationException e) when (_plan.Trip is not null && e.Message.StartsWith("503 ", StringComparison.Ordinal)) { return new(503, default, e.Message, new Dictionary<string, string>()); }
    }

    private async Task<IReadOnlyList<string>> Judge(Answer? answer, bool accepted)
    {
        var world = await World.Check(Cloud);
        var found = world.Problems;
        // What a death may leave for the sweeper; a delete in the midst only what nobody can miss.
        bool Swept(Problem p) => p.What is Wrong.Pointer ? _died > 0 || _plan.Trip is not null || _deleted is not null : p.What is Wrong.Claim && (_died > 0 || _plan.Trip is not null);
        if (found.Any(Swept))
        {
            found = [.. found.Where(p => !Swept(p))];
            await Cloud.Sweep();
            found = [.. found, .. (await World.Check(Cloud)).Problems.Except(found)];
        }
        List<string> problems = [.. found.Select(p => p.ToString())];
        var harmless = _plan.Breaks.All(b => !b.Refuses && b.Times < 3) && _plan.Mishap is not { Fate: Fate.Refused };
        if (answer is not null && !accepted && !(_plan.Trip is not null && answer.Status is 503 or 409 or 404)) problems.Add($"refused: {answer.Status} {answer.Text}");
        if (_deleted is { Status: < 300 })
        {
            if ((await _scenario.Delete!(_stage)).Status != 404) problems.Add("it was deleted and is there");
            return problems;
        }
        if (_deleted is not null || !accepted || !harmless) return problems;
        if (world.Failed) problems.Add("something is in a state of failure though nothing failed");
        if (!await _scenario.Done(_stage)) problems.Add("what was accepted is not so");
        return problems;
    }

    /// <summary>Everything that was broken works again, and time passes until nothing is under way.</summary>
    private async Task Heal()
    {
        Array.Clear(_left);
        Cloud.Line = (host, m) => host.Handle(_mutant.Command(m)) is { } reply ? [reply] : [];
        for (var i = 0; i < 20 && (i < 2 || Cloud.Bus.Holds || Cloud.Store.Any(r => r.Key.StartsWith("saga|", StringComparison.Ordinal))); i++) await Pass();
        await Tell();
        foreach (var reply in _late) await Cloud.Say(reply);
        foreach (var (host, command) in _again)
            if (host.Handle(_mutant.Command(command)) is { } reply) await Cloud.Say(reply);
        await Cloud.Drain();
    }

    private async Task Pass()
    {
        await Tick();
        while (!await Survive(Crank)) { }
    }

    private async Task Tick()
    {
        var armed = _armed;
        _armed = false;
        Cloud.Clock.Advance(Quiet);
        foreach (var host in Cloud.Hosts) await Platform.Agents.Hosts.Beat(Cloud.Services, host.Beat(), CancellationToken.None);
        _armed = armed;
    }

    private async Task<object?> Crank()
    {
        for (var round = 0; round < 5_000; round++)
        {
            await Moment();
            if (!await Cloud.Crank()) return true;
        }
        throw new InvalidOperationException("the queues do not come to rest");
    }

    private async ValueTask Moment()
    {
        if (!_armed) return;
        Keep();
        if (!_looks) return;
        var now = _moments++;
        if (_plan.Sight?.Seen < 0)
        {
            var held = string.Join("\n", Sights().SelectMany(i => i.Items.Select(x => $"{i.Host} {x}")));
            if (held != _held) _changes.Add(now);
            _held = held;
        }
        if (_plan.Sight?.Seen == now) _sight = [.. Sights()];
        if (_plan.Sight?.Told == now) await Tell();
    }

    private IEnumerable<Inventory> Sights() => Cloud.Hosts.Select(h => h.Inventory() with { At = Cloud.Clock.GetUtcNow() });

    private async ValueTask Tell()
    {
        foreach (var inventory in _sight) await Cloud.Say(inventory);
        _sight = [];
    }

    private async Task<bool> Survive(Func<Task<object?>> act) => await Survive<object>(async () => (await act())!) is not null;

    /// <returns>Null when the process died meanwhile; it has been started again.</returns>
    private async Task<T?> Survive<T>(Func<Task<T>> act) where T : class
    {
        try
        {
            var result = await act();
            if (!_dead) return result;
        }
        catch (Exception) when (_dead) { /* whatever a dying process throws */ }
        (_dead, _seen) = (false, 0);
        _died++;
        Cloud.Restart();
        return null;
    }

    /// <param name="what">Told only if it dies here.</param>
    private void Point<T>(string when, T what)
    {
        if (_dead) throw new Death();
        if (!_armed) return;
        // What follows from events is many small writes, much alike.
        if (Cloud.Current == CloudEvent.Queue && _told++ % 10 > 1) return;
        if (_died == 0) _points++;
        if (_died < _plan.Deaths.Length && _seen == _plan.Deaths[_died])
        {
            _trace.Add($"died {when} {(what is MemoryStore store ? store.Last : what)}");
            _dead = true;
            throw new Death();
        }
        _seen++;
        // In the midst of whatever is going on: in memory everything completes at once, so this is another thread's request.
        if (_acted && _deleted is null && _plan.DeleteAt < _seen)
        {
            _deleted = new(0, default, "", new Dictionary<string, string>());
            var asked = _scenario.Delete!(_stage);
            _deleted = asked.IsCompleted ? asked.GetAwaiter().GetResult() : throw new InvalidOperationException("the delete had to wait");
        }
    }

    private void Sending(bool after)
    {
        Point(after ? "after" : "before", "send");
        if (!after) _sending = Called(true);
        if (_sending is not null && after == _sending is Failing.Unknown)
        {
            _sending = null;
            throw WalkedStore.Unavailable();
        }
    }

    /// <summary>How a call of the store or the bus fails; null when it doesn't.</summary>
    private Failing? Called(bool writes)
    {
        if (!_armed || _dead) return null;
        if (Cloud.Current == CloudEvent.Queue && _heard++ % 10 > 1) return null;
        var n = _calls.Count;
        _calls.Add(writes);
        if (_plan.Trip is not { } trip || n < trip.Call || n > trip.Call + (trip.How == Failing.Throttled ? 2 : 0)) return null;
        return writes || trip.How is Failing.Refused or Failing.Throttled ? trip.How : null;
    }

    private async ValueTask Around(StepCall call, Func<ValueTask> run)
    {
        _ran.Add((call.Step, call.Undo));
        Point("before", call);
        var i = Array.FindIndex(_plan.Breaks, b => b.Step == call.Step && b.Undo == call.Undo);
        var fails = i >= 0 && _left[i] > 0;
        if (fails) _left[i]--;
        if (fails && !_plan.Breaks[i].After) Fail(_plan.Breaks[i]);
        await run();
        Point("after", call);
        if (fails) Fail(_plan.Breaks[i]);
    }

    private static void Fail(Break b) => throw (b.Refuses ? new SagaFault("Injected refusal") : new Injected($"step {b.Step}"));

    private IReadOnlyList<HostMessage> Line(SimulatedHost host, CommandMessage m)
    {
        var n = _commands++;
        m = _mutant.Command(m);
        return [.. Suffer(host, m, n).Select(r => _mutant.Reply(m, r))];
    }

    private IReadOnlyList<CommandReply> Suffer(SimulatedHost host, CommandMessage m, int n)
    {
        CommandReply[] Do() => host.Handle(m) is { } r ? [r] : [];
        CommandReply Failed(bool retry) => new(m.Host, m.Id, m.ReplyTo, m.Command.Key, m.Fence, Outcome.Failed, Message: "injected", Retry: retry);
        if (_plan.Stutter) return [.. Do(), .. Do() is var again ? again : [], .. again];
        if (_plan.Mishap is not { } mishap || mishap.Command != n) return Do();
        switch (mishap.Fate)
        {
            case Fate.Lost: return [];
            case Fate.ReplyLost: Do(); return [];
            case Fate.ReplyTwice: var r = Do(); return [.. r, .. r];
            case Fate.ReplyLate: _late.AddRange(Do()); return [];
            case Fate.CommandAgain: _again.Add((host, m)); return Do();
            case Fate.CommandLate: _again.Add((host, m)); return [];
            case Fate.FailsOnce: return [Failed(true)];
            case Fate.Refused: return [Failed(false)];
            case Fate.Forged: return [new CommandReply(host.Name == "sim-1" ? "sim-2" : "sim-1", m.Id, m.ReplyTo, m.Command.Key, m.Fence, Outcome.Done)];
            default: throw new InvalidOperationException($"{mishap.Fate}");
        }
    }
}
