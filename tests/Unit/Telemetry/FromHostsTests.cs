using Cloud.Agents.Contract;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Unit.Telemetry;

/// <summary>What a host counted of its guests is read under Ceilometer's names, and nobody else's word counts.</summary>
public sealed class FromHostsTests
{
    private static readonly string[] Names = ["cpu", "memory", "memory.resident", "vcpus"];

    [Fact]
    public async Task A_guest_its_disk_and_its_interface_have_measures()
    {
        var stage = new Stage(await TestCloud.Start(hosts: 2), []);
        await stage.Net();
        await stage.Image();
        await stage.Server();
        await stage.Cloud.Drain();
        var (cloud, server) = (stage.Cloud, stage["server"]);
        var host = (await stage.Show($"/compute/v2.1/servers/{server}", "server")).GetProperty("OS-EXT-SRV-ATTR:host").GetString()!;
        var other = cloud.Hosts.First(h => h.Name != host).Name;
        Samples Of(string by, long cpu) => new(by, cloud.Clock.GetUtcNow(), [new(server, 1, cpu, 65536, 32768, [new("vda", "disk", 100, 200, 3, 4)], [new("cst1", "01234567-89ab-cdef", 5, 6, 7, 8)])], []);

        await cloud.Say(Of(host, 1_000));
        await cloud.Say(Of(host, 1_000));
        await cloud.Say(Of(other, 9_000));
        await cloud.Drain();

        var instance = (await cloud.Send("GET", $"/metric/v1/resource/instance/{server}")).Body;
        Assert.Equal(Names, instance.GetProperty("metrics").EnumerateObject().Select(m => m.Name).Order(StringComparer.Ordinal));
        async Task<double> Last(string type, string original, string metric)
        {
            // As clients find what somebody else's id made: by that id.
            var found = (await cloud.Send("POST", $"/metric/v1/search/resource/{type}", new Dictionary<string, object> { ["="] = new { original_resource_id = original } })).Body;
            return (await cloud.Send("GET", $"/metric/v1/resource/{type}/{found[0].GetProperty("id").GetString()}/metric/{metric}/measures")).Body.EnumerateArray().Last()[2].GetDouble();
        }

        Assert.Equal(1_000, await Last("instance", server, "cpu"));
        Assert.Equal(64, await Last("instance", server, "memory"));
        Assert.Equal(200, await Last("instance_disk", server + "-vda", "disk.device.write.bytes"));
        Assert.Equal(5, await Last("instance_network_interface", $"cs-{server}-{server}-tap01234567-89", "network.incoming.bytes"));
        Assert.Empty(cloud.Errors);
    }
}
