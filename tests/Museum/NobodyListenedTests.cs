using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// The broker was away for longer than a host may be silent. What lay in its queues came before the hosts' next words, and servers that were wanted meanwhile
/// ended in ERROR: no valid host was found, or the host did not answer. Seen where a broker's restart took a minute.
/// </summary>
public sealed class NobodyListenedTests
{
    [Theory]
    [InlineData(true, true, "ACTIVE")]
    [InlineData(false, true, "ACTIVE")]
    [InlineData(true, false, "ERROR")]
    [InlineData(false, false, "ERROR")]
    public async Task Hosts_are_listened_to_before_a_server_is_given_up_for_their_silence(bool placed, bool back, string status)
    {
        var s = new Stage(await TestCloud.Start(), []);
        await using var cloud = s.Cloud;
        await s.Project();
        await s.Net();
        await s.Image();
        var host = cloud.Hosts[0];
        cloud.Hosts.Clear();
        s.Ids["server"] = Stage.Good(await s.Send("POST", "/compute/v2.1/servers", s.ServerBody())).Id("server");
        if (placed) await cloud.Drain(); // the host has a command that it doesn't get
        cloud.Clock.Advance(TimeSpan.FromMinutes(3));
        await cloud.Drain();
        Assert.Equal("BUILD", await s.StatusOf("server", "server"));

        if (back) cloud.Hosts.Add(host);
        await cloud.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(status, await s.StatusOf("server", "server"));
        if (!back) cloud.Hosts.Add(host);
        await cloud.Pass(TimeSpan.FromMinutes(1));
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
