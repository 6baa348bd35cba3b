using Cloud.Agents.Contract;
using Cloud.Metering;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit.Metering;

/// <summary>What hosts count of floating IPs becomes amounts: each byte once, whatever happens to the samples.</summary>
public sealed class TrafficTests
{
    private sealed record Step(int Stay, int In, int Out);

    /// <summary>A floating IP at a port, carried by the only host.</summary>
    private static async Task<Stage> Bound()
    {
        var stage = new Stage(await TestCloud.Start(), []);
        await stage.Project();
        await stage.Net();
        await stage.Outside();
        await stage.Port("port");
        Stage.Good(await stage.Send("PUT", $"/network/v2.0/floatingips/{stage["fip"]}", new { floatingip = new { port_id = stage["port"] } }));
        await stage.Cloud.Drain();
        return stage;
    }

    private static async Task<(long In, long Out)> Counted(Stage stage)
    {
        var all = new List<Counted>();
        var now = stage.Cloud.Clock.GetUtcNow();
        var project = (await stage.Show($"/network/v2.0/floatingips/{stage["fip"]}", "floatingip")).GetProperty("project_id").GetString()!;
        await foreach (var c in Facade.CountedBetween(stage.Cloud.Store, project, now.AddDays(-1), now.AddDays(1))) all.Add(c);
        Assert.All(all, c => Assert.Equal("floatingip|" + stage["fip"], c.Resource));
        return (all.Where(c => c.Meter == Traffic.In).Sum(c => c.Quantity), all.Where(c => c.Meter == Traffic.Out).Sum(c => c.Quantity));
    }

    private static Samples Sample(Stage stage, string epoch, long bytesIn, long bytesOut, string? host = null) =>
        new(host ?? stage.Cloud.Hosts[0].Name, stage.Cloud.Clock.GetUtcNow(), [], [new(stage["fip"], epoch, bytesIn, bytesOut)]);

    [Fact]
    public async Task Every_byte_is_counted_once_under_repeats_disorder_and_deaths()
    {
        var bound = await Bound();
        await Gen.Select(Gen.Select(Gen.Int[1, 3], Gen.Int[0, 1000], Gen.Int[0, 1000], (s, i, o) => new Step(s, i, o)).Array[1, 8], Gen.Int, Gen.Int[0, 12]).SampleAsync(async x =>
        {
            var stage = bound.Copy();
            var (steps, seed, death) = x;
            var (random, deaths, sums, samples) = (new Random(seed), 0, new Dictionary<int, (long In, long Out)>(), new List<Samples>());
            foreach (var step in steps)
            {
                var sum = sums.GetValueOrDefault(step.Stay);
                sums[step.Stay] = sum = (sum.In + step.In, sum.Out + step.Out);
                samples.Add(Sample(stage, $"{step.Stay}", sum.In, sum.Out));
            }
            stage.Cloud.Store.OnCommit = _ => { if (++deaths % (death + 2) == 0) throw new Death(); };
            foreach (var sample in samples.Concat(samples.Where(_ => random.Next(2) == 0)).OrderBy(_ => random.Next()).ToList())
                while (true)
                    try { await Traffic.OnSamples(stage.Cloud.Services, sample, default); break; }
                    catch (Death) { /* and it is delivered again */ }
            stage.Cloud.Store.OnCommit = null;
            Assert.Equal((sums.Values.Sum(s => s.In), sums.Values.Sum(s => s.Out)), await Counted(stage));
        }, iter: 10_000);
    }

    [Fact]
    public async Task It_is_told_as_events_and_belongs_to_who_had_the_address_also_when_it_is_gone()
    {
        var stage = await Bound();
        await stage.Cloud.Say(Sample(stage, "1", 100, 50));
        await stage.Cloud.Drain();
        Assert.Equal((100L, 50L), await Counted(stage));
        Assert.Equal(2, stage.Cloud.Events.Count(e => e.Type == Consumption.Event.Type));

        // The last reading comes when the address was given back already.
        var (fip, project) = (stage["fip"], stage["project"]);
        Stage.Good(await stage.Send("DELETE", $"/network/v2.0/floatingips/{fip}"));
        await stage.Cloud.Drain();
        await stage.Cloud.Say(Sample(stage, "1", 130, 50));
        await stage.Cloud.Drain();
        Assert.Equal(3, stage.Cloud.Events.Count(e => e.Type == Consumption.Event.Type));
        Assert.Empty(stage.Cloud.Errors);

        // After a while nothing is left of how far it was read.
        stage.Cloud.Clock.Advance(TimeSpan.FromDays(61));
        await Traffic.Forget(stage.Cloud.Services, default);
        Assert.Empty(await stage.Cloud.Store.List("traffic", "", "~"));
        Assert.Empty(await stage.Cloud.Store.List("metering." + project, "traffic|", "traffic}"));
    }

    [Fact]
    public async Task Nobody_counts_for_an_address_but_the_host_that_carries_it_and_no_sum_ever_shrinks()
    {
        var stage = await Bound();
        await stage.Cloud.Say(Sample(stage, "1", 100, 50, host: "stranger"));
        await stage.Cloud.Say(Sample(stage, "1", -5, 50));
        await stage.Cloud.Say(Sample(stage, new string('1', 33), 100, 50));
        await stage.Cloud.Say(new Samples(stage.Cloud.Hosts[0].Name, stage.Cloud.Clock.GetUtcNow(), [], [new("no such address", "1", 100, 50)]));
        await stage.Cloud.Drain();
        Assert.Equal((0L, 0L), await Counted(stage));
        await stage.Cloud.Say(Sample(stage, "1", 100, 50));
        await stage.Cloud.Say(Sample(stage, "1", 90, 60));
        await stage.Cloud.Drain();
        Assert.Equal((100L, 60L), await Counted(stage));
        Assert.Empty(stage.Cloud.Errors);
    }
}
