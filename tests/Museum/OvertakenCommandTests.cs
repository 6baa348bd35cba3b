using Cloud.Agents.Contract;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A saga's command failed, the reconciler sent one of the same fence, and from then on the host called the saga's overtaken: it was sent again
/// for ever. Found by simulation.
/// </summary>
public sealed class OvertakenCommandTests
{
    [Fact]
    public async Task A_command_that_was_overtaken_is_sent_as_a_new_one()
    {
        var s = await Stage.Running();
        await using var cloud = s.Cloud;
        var group = (await s.Show("/network/v2.0/security-groups?name=default", "security_groups"))[0].GetProperty("id").GetString()!;
        string? overtaken = null;
        cloud.Line = (host, m) =>
        {
            if (m.Command is EnsurePort) overtaken ??= m.Id;
            return m.Id == overtaken ? [new CommandReply(m.Host, m.Id, m.ReplyTo, m.Command.Key, m.Fence, Outcome.Stale)] : host.Handle(m) is { } reply ? [reply] : [];
        };
        Stage.Good(await s.Send("POST", "/network/v2.0/security-group-rules", new { security_group_rule = new { security_group_id = group, direction = "ingress", protocol = "tcp", port_range_min = 80, port_range_max = 80 } }));
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(60));
        Assert.NotNull(overtaken);
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
