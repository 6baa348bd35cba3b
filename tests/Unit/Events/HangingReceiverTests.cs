using Cloud.Events.Webhooks;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.Hosting;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Events;

/// <summary>A receiver that takes a connection and never answers keeps nobody else waiting: neither while it is waited for, nor afterwards.</summary>
public sealed class HangingReceiverTests
{
    [Fact]
    public async Task Others_get_theirs_while_one_hangs_and_then_it_waits_in_a_queue_of_its_own()
    {
        await using var cloud = await TestCloud.Start(0);
        var good = await WebhookReceiver.Start(cloud);
        cloud.Internet.Name("mute.example", "9.9.9.12");
        using var asked = new SemaphoreSlim(0);
        cloud.Internet.Server("9.9.9.12:80", _ =>
        {
            asked.Release();
            return [[]];
        });
        await good.Hook(new { kinds = new[] { "test.thing" } });
        var mute = (await cloud.Send("POST", "/events/v1/webhooks", new { webhook = new { url = "http://mute.example/", kinds = new[] { "test.thing" } } }, "demo")).Id("webhook");
        await cloud.Drain();

        await good.Send("e1 a");
        await Task.WhenAll(await Begin(cloud, CloudEvent.Queue));
        var waking = await Begin(cloud, Wake.Queue);
        Assert.Equal(2, waking.Count);
        await asked.WaitAsync(TestContext.Current.CancellationToken);
        // No time has passed: who is served is done, who hangs is not.
        await Task.WhenAny(waking);
        Assert.Equal(["e1"], good.Served);
        var hangs = Assert.Single(waking, w => !w.IsCompleted);
        cloud.Clock.Advance(TimeSpan.FromSeconds(11));
        await hangs;

        // From now on it has nothing to do with those that are quick.
        await good.Send("e2 b");
        await Task.WhenAll(await Begin(cloud, CloudEvent.Queue));
        await Task.WhenAll(await Begin(cloud, Wake.Queue));
        Assert.Equal(["e1", "e2"], good.Served);
        cloud.Clock.Advance(TimeSpan.FromMinutes(1));
        await Task.WhenAll(await Begin(cloud, Wake.DueQueue));
        await Task.WhenAll(await Begin(cloud, Wake.Queue));
        var probe = Assert.Single(await Begin(cloud, Wake.SlowQueue));
        await good.Send("e3 c");
        await Task.WhenAll(await Begin(cloud, CloudEvent.Queue));
        await Task.WhenAll(await Begin(cloud, Wake.Queue));
        Assert.Equal(["e1", "e2", "e3"], good.Served);
        // A probe tries another resource before it believes that nobody is there.
        for (var resource = 0; resource < 2; resource++)
        {
            await asked.WaitAsync(TestContext.Current.CancellationToken);
            Assert.False(probe.IsCompleted);
            cloud.Clock.Advance(TimeSpan.FromSeconds(11));
        }
        await probe;
        Assert.Equal("active", (await cloud.Send("GET", $"/events/v1/webhooks/{mute}", user: "demo")).Body.GetProperty("webhook").GetProperty("status").GetString());
    }

    /// <summary>Everything that is due in a queue, at the same time, as its pump would.</summary>
    private static async Task<List<Task>> Begin(TestCloud cloud, string queue)
    {
        var trigger = Triggers.All(cloud.Services.Slices).OfType<QueueTrigger>().Single(t => t.Queue == queue);
        return [.. (await cloud.Bus.Receive(queue, trigger.Parallel, TimeSpan.FromMinutes(5), TimeSpan.Zero)).Select(One)];

        async Task One(Delivery d)
        {
            await trigger.Handle(cloud.Services, d, CancellationToken.None);
            await cloud.Bus.Complete(d);
        }
    }
}
