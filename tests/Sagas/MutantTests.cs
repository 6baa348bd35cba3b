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
        ["an undo leaves a disk"] = new("server-create-1", Refusals, () => Skips("image", undo: true)),
        ["an undo leaves ports"] = new("server-create-1", Refusals, () => Skips("ports", undo: true)),
        ["an undo leaves volumes reserved"] = new("server-create-1", Refusals, () => Skips("volume", undo: true)),
        ["a failure isn't told in the row"] = new("server-create-1", Refusals, () => Skips(StepCall.End, undo: true)),
        ["an end isn't told in the row"] = new("server-create-1", p => false, () => Skips(StepCall.End, undo: false)),
        ["a removal leaves the guest"] = new("server-delete-1", p => false, () => Skips("guest", undo: false)),
        ["a removal leaves the disk"] = new("server-delete-1", p => false, () => Skips("disk", undo: false)),
        ["a removal leaves ports"] = new("server-delete-1", p => false, () => Skips("network", undo: false)),
        ["a removal leaves volumes attached"] = new("server-delete-1", p => false, () => Skips("volume", undo: false)),
        ["room is not given back"] = new("server-delete-1", p => false, () => Skips("room", undo: false)),
        ["a floating IP isn't unbound"] = new("port-delete-1", p => false, () => Skips("unplug", undo: false)),
        ["addresses aren't freed"] = new("port-delete-1", p => false, () => Drops((partition, op) => partition.StartsWith("claims.", StringComparison.Ordinal) && op is Op.Delete)),
        ["addresses aren't claimed"] = new("membership-sync-1", p => false, () => Drops((partition, op) => partition.StartsWith("claims.ip", StringComparison.Ordinal) && op is Op.Insert)),
        ["an address is given twice"] = new("membership-sync-1", p => false, () => Forgets((partition, _) => partition.StartsWith("claims.ip", StringComparison.Ordinal))),
        ["pointers aren't written"] = new("volume-create-1 (blank)", p => false, () => Drops((partition, op) => partition.StartsWith("index.", StringComparison.Ordinal) && op is Op.Upsert)),
        ["pointers aren't removed"] = new("volume-delete-1", p => false, () => Drops((partition, op) => partition.StartsWith("index.", StringComparison.Ordinal) && op is Op.Delete)),
        ["a host's sum isn't kept"] = new("server-delete-1", p => false, () => Drops((partition, op) => partition.StartsWith("host.", StringComparison.Ordinal) && op is Op.Replace { Key: "total" })),
        ["a write isn't of one piece"] = new("volume-extend-1", p => p.Deaths.Length == 1, () => Commits(async (store, partition, ops, messages) =>
        {
            foreach (var op in ops) await store.Commit(partition, [op]);
            await store.Commit(partition, [], messages);
        })),
        ["who writes last wins"] = new("server-create-1", p => p.DeleteAt is not null, () => Commits((store, partition, ops, messages) => store.Commit(partition, [.. ops.Where(o => o is not Op.Check).Select(o => o switch
        {
            Op.Replace r => new Op.Upsert(r.Key, r.Body),
            Op.Delete d => new Op.Delete(d.Key),
            _ => o,
        })], messages))),
        ["messages are done with before anything was done"] = new("volume-create-1 (blank)", p => p.Deaths.Length == 1, () => new("settles first") { SettlesFirst = true }),
        ["events get lost"] = new("volume-create-1 (blank)", p => false, () => Commits((store, partition, ops, messages) => store.Commit(partition, ops, [.. messages.Where(m => m.Queue != Platform.Events.CloudEvent.Queue)]))),
        ["an interval is billed twice"] = new("volume-extend-1", p => false, () => Commits((store, partition, ops, messages) => store.Commit(partition, [.. ops, .. ops.OfType<Op.Insert>().Where(o => Interval(partition, o)).Select(o => o with { Key = o.Key + ".again" }), .. ops.OfType<Op.Upsert>().Where(o => Interval(partition, o)).Select(o => o with { Key = o.Key + ".again" })], messages))),
        ["an interval isn't billed"] = new("volume-extend-1", p => false, () => Drops(Interval)),
        ["what counts is forgotten"] = new("volume-create-1 (blank)", p => false, () => Drops((partition, op) => partition.StartsWith("metering.", StringComparison.Ordinal) && op.Key.StartsWith("live|", StringComparison.Ordinal) && op is not Op.Delete)),
        ["a host does less than it says"] = new("volume-extend-1", p => false, () => new("idle") { Command = m => m.Command is Agents.Contract.EnsureDisk d ? m with { Command = d with { Bytes = 1 } } : m }),
        ["a removal does nothing at the host"] = new("port-delete-1", p => false, () => new("idle") { Command = m => m.Command is Agents.Contract.RemovePort p ? m with { Command = new Agents.Contract.RemovePort(p.PortId + "x") } : m }),
        ["an answer of an older command counts"] = new("server-sync-1 (stop)", p => p.Mishap?.Fate == Fate.Refused, () => new("old") { Reply = (_, r) => r.Outcome == Agents.Contract.Outcome.Failed ? r with { Outcome = Agents.Contract.Outcome.Done } : r }),
        ["a deletion's wish isn't kept"] = new("server-create-1", p => p.DeleteAt is not null, () => Commits((store, partition, ops, messages) => store.Commit(partition, [.. ops.Select(o => o is Op.Replace r && r.Key.StartsWith("server|", StringComparison.Ordinal)
            ? r with { Body = Encoding.UTF8.GetBytes(System.Text.RegularExpressions.Regex.Replace(Encoding.UTF8.GetString(r.Body.Span), "\"(doomed|saga)\":(true|\"[^\"]*\")", "\"x\":0", System.Text.RegularExpressions.RegexOptions.IgnoreCase)) } : o)], messages))),
        ["a refusal counts as done"] = new("server-create-1", p => p.Mishap?.Fate == Fate.Refused, () => new("glad") { Reply = (_, r) => r with { Outcome = Agents.Contract.Outcome.Done } }),
        ["a saga's row outlives its resource"] = new("volume-delete-1", p => false, () => Drops((_, op) => op is Op.Delete && op.Key.StartsWith("saga|", StringComparison.Ordinal))),
        ["nobody watches"] = new("volume-extend-1", p => p.Mishap?.Fate == Fate.Lost, () => Commits((store, partition, ops, messages) => store.Commit(partition, ops, [.. messages.Where(m => m.Queue != Watchdog.Queue)]))),
    };

    public static TheoryData<string> Names => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_matrix_sees_a_broken_rule(string name)
    {
        var (scenario, plans, mutant) = s_cases[name];
        var runs = 0;
        var broken = Scenarios.All.First(s => s.Name == scenario);
        await foreach (var plan in Matrix.Of(broken, 1, mutant).Where((p, n) => n == 0 || plans(p)))
        {
            runs++;
            if ((await Trial.Run(broken, plan, mutant)).Problems.Count > 0) return;
        }
        Assert.Fail($"'{name}' went unseen in {runs} runs");
    }

    private static bool Refusals(Plan p) => p.Breaks is [{ Refuses: true, After: true }];

    private static bool Interval(string partition, Op op) => partition.StartsWith("metering.", StringComparison.Ordinal) && op.Key.StartsWith("interval|", StringComparison.Ordinal);

    private static Mutant Skips(string step, bool undo) => Around((call, run) => call.Step == step && call.Undo == undo ? default : run());

    private static Mutant Drops(Func<string, Op, bool> which) => Commits((store, partition, ops, messages) => store.Commit(partition, [.. ops.Where(o => !which(partition, o))], messages));

    /// <summary>Rows can be written and aren't seen any more; a second one takes their place.</summary>
    private static Mutant Forgets(Func<string, string, bool> which) => new("forgets") { Store = s => new MutantStore(s, (store, partition, ops, messages) => store.Commit(partition, [.. ops.Select(o => o is Op.Insert i && which(partition, i.Key) ? new Op.Upsert(i.Key, i.Body) : o)], messages), which) };

    private static Mutant Around(Func<StepCall, Func<ValueTask>, ValueTask> around) => new("around") { Saga = s => s.Around(around) };

    private static Mutant Commits(Func<Kit.MemoryStore, string, IReadOnlyList<Op>, IReadOnlyList<Platform.Bus.Message>, ValueTask> commit) => new("commits") { Store = s => new MutantStore(s, commit) };

    private static string? Saga<T>(IReadOnlyList<Op> ops) where T : Op => ops.OfType<T>().FirstOrDefault(o => o.Key.StartsWith("saga|", StringComparison.Ordinal))?.Key["saga|".Length..];
}
