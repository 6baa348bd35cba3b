using Cloud.Agents.Contract;
using Cloud.Platform.Sagas;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A process read that a server was to get its port, and stood still before it read the server itself. Meanwhile another one went on, failed, and undid
/// what was made. The first then made the port for the server as it was by then, and nobody took it away. Found by simulation (seed 2564).
/// </summary>
public sealed class TurnedRoundTests
{
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6)]
    public async Task Who_read_before_the_saga_turned_round_makes_nothing(int nth)
    {
        var ready = new Stage(await TestCloud.Start(), []);
        await ready.Project();
        await ready.Net();
        await ready.Image();
        Stage? s = null;
        var standing = new Standing(nth);
        void Meanwhile()
        {
            // The host's answer to the undoing is on its way when the first goes on.
            s!.Cloud.Line = (host, m) => host.Handle(m) is { } reply && m.Command is not RemoveDisk ? [reply] : [];
            s.Cloud.Restart();
            s.Cloud.Drain().GetAwaiter().GetResult();
        }
        s = ready.Copy(
            [.. ready.Cloud.Services.Slices.Select(x => x with { Sagas = [.. x.Sagas.Select(saga => saga.Around((call, run) => call is { Saga: "server-create-1", Step: "boot", Undo: false } ? throw new SagaFault("Injected") : run()))] })],
            store => standing.At(store, Meanwhile));
        await using var cloud = s.Cloud;
        s.Ids["server"] = Stage.Good(await s.Send("POST", "/compute/v2.1/servers", s.ServerBody())).Id("server");
        await cloud.Drain();
        Assert.True(standing.Stood);
        cloud.Line = (host, m) => host.Handle(m) is { } reply ? [reply] : [];
        await cloud.Pass(TimeSpan.FromMinutes(2));
        await cloud.Sweep();
        Assert.Equal("ERROR", await s.StatusOf("server", "server"));
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
