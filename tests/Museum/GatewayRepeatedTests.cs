using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>Who writes a gateway's port back as he read it (to change its name, say) was refused for addresses that he didn't change.</summary>
public sealed class GatewayRepeatedTests
{
    [Fact]
    public async Task The_addresses_that_it_has_are_no_change_and_others_are_refused()
    {
        var s = new Stage(await TestCloud.Start(), []);
        await using var cloud = s.Cloud;
        await s.Project();
        await s.Net();
        await s.Outside();
        var port = (await s.Show($"/network/v2.0/ports?device_id={s["router"]}&device_owner=network:router_gateway", "ports"))[0];
        Task<Answer> Put(object addresses) => s.Send("PUT", "/network/v2.0/ports/" + port.GetProperty("id").GetString(), new { port = new { name = "uplink", fixed_ips = addresses } });
        var put = Stage.Good(await Put(port.GetProperty("fixed_ips"))).Body.GetProperty("port");
        Assert.Equal("uplink", put.GetProperty("name").GetString());
        Assert.Equal(port.GetProperty("fixed_ips").GetRawText(), put.GetProperty("fixed_ips").GetRawText());
        Assert.Equal(400, (await Put(new[] { new { subnet_id = s["extsub"], ip_address = "198.51.100.77" } })).Status);
        await cloud.Pass(TimeSpan.FromMinutes(1));
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
