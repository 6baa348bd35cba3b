using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>A port was written into a network that was just being deleted, for the two looked at each other before either wrote. Found by simulation.</summary>
public sealed class NetworkGoesUnderPortTests
{
    /// <summary>Just before the first write of this kind another request is made, and answered.</summary>
    private static async Task<(Stage Stage, Func<Answer?> Other)> Begun(string prefix, Type op, Func<Stage, Task<Answer>> meanwhile)
    {
        var s = new Stage(await TestCloud.Start(), []);
        await s.Project();
        await s.Net();
        // The first port makes the project's group, which is no part of this.
        await s.Port("first");
        Stage.Good(await s.Send("DELETE", $"/network/v2.0/ports/{s["first"]}"));
        await s.Cloud.Drain();
        Answer? other = null;
        var once = true;
        Stage? copy = null;
        copy = s.Copy(wrap: store => new MutantStore(store, async (inner, partition, ops, messages) =>
        {
            if (once && ops.Any(o => o.GetType() == op && o.Key.StartsWith(prefix, StringComparison.Ordinal)))
            {
                once = false;
                other = await meanwhile(copy!);
            }
            await inner.Commit(partition, ops, messages);
        }));
        return (copy, () => other);
    }

    private static Task<Answer> Port(Stage s) => s.Send("POST", "/network/v2.0/ports", new { port = new { network_id = s["net"] } });

    private static Task<Answer> Delete(Stage s) => s.Send("DELETE", $"/network/v2.0/networks/{s["net"]}");

    [Fact]
    public async Task A_port_is_not_written_into_a_network_that_went()
    {
        var (s, other) = await Begun("port|", typeof(Op.Insert), Delete);
        await using var cloud = s.Cloud;
        Assert.Equal(404, (await Port(s)).Status);
        Assert.Equal(204, other()!.Status);
    }

    [Fact]
    public async Task A_network_does_not_go_under_a_port_that_came()
    {
        var (s, other) = await Begun("network|", typeof(Op.Delete), Port);
        await using var cloud = s.Cloud;
        Assert.Equal(409, (await Delete(s)).Status);
        Assert.Equal(201, other()!.Status);
    }
}
