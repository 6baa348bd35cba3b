using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Network;

public sealed class IpAvailabilityTests(Scene scene) : IClassFixture<Scene>
{
    private const string Path = "/network/v2.0/network-ip-availabilities";

    [Fact]
    public async Task Addresses_that_a_network_has_and_those_taken_are_counted()
    {
        async Task<JsonElement> One() => (await scene.Send("GET", Path + "/{ann.net}", user: "admin")).Body.GetProperty("network_ip_availability");
        var before = await One();
        Assert.Equal(253, before.GetProperty("total_ips").GetInt32());
        await scene.Make("ann", "counted", "port", "/network/v2.0/ports", """{"port":{"network_id":"{own.net}"}}""");
        Assert.Equal(before.GetProperty("used_ips").GetInt32() + 1, (await One()).GetProperty("used_ips").GetInt32());
        await scene.Do("ann", "DELETE", "/network/v2.0/ports/{counted}");
        // A wide one has more than any usual number holds.
        await scene.Make("ann", "wide", "subnet", "/network/v2.0/subnets", """{"subnet":{"network_id":"{own.net}","ip_version":6,"cidr":"fd00::/48"}}""");
        Assert.Contains("1208925819614629174706", (await scene.Send("GET", Path + "?network_id={ann.net}&ip_version=6", user: "admin")).Text, StringComparison.Ordinal);
        await scene.Do("ann", "DELETE", "/network/v2.0/subnets/{wide}");
    }

    [Fact]
    public async Task They_are_the_administrators_and_so_are_agents_of_which_others_see_none()
    {
        await scene.Refused(403, "GET", Path, null);
        await scene.Refused(400, "GET", Path + "?ip_version=5", null, "admin");
        Assert.Equal(0, (await scene.Send("GET", "/network/v2.0/agents")).Body.GetProperty("agents").GetArrayLength());
        Assert.NotEqual(0, (await scene.Send("GET", "/network/v2.0/agents", user: "admin")).Body.GetProperty("agents").GetArrayLength());
    }
}
