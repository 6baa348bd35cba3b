using Cloud.Tests.Kit;

namespace Cloud.Tests.Sagas;

/// <summary>One way to set a saga going, and how it must look when nothing failed.</summary>
/// <param name="Saga">The saga's name.</param>
/// <param name="Setup">Makes what must be there before, all of it through the public API.</param>
/// <param name="Act">The request that starts the saga.</param>
/// <param name="Done">True when what was asked for is so.</param>
public sealed record Scenario(string Saga, string What, Func<Stage, Task> Setup, Func<Stage, Task<Answer>> Act, Func<Stage, Task<bool>> Done)
{
    /// <summary>Asks for the resource's deletion while the saga works on it; afterwards it must be gone.</summary>
    public Func<Stage, Task<Answer>>? Delete { get; init; }
    public string Name => What.Length == 0 ? Saga : $"{Saga} ({What})";

    public override string ToString() => Name;

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, Task<Stage>> s_ready = [];

    /// <summary>The cloud just before the act. Made once.</summary>
    public Task<Stage> Ready() => s_ready.GetOrAdd(Name, async _ =>
    {
        var stage = new Stage(await TestCloud.Start(hosts: 2), []);
        await stage.Project();
        await Setup(stage);
        await stage.Cloud.Drain();
        await stage.Cloud.Pass(TimeSpan.FromSeconds(30)); // the watchdogs of what was made go to sleep
        var problems = (await World.Check(stage.Cloud)).Problems;
        return problems.Count == 0 ? stage : throw new InvalidOperationException($"{Name} before anything: {string.Join("; ", problems)}");
    });
}
