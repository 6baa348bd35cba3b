using Cloud.Platform.Sagas;

namespace Cloud.Tests.Sagas;

/// <summary>All the plans for one scenario. The order is fixed, the chance that picks among many comes from a seed.</summary>
public static class Matrix
{
    private static readonly int[] s_soon = [0, 1, 2, 3, 5, 8, 13, 21];

    /// <summary>Deaths, failures, deletions and mishaps of commands; first that nothing at all happens.</summary>
    public static async IAsyncEnumerable<Plan> Of(Scenario scenario, int thorough, Func<Mutant>? mutant = null)
    {
        yield return new();
        var calm = await Trial.Run(scenario, new(), mutant, keeps: true);
        foreach (var plan in Plans(scenario, calm, thorough, new Random(scenario.Name.Sum(c => c)))) yield return plan with { Along = calm.Course };
    }

    /// <summary>Each call of the store and the bus fails in each way it can, one in each run: on the way forward, and on the way back from the last step (thorough: from each).</summary>
    public static async IAsyncEnumerable<Plan> Walk(Scenario scenario, int thorough)
    {
        var saga = Saga(scenario);
        List<Plan> ways = [new(), .. Back(saga).TakeLast(thorough > 1 ? 100 : 1)];
        foreach (var way in ways)
        {
            var calm = await Trial.Run(scenario, way);
            for (var n = 0; n < calm.Calls.Count; n++)
                foreach (var how in calm.Calls[n] ? Enum.GetValues<Failing>() : [Failing.Refused, Failing.Throttled])
                    yield return way with { Trip = new(n, how) };
        }
    }

    /// <summary>Every message, command and answer comes twice and out of order, with each step and undo done twice and each failure on top.</summary>
    public static IAsyncEnumerable<Plan> Repeats(Scenario scenario) =>
        Failures(Saga(scenario)).Append([]).SelectMany(f => new Plan[] { new() { Breaks = f, Echo = true }, new() { Breaks = f, Stutter = true }, new() { Breaks = f, Echo = true, Stutter = true } }).ToAsyncEnumerable();

    /// <summary>
    /// Whatever hosts hold at any moment, they tell at each later one, when commands have changed it: a report that was long on its way. On the way
    /// forward, on the way back from each step, and with deletions in the midst.
    /// </summary>
    public static async IAsyncEnumerable<Plan> Sights(Scenario scenario)
    {
        List<Plan> ways = [new(), .. Back(Saga(scenario))];
        if (scenario.Delete is not null)
            for (var (i, points) = (0, (await Trial.Run(scenario, new())).Points); i < points; i += 9) ways.Add(new() { DeleteAt = i });
        foreach (var way in ways)
        {
            var calm = await Trial.Run(scenario, way with { Sight = new(-1, -1) }, keeps: true);
            foreach (var seen in calm.Changes)
                for (var told = seen; told <= calm.Moments; told++) yield return way with { Sight = new(seen, told), Along = calm.Course };
        }
    }

    /// <summary>Each step does what it should and refuses, so that all is undone from there.</summary>
    private static IEnumerable<Plan> Back(ISaga saga) => saga.Deletes ? [] : saga.Steps.Select(step => new Plan { Breaks = [new(step, Undo: false, Times: 1, After: true, Refuses: true)] });

    private static ISaga Saga(Scenario scenario) => Slices.All.SelectMany(s => s.Sagas).First(s => s.Name == scenario.Saga);

    private static IEnumerable<Plan> Plans(Scenario scenario, Report calm, int thorough, Random chance)
    {
        var saga = Saga(scenario);
        // Points come in pairs, before and after something lasting; after one thing is before the next, except for what is read in between.
        for (var i = 0; i < calm.Points; i += thorough > 1 ? 1 : 2) yield return new() { Deaths = [i] };
        for (var i = 0; i < 40 * thorough; i++) yield return new() { Deaths = [chance.Next(calm.Points), chance.Next(calm.Points)] };
        // And again at once, or soon.
        for (var i = 1; i < calm.Points; i += thorough > 1 ? 1 : 2)
            foreach (var next in s_soon) yield return new() { Deaths = [i, next] };
        for (var i = 0; i < 30 * thorough; i++) yield return new() { Deaths = [chance.Next(calm.Points), chance.Next(calm.Points / 2), chance.Next(calm.Points / 2)] };

        if (scenario.Delete is not null)
            for (var i = 0; i < calm.Points; i++)
            {
                yield return new() { DeleteAt = i };
                if (thorough > 1 || i % 4 == 0) yield return new() { DeleteAt = i, Deaths = [i + 1 + chance.Next(20)] };
            }

        for (var c = 0; c < calm.Commands; c++)
            foreach (var fate in Enum.GetValues<Fate>())
            {
                yield return new() { Mishap = new(c, fate) };
                for (var i = 0; i < thorough; i++) yield return new() { Mishap = new(c, fate), Deaths = [chance.Next(calm.Points)] };
                for (var i = 0; scenario.Delete is not null && i < (fate == Fate.CommandLate ? 6 : 1) * thorough; i++) yield return new() { Mishap = new(c, fate), DeleteAt = chance.Next(calm.Points) };
            }

        for (var c = 0; c < calm.Commands; c++)
            foreach (var step in saga.Deletes ? [] : saga.Steps) yield return new() { Mishap = new(c, Fate.CommandLate), Breaks = [new(step, Undo: false, Times: 1, After: true, Refuses: true)] };

        foreach (var fail in Failures(saga))
        {
            yield return new() { Breaks = fail };
            for (var i = 0; i < (fail.Length == 1 ? 4 * thorough : thorough - 1); i++) yield return new() { Breaks = fail, Deaths = [.. Enumerable.Range(0, 1 + chance.Next(3)).Select(_ => chance.Next(calm.Points))] };
        }
    }

    /// <summary>Each step failing before or after its effect, for a while or for good; and each undo on top of each failure.</summary>
    private static IEnumerable<Break[]> Failures(ISaga saga)
    {
        List<string> steps = [.. saga.Steps, StepCall.End];
        foreach (var step in steps)
        {
            foreach (var after in (bool[])[false, true])
            {
                yield return [new(step, Undo: false, Times: 2, after)];
                yield return [new(step, Undo: false, Times: 40, after)];
                if (!saga.Deletes) yield return [new(step, Undo: false, Times: 1, after, Refuses: true)];
            }
            if (saga.Deletes) continue;
            foreach (var undo in steps.Take(steps.IndexOf(step) + 1).Append(StepCall.End).Distinct())
            {
                if (undo == step) yield return [new(step, Undo: false, Times: 1, After: true, Refuses: true), new(undo, Undo: true, Times: 2, After: true)];
                yield return [new(step, Undo: false, Times: 1, After: true, Refuses: true), new(undo, Undo: true, Times: 40)];
            }
        }
    }
}
