using System.Text.Json;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;

namespace Cloud.Tests.Histories;

/// <summary>Runs a scenario, forward and back from each step, and keeps the cloud as it is whenever its saga was recorded where it wasn't before.</summary>
public static class Recorder
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(21);

    public static async Task Record(Scenario scenario, HistoryFile file)
    {
        var saga = Slices.All.SelectMany(s => s.Sagas).Single(s => s.Name == scenario.Saga);
        var seen = new HashSet<string>();
        await Run(null);
        foreach (var step in saga.Deletes ? [] : saga.Steps) await Run(step);

        async Task Run(string? fails)
        {
            var ready = await scenario.Ready();
            async ValueTask Around(StepCall call, Func<ValueTask> run)
            {
                await run();
                if (call.Saga != saga.Name || call.Undo || call.Step != fails) return;
                fails = null;
                throw new SagaFault("Injected refusal");
            }
            var stage = ready.Copy([.. ready.Cloud.Services.Slices.Select(s => s with { Sagas = [.. s.Sagas.Select(x => x.Around(Around))] })]);
            await using var cloud = stage.Cloud;
            cloud.Store.OnCommit = after =>
            {
                if (!after) return;
                foreach (var row in cloud.Store.All.Where(r => r.Key.StartsWith("saga|", StringComparison.Ordinal)))
                    if (Json.Read<SagaRow>(row.Body) is var s && s.Name == saga.Name && At(saga, s) is var at && seen.Add(at)) file.Add(scenario.Name, saga.Name, at, cloud, stage.Ids);
            };
            await scenario.Act(stage);
            for (var i = 0; i < 3; i++)
            {
                await cloud.Drain();
                cloud.Clock.Advance(Quiet);
                await cloud.Beat();
            }
        }
    }

    private static string At(ISaga saga, SagaRow s) =>
        $"{(s.Unwinding ? "undo of " : "")}{saga.Steps.ElementAtOrDefault(s.Step) ?? StepCall.End}{(s.Waiting.Length > 0 ? $", {s.Waiting.Count(w => w.Done)} of {s.Waiting.Length} answered" : "")}";
}
