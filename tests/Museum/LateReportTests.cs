using Cloud.Agents.Contract;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>A host's report from before a command arrived after it, and the row said again what had been. Found by simulation.</summary>
public sealed class LateReportTests
{
    [Fact]
    public async Task What_a_host_saw_before_a_command_says_nothing_after_it()
    {
        var s = await Stage.Running();
        await using var cloud = s.Cloud;
        var before = cloud.Hosts[0].Inventory();
        Stage.Good(await s.Send("POST", $"/compute/v2.1/servers/{s["server"]}/action", "{\"pause\":null}"));
        await cloud.Drain();
        await cloud.Say(before);
        await cloud.Say(new DomainEvent(before.Host, s["server"], "running", cloud.Clock.GetUtcNow(), before.Items.Single(i => i.Key == $"domain/{s["server"]}").Fence));
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal("PAUSED", await s.StatusOf("server", "server"));
        Assert.Empty((await World.Check(cloud)).Problems);
        // What it sees after it counts.
        await cloud.Say(new DomainEvent(before.Host, s["server"], "running", cloud.Clock.GetUtcNow(), cloud.Hosts[0].Inventory().Items.Single(i => i.Key == $"domain/{s["server"]}").Fence));
        await cloud.Drain();
        Assert.Equal("ACTIVE", await s.StatusOf("server", "server"));
    }

    [Fact]
    public async Task What_a_host_saw_before_it_saw_something_else_says_nothing_after_it()
    {
        var s = await Stage.Running();
        await using var cloud = s.Cloud;
        var at = cloud.Clock.GetUtcNow();
        var before = cloud.Hosts[0].Inventory() with { At = at };
        await cloud.Say(new DomainEvent(before.Host, s["server"], "off", at + TimeSpan.FromSeconds(1), before.Items.Single(i => i.Key == $"domain/{s["server"]}").Fence));
        await cloud.Drain();
        await cloud.Say(before);
        await cloud.Drain();
        Assert.Equal("SHUTOFF", await s.StatusOf("server", "server"));
        // A clock that was put right is believed again.
        await cloud.Say(before with { At = at - TimeSpan.FromHours(5) });
        await cloud.Drain();
        Assert.Equal("ACTIVE", await s.StatusOf("server", "server"));
    }
}
