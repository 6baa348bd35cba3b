using System.Globalization;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Model;

/// <summary>
/// Random sequences of requests by two projects and an administrator, allowed or not, against a small model of what they must be answered and what
/// there is then. CS_MODEL=N plays N of them, CS_MODEL_SEED=N begins there; the same seed is the same sequence.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    private const int Build = 300, Most = 2;

    private static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var n) ? n : otherwise;

    [Fact]
    public async Task Whatever_is_asked_the_answers_and_what_there_is_are_as_the_model_says()
    {
        var (ground, ids) = await Play.Ground();
        await using var _ = ground;
        var (first, count, made) = (Setting("CS_MODEL_SEED", 1), Setting("CS_MODEL", Build), 0);
        var failed = new List<string>();
        for (var seed = first; seed < first + count && failed.Count < Most; seed++)
        {
            var steps = Step.Sequence(seed);
            made += steps.Length;
            if (await Differs(steps) is not { } wrong) continue;
            var (few, left) = await Shrink(steps, wrong);
            failed.Add($"{left}\nseed {seed}, {steps.Length} steps, of which {few.Length} are enough:\n{string.Join('\n', few.Select((s, i) => $"{i + 1}. {s}"))}\nagain: ./cloud soak --model 1 --from {seed}");
        }
        Assert.True(failed.Count == 0, string.Join("\n\n", failed));
        output.WriteLine($"{count} sequences from seed {first}, {made} steps, no difference");

        async Task<string?> Differs(IReadOnlyList<Step> steps)
        {
            await using var cloud = ground.Copy();
            try { return await new Play(cloud, ids).Run(steps); }
            catch (InvalidOperationException e) { return e.Message; }
        }

        // Leaves out halves, then quarters, then single steps, as long as something still differs.
        async Task<(Step[], string)> Shrink(Step[] steps, string wrong)
        {
            for (var size = Math.Max(1, steps.Length / 2); ; size = Math.Max(1, size / 2))
            {
                var before = steps.Length;
                for (var at = 0; at < steps.Length;)
                    if (steps[..at].Concat(steps[Math.Min(steps.Length, at + size)..]).ToArray() is { Length: > 0 } fewer && await Differs(fewer) is { } still) (steps, wrong) = (fewer, still);
                    else at += size;
                if (size == 1 && steps.Length == before) return (steps, wrong);
            }
        }
    }

    [Fact]
    public void A_seed_is_always_the_same_sequence() => Assert.Equal(Step.Sequence(7), Step.Sequence(7));
}
