using Cloud.Platform.Bus;
using Cloud.Platform.Sagas;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Sagas;

/// <summary>What the matrix can't say in general.</summary>
public sealed class EngineTests
{
    private static Scenario Scenario(string name) => Scenarios.All.First(s => s.Name == name);

    [Fact]
    public async Task A_saga_none_of_whose_messages_are_left_is_found()
    {
        var ready = await Scenario("volume-extend-1").Ready();
        var s = ready.Copy(wrap: store => new MutantStore(store, (inner, partition, ops, messages) => inner.Commit(partition, ops, [.. messages.Where(m => m.Queue is not (SagaMessage.Queue or Watchdog.Queue))])));
        await using var cloud = s.Cloud;
        Stage.Good(await Scenario("volume-extend-1").Act(s));
        await cloud.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal("extending", await s.StatusOf("volume", "volume"));
        await cloud.Sweep();
        Assert.Equal("available", await s.StatusOf("volume", "volume"));
    }

    [Fact]
    public async Task An_undo_that_cannot_be_done_is_an_alert_and_goes_on_trying()
    {
        var (fails, events) = (true, new List<string>());
        var ready = await Scenario("server-create-1").Ready();
        var slices = ready.Cloud.Services.Slices.Select(x => x with
        {
            Sagas = [.. x.Sagas.Select(saga => saga.Around((call, run) => call switch
            {
                { Saga: "server-create-1", Step: "schedule", Undo: true } when fails => throw new Injected("undo"),
                { Saga: "server-create-1", Step: "boot", Undo: false } => throw new SagaFault("Injected"),
                _ => run(),
            }))],
        }).ToList();
        var s = ready.Copy(slices);
        await using var cloud = s.Cloud;
        Stage.Good(await Scenario("server-create-1").Act(s));
        await cloud.Pass(TimeSpan.FromMinutes(10));
        Assert.Single(cloud.Events, e => e.Type == "cloud.serverless.alert.saga-stuck");
        Assert.Empty(cloud.Bus.Dead);
        fails = false;
        await cloud.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("ERROR", await s.StatusOf("server", "server"));
        Assert.Empty((await World.Check(cloud)).Problems);
    }

    [Fact]
    public async Task Whoever_is_being_deleted_starts_nothing_else()
    {
        var ready = await Scenario("port-delete-1").Ready();
        var s = ready.Copy();
        await using var cloud = s.Cloud;
        Stage.Good(await s.Send("DELETE", $"/network/v2.0/ports/{s["port"]}"));
        Assert.Equal(404, (await s.Send("PUT", $"/network/v2.0/ports/{s["port"]}", new { port = new { name = "late" } })).Status);
        await cloud.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal(404, (await s.Send("GET", $"/network/v2.0/ports/{s["port"]}")).Status);
        Assert.Empty((await World.Check(cloud)).Problems);
    }

    [Fact]
    public async Task A_start_that_is_killed_anywhere_is_repeated_without_a_trace()
    {
        for (var k = 0; ; k++)
        {
            await using var cloud = TestCloud.Empty();
            var seen = 0;
            var dead = false;
            cloud.Store.OnCommit = after =>
            {
                if (!after && (dead || seen++ == k)) { dead = true; throw new Death(); }
            };
            try { await Composition.StartOnce(cloud.Services); }
            catch (Death) { /* it starts again */ }
            if (!dead) break;
            cloud.Store.OnCommit = null;
            await Composition.StartOnce(cloud.Services);
            await cloud.Drain();
            await cloud.Token("admin");
            await cloud.Token("demo");
            Assert.Equal(4, (await cloud.Send("GET", "/compute/v2.1/flavors")).Body.GetProperty("flavors").GetArrayLength());
            Assert.Equal(2, (await cloud.Send("GET", "/identity/v3/projects")).Body.GetProperty("projects").GetArrayLength());
            Assert.Empty((await World.Check(cloud)).Problems);
        }
    }

    [Fact]
    public async Task A_build_that_started_once_on_a_store_makes_nothing_again()
    {
        await using var cloud = TestCloud.Empty();
        await Composition.StartOnce(cloud.Services);
        async Task<int> Flavors() => (await cloud.Send("GET", "/compute/v2.1/flavors")).Body.GetProperty("flavors").GetArrayLength();
        await cloud.Token("admin");
        foreach (var id in (int[])[1, 2, 3, 4]) Assert.Equal(202, (await cloud.Send("DELETE", $"/compute/v2.1/flavors/{id}")).Status);
        await Composition.StartOnce(cloud.Services);
        Assert.Equal(0, await Flavors());
        await Composition.Start(cloud.Services);
        Assert.Equal(4, await Flavors());
    }
}
