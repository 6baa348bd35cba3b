using Cloud.Agents.Contract;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>The disk was full for some minutes: messages were tried ten times, given up and stayed dead letters when there was room again. Found by ./cloud soak --disk full.</summary>
public sealed class NoRoomTests
{
    [Fact(Timeout = 60_000)]
    public async Task What_waits_for_the_store_is_not_given_up()
    {
        await using var cloud = await TestCloud.Start();
        var (tries, attempts) = (0, 0);
        var trigger = new QueueTrigger("waits", "waits", 1, Sessions: false, (_, d, _) =>
        {
            if (Interlocked.Increment(ref tries) < 40) throw new StoreUnavailableException("database or disk is full");
            attempts = d.Attempt;
            return Task.CompletedTask;
        });
        await cloud.Bus.Send([new Message("waits", "1", "x"u8.ToArray())], TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var pump = new Pump(cloud.Services, trigger, NullLogger.Instance).Run(stop.Token);
        while (attempts == 0 && cloud.Bus.Dead.Count == 0)
        {
            cloud.Clock.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }
        await stop.CancelAsync();
        await pump;
        Assert.Empty(cloud.Bus.Dead);
    }

    /// <summary>The host broke its line for each answer that wasn't taken, and each time all its commands had failed once more.</summary>
    [Fact]
    public async Task A_host_keeps_what_it_has_in_hand_while_its_answer_cannot_be_stored()
    {
        await using var lab = await HostLab.Start();
        using var stop = new CancellationTokenSource();
        var (refused, run) = (0, Task.CompletedTask);
        await lab.Command("c1");
        lab.Memory.OnSend = after =>
        {
            if (!after && ++refused < 4) throw new StoreUnavailableException("database or disk is full");
        };
        run = lab.Link().Run((m, _) => Task.FromResult(new CommandReply(m.Host, m.Id, m.ReplyTo, m.Command.Key, m.Fence, Outcome.Done)), stop.Token);
        Assert.Equal("lend c1 1", await lab.Bus.Next());
        Assert.Equal("send replies", await lab.Bus.Next());
        Assert.Equal("complete c1", await lab.Bus.Next());
        await stop.CancelAsync();
        await run;
    }
}
