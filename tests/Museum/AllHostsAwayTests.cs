using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A router got its gateway while all hosts were away for a moment: an operator was told that no host is connected to the physical network, and a
/// router without one was said to be active nowhere. Found by simulation.
/// </summary>
public sealed class AllHostsAwayTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_router_waits_for_hosts_that_are_away(bool outside)
    {
        var s = new Stage(await TestCloud.Start(), []);
        await using var cloud = s.Cloud;
        await s.Project();
        await s.Net();
        await s.Make("ext", "/network/v2.0/networks", "network", new Dictionary<string, object> { ["network"] = new Dictionary<string, object> { ["name"] = "ext", ["router:external"] = true, ["provider:network_type"] = "flat", ["provider:physical_network"] = "public" } });
        await s.Make("extsub", "/network/v2.0/subnets", "subnet", new { subnet = new { network_id = s["ext"], ip_version = 4, cidr = "198.51.100.0/24", enable_dhcp = false } });
        var host = cloud.Hosts[0];
        cloud.Hosts.Clear();
        await cloud.Pass(TimeSpan.FromMinutes(2));
        await s.Make("router", "/network/v2.0/routers", "router", new { router = outside ? (object)new { name = "r", external_gateway_info = new { network_id = s["ext"] } } : new { name = "r" } });
        Stage.Good(await s.Send("PUT", $"/network/v2.0/routers/{s["router"]}/add_router_interface", new { subnet_id = s["subnet"] }));
        await cloud.Pass(TimeSpan.FromMinutes(2));
        cloud.Hosts.Add(host);
        await cloud.Say(host.Inventory());
        await cloud.Pass(TimeSpan.FromMinutes(2));
        Assert.Contains($"router/{s["router"]}", host.World.Keys);
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
