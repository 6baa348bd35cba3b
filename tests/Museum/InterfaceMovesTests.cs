using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>A router's interface got another address by its port, and the router's host never heard of it. Found by simulation (seed 3658).</summary>
public sealed class InterfaceMovesTests
{
    private static async Task<(Stage Stage, string Port)> Ready()
    {
        var s = new Stage(await TestCloud.Start(), []);
        await s.Project();
        await s.Net();
        s.Ids["router"] = Stage.Good(await s.Send("POST", "/network/v2.0/routers", new { router = new { } })).Id("router");
        var port = Stage.Good(await s.Send("PUT", $"/network/v2.0/routers/{s["router"]}/add_router_interface", new { subnet_id = s["subnet"] })).Body.GetProperty("port_id").GetString()!;
        await s.Cloud.Drain();
        return (s, port);
    }

    [Fact]
    public async Task The_routers_host_gets_the_new_address()
    {
        var (s, port) = await Ready();
        await using var cloud = s.Cloud;
        Stage.Good(await s.Send("PUT", "/network/v2.0/ports/" + port, new { port = new { fixed_ips = new[] { new { subnet_id = s["subnet"], ip_address = "10.1.0.77" } } } }));
        await cloud.Pass(TimeSpan.FromMinutes(1));
        Assert.Contains(cloud.Hosts.SelectMany(h => h.World.Values).OfType<Agents.Contract.EnsureRouter>(), r => r.Router.Interfaces.Single().Addresses.Single() == "10.1.0.77/24");
        Assert.Empty((await World.Check(cloud)).Problems);
    }

    [Fact]
    public async Task It_doesnt_leave_its_subnet()
    {
        var (s, port) = await Ready();
        await using var cloud = s.Cloud;
        Assert.Equal(400, (await s.Send("PUT", "/network/v2.0/ports/" + port, new { port = new { fixed_ips = Array.Empty<object>() } })).Status);
        await cloud.Pass(TimeSpan.FromMinutes(1));
        Assert.Empty((await World.Check(cloud)).Problems);
    }

    /// <summary>Found by simulation as well (seed 1266).</summary>
    [Fact]
    public async Task A_network_that_goes_just_then_gets_no_router()
    {
        var ready = new Stage(await TestCloud.Start(), []);
        await ready.Project();
        await ready.Net();
        ready.Ids["router"] = Stage.Good(await ready.Send("POST", "/network/v2.0/routers", new { router = new { } })).Id("router");
        Stage? s = null;
        Answer? other = null;
        var once = true;
        s = ready.Copy(wrap: store => new MutantStore(store, async (inner, partition, ops, messages) =>
        {
            if (once && ops.Any(o => o is Op.Insert && o.Key.StartsWith("port|", StringComparison.Ordinal)))
            {
                once = false;
                other = await s!.Send("DELETE", $"/network/v2.0/networks/{s["net"]}");
            }
            await inner.Commit(partition, ops, messages);
        }));
        await using var cloud = s.Cloud;
        Assert.Equal(404, (await s.Send("PUT", $"/network/v2.0/routers/{s["router"]}/add_router_interface", new { subnet_id = s["subnet"] })).Status);
        Assert.Equal(204, other!.Status);
        await cloud.Drain();
        await cloud.Sweep();
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
