using Cloud.Agents.Contract;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A host missed a change, was told of it when it came back, and failed. It knew the change's fence from then on, and its reports passed for
/// those of a host that had done it. Found by simulation.
/// </summary>
public sealed class FailedAtHostTests
{
    [Fact]
    public async Task What_failed_at_a_host_is_said_again_after_its_next_report()
    {
        var s = await Stage.Running();
        await using var cloud = s.Cloud;
        var (host, port) = (cloud.Hosts[0], $"port/{await s.PortOf("server")}");
        cloud.Hosts.Clear();
        await cloud.Pass(TimeSpan.FromMinutes(2));
        var group = (await s.Show("/network/v2.0/security-groups?name=default", "security_groups"))[0].GetProperty("id").GetString();
        Stage.Good(await s.Send("POST", "/network/v2.0/security-group-rules", new { security_group_rule = new { security_group_id = group, direction = "ingress", protocol = "tcp", port_range_min = 80, port_range_max = 80 } }));
        await cloud.Drain();

        var (line, fence) = (cloud.Line, 0L);
        cloud.Line = (h, m) =>
        {
            if (m.Command.Key != port) return line(h, m);
            fence = m.Fence;
            return [new CommandReply(m.Host, m.Id, m.ReplyTo, m.Command.Key, m.Fence, Outcome.Failed, Message: "nft is away", Retry: true)];
        };
        cloud.Hosts.Add(host);
        await cloud.Say(host.Inventory());
        await cloud.Beat();
        cloud.Line = line;
        var report = host.Inventory();
        await cloud.Say(report with { Items = [.. report.Items.Select(i => i.Key == port ? i with { Fence = fence, Undone = true } : i)] });
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(30));
        Assert.NotEqual(0, fence);
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
