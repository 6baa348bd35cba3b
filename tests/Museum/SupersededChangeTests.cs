using Cloud.Agents.Contract;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A guest had got its volume when the host fell silent before it could say so. A stop superseded that change, got no further than the disk, and gave up:
/// it took the disk back, which the guest kept for ever, as nobody had told the guest. Found by simulation (seeds 7312 and 7916).
/// </summary>
public sealed class SupersededChangeTests
{
    [Fact]
    public async Task Who_gives_up_takes_back_what_a_superseded_change_had_done_to_the_guest()
    {
        var s = await Stage.Running();
        await using var cloud = s.Cloud;
        await s.Make("volume", s.Volumes, "volume", new { volume = new { size = 1 } });
        await cloud.Drain();
        var host = cloud.Hosts[0];
        cloud.Line = (h, m) => h.Handle(m) is { } reply && m.Command is not EnsureDomain ? [reply] : [];
        Stage.Good(await s.Send("POST", $"/compute/v2.1/servers/{s["server"]}/os-volume_attachments", new { volumeAttachment = new { volumeId = s["volume"] } }));
        await cloud.Drain();
        Assert.Equal(2, ((EnsureDomain)host.World[$"domain/{s["server"]}"]).Domain.Disks.Length);

        cloud.Hosts.Clear();
        Stage.Good(await s.Send("POST", $"/compute/v2.1/servers/{s["server"]}/action", new Dictionary<string, object?> { ["os-stop"] = null }));
        await cloud.Pass(TimeSpan.FromMinutes(2));
        cloud.Line = (h, m) => m.Command is RemoveDisk d && h.World.Values.OfType<EnsureDomain>().Any(g => g.Domain.Disks.Any(x => x.DiskId == d.DiskId))
            ? [new CommandReply(m.Host, m.Id, m.ReplyTo, m.Command.Key, m.Fence, Outcome.Failed, Message: "in use", Retry: true)]
            : h.Handle(m) is { } reply ? [reply] : [];
        cloud.Hosts.Add(host);
        await cloud.Say(host.Inventory());
        await cloud.Pass(TimeSpan.FromMinutes(12));
        await cloud.Say(host.Inventory());
        await cloud.Drain();
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
