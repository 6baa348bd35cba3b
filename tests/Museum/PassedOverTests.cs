using Cloud.Agents.Contract;
using Cloud.Platform.Agents;
using Cloud.Platform.Sagas;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A host was silent while a server's creation turned round, so its guest's removal was not waited for. It was heard of again before the disk's turn:
/// that was waited for, and refused for ever, as the removal of the guest had failed and the guest still had it. Found by simulation (seed 4996).
/// </summary>
public sealed class PassedOverTests
{
    [Fact]
    public async Task A_host_that_comes_back_midway_is_cleaned_from_where_it_was_passed_over()
    {
        var ready = new Stage(await TestCloud.Start(), []);
        await ready.Project();
        await ready.Net();
        await ready.Image();
        Stage? s = null;
        var back = false;
        s = ready.Copy([.. ready.Cloud.Services.Slices.Select(x => x with { Sagas = [.. x.Sagas.Select(saga => saga.Around(async (call, run) =>
        {
            if (call is { Saga: "server-create-1", Step: "image", Undo: true } && !back)
            {
                back = true;
                await Hosts.Beat(s!.Cloud.Services, s.Cloud.Hosts[0].Beat(), default);
            }
            await run();
        }))] })]);
        await using var cloud = s.Cloud;
        var refused = 0;
        cloud.Line = (host, m) =>
        {
            CommandReply[] Refuse() => [new(m.Host, m.Id, m.ReplyTo, m.Command.Key, m.Fence, Outcome.Failed, Message: "injected", Retry: true)];
            if (m.Command is RemoveDisk disk && host.World.ContainsKey("domain/" + disk.DiskId)) return Refuse();
            if (m.Command is RemoveDomain && refused++ == 0) return Refuse();
            return host.Handle(m) is { } reply && m.Command is not EnsureDomain ? [reply] : [];
        };
        s.Ids["server"] = Stage.Good(await s.Send("POST", "/compute/v2.1/servers", s.ServerBody())).Id("server");
        await cloud.Drain();
        for (var looks = 0; looks < 2; looks++)
        {
            cloud.Clock.Advance(TimeSpan.FromMinutes(1.5)); // nobody heard of the host meanwhile
            await cloud.Drain();
        }
        Assert.True(back);
        Assert.NotEqual(0, refused);
        await cloud.Pass(TimeSpan.FromMinutes(2));
        Assert.Equal("ERROR", await s.StatusOf("server", "server"));
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
