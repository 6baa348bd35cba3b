using Cloud.Agents.Contract;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A process read that a server had no host yet, and stood still before it read the server itself. Another one went on as far as the boot. The first then
/// read the server, found its host not to be had any more, and wrote another one into the row of a guest that ran. Found by simulation (seed 9004).
/// </summary>
public sealed class MovedWhileItRanTests
{
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public async Task Who_read_before_there_was_a_host_moves_nothing(int nth)
    {
        var ready = new Stage(await TestCloud.Start(2), []);
        await ready.Project();
        await ready.Net();
        await ready.Image();
        Stage? s = null;
        var standing = new Standing(nth);
        void Meanwhile()
        {
            s!.Cloud.Line = (host, m) => host.Handle(m) is { } reply && m.Command is not EnsureDomain ? [reply] : [];
            s.Cloud.Restart();
            s.Cloud.Drain().GetAwaiter().GetResult();
            if (s.Cloud.Hosts.FirstOrDefault(h => h.World.Keys.Any(k => k.StartsWith("domain/", StringComparison.Ordinal))) is { } busy)
                Stage.Good(s.Send("PUT", "/compute/v2.1/os-services/disable", new { host = busy.Name, binary = "nova-compute" }).GetAwaiter().GetResult());
        }
        s = ready.Copy(null, store => standing.At(store, Meanwhile));
        await using var cloud = s.Cloud;
        s.Ids["server"] = Stage.Good(await s.Send("POST", "/compute/v2.1/servers", s.ServerBody())).Id("server");
        await cloud.Drain();
        Assert.True(standing.Stood);
        cloud.Line = (host, m) => host.Handle(m) is { } reply ? [reply] : [];
        await cloud.Pass(TimeSpan.FromMinutes(2));
        await cloud.Sweep();
        Assert.Equal("ACTIVE", await s.StatusOf("server", "server"));
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
