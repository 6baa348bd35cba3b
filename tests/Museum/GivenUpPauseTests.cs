using Cloud.Agents.Contract;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A pause was given up while the host was away. When the host came back it said first that the guest runs, so the server was shown and billed as
/// running, and then took the command that was still waiting. Found by simulation.
/// </summary>
public sealed class GivenUpPauseTests
{
    [Fact]
    public async Task After_a_change_was_given_up_the_host_is_believed_once_it_had_the_command()
    {
        var s = await Stage.Running();
        await using var cloud = s.Cloud;
        var host = cloud.Hosts[0];
        cloud.Hosts.Clear();
        Stage.Good(await s.Send("POST", $"/compute/v2.1/servers/{s["server"]}/action", "{\"pause\":null}"));
        await cloud.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal("ERROR", await s.StatusOf("server", "server"));

        await cloud.Say(host.Inventory());
        await cloud.Drain();
        Assert.Equal("ERROR", await s.StatusOf("server", "server"));
        cloud.Hosts.Add(host);
        await cloud.Beat();
        Assert.Equal(PowerState.Paused, ((EnsureDomain)host.World[$"domain/{s["server"]}"]).Domain.Power);
        await cloud.Say(host.Inventory());
        await cloud.Drain();
        Assert.Equal("PAUSED", await s.StatusOf("server", "server"));
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
