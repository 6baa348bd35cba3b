using Cloud.Agents.Contract;
using Cloud.Network;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Unit.Network;

/// <summary>What hosts are told when groups get members and rules.</summary>
public sealed class GroupMembersTests
{
    [Fact]
    public async Task A_new_member_is_told_once_to_each_host_and_no_port_is_told_anything()
    {
        await using var cloud = await TestCloud.Start();
        var s = await Ready(cloud);
        await s.Server("server");
        await cloud.Pass(TimeSpan.FromSeconds(10));
        var told = Listen(cloud);
        await s.Port("loose");
        await cloud.Pass(TimeSpan.FromSeconds(10));
        var group = Assert.Single(told.OfType<EnsureGroup>());
        s.Ids["own"] = await s.PortOf("server");
        Assert.Equal(new[] { await AddressOf(s, "own"), await AddressOf(s, "loose") }.Order(), group.Addresses);
        Assert.Empty(told.OfType<EnsurePort>());
    }

    [Fact]
    public async Task A_changed_rule_is_told_to_the_groups_ports_and_who_it_lets_in_to_their_hosts()
    {
        await using var cloud = await TestCloud.Start();
        var s = await Ready(cloud);
        await s.Server("server");
        await s.Make("friends", "/network/v2.0/security-groups", "security_group", new { security_group = new { name = "friends" } });
        await s.Make("friend", "/network/v2.0/ports", "port", new { port = new { network_id = s["net"], security_groups = new[] { s["friends"] } } });
        await cloud.Pass(TimeSpan.FromSeconds(10));
        var told = Listen(cloud);
        await s.Make("rule", "/network/v2.0/security-group-rules", "security_group_rule", new { security_group_rule = new { security_group_id = s["group"], direction = "ingress", protocol = "tcp", remote_group_id = s["friends"] } });
        Assert.Equal([await AddressOf(s, "friend")], told.OfType<EnsureGroup>().Single(g => g.GroupId == s["friends"]).Addresses);
        Assert.Contains(Assert.Single(told.OfType<EnsurePort>()).Port.Rules, r => r.RemoteGroup == s["friends"]);

        told.Clear();
        Stage.Good(await s.Send("DELETE", $"/network/v2.0/ports/{s["friend"]}"));
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(10));
        Assert.Empty(Assert.Single(told.OfType<EnsureGroup>()).Addresses);
        Assert.Empty(told.OfType<EnsurePort>());
    }

    [Fact]
    public async Task A_host_learns_the_members_that_its_first_port_asks_for()
    {
        await using var cloud = await TestCloud.Start();
        var s = await Ready(cloud);
        await s.Make("friends", "/network/v2.0/security-groups", "security_group", new { security_group = new { name = "friends" } });
        await s.Make("friend", "/network/v2.0/ports", "port", new { port = new { network_id = s["net"], security_groups = new[] { s["friends"] } } });
        await s.Make("rule", "/network/v2.0/security-group-rules", "security_group_rule", new { security_group_rule = new { security_group_id = s["group"], direction = "ingress", protocol = "tcp", remote_group_id = s["friends"] } });
        await s.Server("server");
        await cloud.Pass(TimeSpan.FromSeconds(10));
        var host = cloud.Hosts.Single(h => h.World.ContainsKey($"domain/{s["server"]}"));
        Assert.Equal([await AddressOf(s, "friend")], ((EnsureGroup)host.World[$"group/{s["friends"]}"]).Addresses);
    }

    [Fact]
    public async Task Members_change_nothing_that_tenants_see_of_their_group()
    {
        await using var cloud = await TestCloud.Start();
        var s = await Ready(cloud);
        var before = (await s.Show($"/network/v2.0/security-groups/{s["group"]}", "security_group")).GetRawText();
        await s.Server("server");
        await cloud.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(before, (await s.Show($"/network/v2.0/security-groups/{s["group"]}", "security_group")).GetRawText());
        Assert.DoesNotContain(cloud.Events, e => e.Subject == s["group"] && e.Type.EndsWith("updated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Members_that_come_when_the_sync_may_be_looking_are_noted_once_and_all_told()
    {
        await using var cloud = await TestCloud.Start();
        var s = await Ready(cloud);
        await s.Server("server");
        await cloud.Pass(TimeSpan.FromSeconds(10));
        async Task<Membership> Noted() => (await Tables.Memberships.Get(cloud.Store, s["project"], s["group"]))!.Item;
        await s.Port("first");
        cloud.Clock.Advance(TimeSpan.FromSeconds(0.9));
        var (before, told) = (await Noted(), Listen(cloud));
        for (var i = 0; i < 10; i++) await s.Port($"late-{i}");
        Assert.Equal((before.Revision + 1, before.Saga), ((await Noted()).Revision, (await Noted()).Saga));
        await cloud.Pass(TimeSpan.FromSeconds(20));
        // Once for the first, and once more in case the others were missed.
        Assert.Equal([12, 12], told.OfType<EnsureGroup>().Select(g => g.Addresses.Length));
        Assert.Equal((false, null), ((await Noted()).Again, (await Noted()).Saga));
    }

    [Fact]
    public async Task What_is_noted_of_a_group_goes_when_the_group_is_gone()
    {
        await using var cloud = await TestCloud.Start();
        var s = await Ready(cloud);
        await s.Make("friends", "/network/v2.0/security-groups", "security_group", new { security_group = new { name = "friends" } });
        await s.Make("rule", "/network/v2.0/security-group-rules", "security_group_rule", new { security_group_rule = new { security_group_id = s["friends"], direction = "ingress", remote_group_id = s["friends"] } });
        await s.Make("port", "/network/v2.0/ports", "port", new { port = new { network_id = s["net"], security_groups = new[] { s["friends"] } } });
        await cloud.Pass(TimeSpan.FromSeconds(10));
        Assert.NotNull(await Tables.Memberships.Find(cloud.Store, s["friends"]));
        Stage.Good(await s.Send("DELETE", $"/network/v2.0/ports/{s["port"]}"));
        await cloud.Drain();
        Stage.Good(await s.Send("DELETE", $"/network/v2.0/security-groups/{s["friends"]}"));
        await cloud.Sweep();
        Assert.DoesNotContain(cloud.Store.All, r => r.Key == Tables.Memberships.Key(s["friends"]));
        Assert.Empty((await World.Check(cloud)).Problems);
    }

    private static async Task<Stage> Ready(TestCloud cloud)
    {
        var s = new Stage(cloud, []);
        await s.Project();
        await s.Net();
        await s.Image();
        s.Ids["group"] = (await s.Show("/network/v2.0/security-groups?name=default", "security_groups"))[0].GetProperty("id").GetString()!;
        return s;
    }

    private static List<Command> Listen(TestCloud cloud)
    {
        var (told, line) = (new List<Command>(), cloud.Line);
        cloud.Line = (host, m) =>
        {
            told.Add(m.Command);
            return line(host, m);
        };
        return told;
    }

    private static async Task<string> AddressOf(Stage s, string port) =>
        (await s.Show($"/network/v2.0/ports/{s[port]}", "port")).GetProperty("fixed_ips")[0].GetProperty("ip_address").GetString()!;
}
