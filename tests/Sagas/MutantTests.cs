using System.Text;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;
using Xunit;

namespace Cloud.Tests.Sagas;

/// <summary>Each rule of the sagas, broken on purpose: the matrix must see it. A rule that could be dropped unseen would not be kept for long.</summary>
public sealed class MutantTests
{
    private sealed record Case(string Scenario, Func<Plan, bool> Plans, Func<Mutant> Mutant);

    private static readonly Dictionary<string, Case> s_cases = new()
    {
        ["an undo is dropped"] = new("server-create-1", p => p.Breaks is [{ Step: "network" }], () => Around((call, run) => call is { Step: "schedule", Undo: true } ? default : run())),
        ["the failed step is not undone"] = new("server-create-1", p => p.Breaks is [{ Refuses: true, After: true }], () =>
        {
            var failed = "";
            return Around(async (call, run) =>
            {
                if (call.Undo && call.Step == failed) return;
                try { await run(); }
                catch when (!call.Undo) { failed = call.Step; throw; }
            });
        }),
        ["the record comes before the effect"] = new("server-create-1", p => p.Deaths.Length == 1, () =>
        {
            var later = new Queue<Func<ValueTask>>();
            return Around((call, run) =>
            {
                if (call is not { Step: "network", Undo: false }) return run();
                later.Enqueue(run);
                return default;
            }) with
            {
                Store = s => new MutantStore(s, async (store, partition, ops, messages) =>
                {
                    await store.Commit(partition, ops, messages);
                    while (later.TryDequeue(out var effect)) await effect();
                }),
            };
        }),
        ["reservations are not keyed by their owner"] = new("server-create-1", p => p.Deaths.Length == 1, () =>
        {
            var n = 0;
            return Commits((store, partition, ops, messages) => store.Commit(partition, [.. ops.Select(o => o is Op.Insert i && i.Key.StartsWith("allocation|", StringComparison.Ordinal) ? i with { Key = $"{i.Key}.{++n}" } : o)], messages));
        }),
        ["hosts ignore fences"] = new("server-create-1", p => p.Mishap?.Fate == Fate.CommandLate, () => new("fence") { Command = m => m with { Fence = 1 } }),
        ["a deletion waits for its turn"] = new("server-create-1", p => p.DeleteAt is not null, () => Commits((store, partition, ops, messages) =>
        {
            var (begun, superseded) = (Saga<Op.Insert>(ops), Saga<Op.Delete>(ops));
            if (begun is null || superseded is null) return store.Commit(partition, ops, messages);
            byte[] Back(ReadOnlyMemory<byte> body) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body.Span).Replace(begun, superseded, StringComparison.Ordinal));
            return store.Commit(partition, [.. ops.Where(o => o.Key != SagaRow.KeyOf(superseded)).Select(o => o is Op.Replace r ? r with { Body = Back(r.Body) } : o)], messages);
        })),
        ["another host's answer counts"] = new("server-sync-1 (stop)", p => p.Mishap?.Fate == Fate.Forged, () => new("forged") { Reply = (m, r) => r with { Host = m.Host } }),
        ["messages are sent beside the write"] = new("volume-extend-1", p => p.Deaths.Length == 1, () => Commits(async (store, partition, ops, messages) =>
        {
            await store.Commit(partition, ops, []);
            await store.Commit("elsewhere", [], messages);
        })),
        ["nobody watches"] = new("volume-extend-1", p => p.Mishap?.Fate == Fate.Lost, () => Commits((store, partition, ops, messages) => store.Commit(partition, ops, [.. messages.Where(m => m.Queue != Watchdog.Queue)]))),
    };

    public static TheoryData<string> Names => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_matrix_sees_a_broken_rule(string name)
    {
        var (scenario, plans, mutant) = s_cases[name];
        var runs = 0;
        await foreach (var (_, report) in Matrix.Of(Scenarios.All.First(s => s.Name == scenario), 1, mutant, plans))
        {
            runs++;
            if (report.Problems.Count > 0) return;
        }
        Assert.Fail($"'{name}' went unseen in {runs} runs");
    }

    private static Mutant Around(Func<StepCall, Func<ValueTask>, ValueTask> around) => new("around") { Saga = s => s.Around(around) };

    private static Mutant Commits(Func<Kit.MemoryStore, string, IReadOnlyList<Op>, IReadOnlyList<Platform.Bus.Message>, ValueTask> commit) => new("commits") { Store = s => new MutantStore(s, commit) };

    private static string? Saga<T>(IReadOnlyList<Op> ops) where T : Op => ops.OfType<T>().FirstOrDefault(o => o.Key.StartsWith("saga|", StringComparison.Ordinal))?.Key["saga|".Length..];
}
