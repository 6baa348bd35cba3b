using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A process stood still in the midst of a server's creation until its lock had run out; meanwhile another one did the work and the server was
/// deleted. When the first went on, it made a port for a server that was gone, for ever. Found by simulation.
/// </summary>
public sealed class StoodStillTests
{
    [Fact]
    public async Task Who_stood_still_makes_nothing_for_what_is_gone()
    {
        var ready = new Stage(await TestCloud.Start(), []);
        await ready.Project();
        await ready.Net();
        await ready.Image();
        Stage? s = null;
        var once = true;
        s = ready.Copy(wrap: store => new MutantStore(store, async (inner, partition, ops, messages) =>
        {
            if (once && ops.Any(o => o is Op.Insert && o.Key.StartsWith("port|", StringComparison.Ordinal)))
            {
                once = false;
                var cloud = s!.Cloud;
                cloud.Restart();
                Stage.Good(await s.Send("DELETE", $"/compute/v2.1/servers/{s["server"]}"));
                await cloud.Drain();
            }
            await inner.Commit(partition, ops, messages);
        }));
        await using var cloud = s.Cloud;
        s.Ids["server"] = Stage.Good(await s.Send("POST", "/compute/v2.1/servers", s.ServerBody())).Id("server");
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(60));
        await cloud.Sweep();
        Assert.Equal("gone", await s.StatusOf("server", "server"));
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
