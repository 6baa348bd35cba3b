using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// Ports of a network that only its own project sees were looked for in that project alone, but an administrator's may be on it: it was deleted under his port. So was one that stopped being external under
/// gateways and floating IPs. The first was found by tests/Model.
/// </summary>
public sealed class PortOfAnotherProjectTests
{
    [Fact]
    public async Task A_network_stays_while_any_project_has_a_port_on_it()
    {
        await using var cloud = await TestCloud.Start();
        var net = (await cloud.Send("POST", "/network/v2.0/networks", """{"network":{"name":"n"}}""", "demo")).Id("network");
        var subnet = (await cloud.Send("POST", "/network/v2.0/subnets", new { subnet = new { network_id = net, ip_version = 4, cidr = "10.1.0.0/24" } }, "demo")).Id("subnet");
        var port = (await cloud.Send("POST", "/network/v2.0/ports", new { port = new { network_id = net } })).Id("port");
        await cloud.Drain();
        Assert.Equal(409, (await cloud.Send("DELETE", "/network/v2.0/subnets/" + subnet, user: "demo")).Status);
        Assert.Equal(409, (await cloud.Send("DELETE", "/network/v2.0/networks/" + net, user: "demo")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", "/network/v2.0/ports/" + port)).Status);
        await cloud.Drain();
        Assert.Equal(204, (await cloud.Send("DELETE", "/network/v2.0/networks/" + net, user: "demo")).Status);
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(30));
        Assert.Empty((await World.Check(cloud)).Problems);
    }

    [Fact]
    public async Task A_network_stays_external_while_somebody_has_an_address_of_it()
    {
        await using var cloud = await TestCloud.Start();
        var net = (await cloud.Send("POST", "/network/v2.0/networks", """{"network":{"router:external":true}}""")).Id("network");
        await cloud.Send("POST", "/network/v2.0/subnets", new { subnet = new { network_id = net, ip_version = 4, cidr = "198.51.100.0/24", enable_dhcp = false } });
        var address = (await cloud.Send("POST", "/network/v2.0/floatingips", new { floatingip = new { floating_network_id = net } }, "demo")).Id("floatingip");
        Task<Answer> Inward() => cloud.Send("PUT", "/network/v2.0/networks/" + net, """{"network":{"router:external":false}}""");
        Assert.Equal(409, (await Inward()).Status);
        await cloud.Send("DELETE", "/network/v2.0/floatingips/" + address, user: "demo");
        await cloud.Drain();
        Assert.Equal(200, (await Inward()).Status);
    }
}
