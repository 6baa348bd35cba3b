using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Compute;

public sealed class ServerHistoryTests
{
    private const string Path = "/compute/v2.1/servers/{server}/os-instance-actions";

    [Fact]
    public async Task What_was_asked_of_a_server_is_told_with_its_end()
    {
        var scene = new Scene();
        await scene.InitializeAsync();
        await using var cloud = scene.Cloud;
        cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        var stop = await scene.Send("POST", "/compute/v2.1/servers/{server}/action", """{"os-stop":null}""");
        (string, string) latest = ("OpenStack-API-Version", "compute 2.93");
        async Task<string> Result() => (await scene.Send("GET", $"{Path}/{stop.Headers["X-Openstack-Request-Id"]}", headers: latest)).Body.GetProperty("instanceAction").GetProperty("events")[0].GetProperty("result").ToString();
        Assert.Equal("", await Result());
        await cloud.Drain();
        Assert.Equal("Success", await Result());
        var all = (await scene.Send("GET", Path)).Body.GetProperty("instanceActions").EnumerateArray().Select(a => a.GetProperty("action").GetString()).ToList();
        Assert.Equal("stop", all[0]);
        Assert.Equal(["attach_volume", "create"], all.Skip(1).Order());
        Assert.Equal(1, (await scene.Send("GET", Path + "?limit=1", headers: latest)).Body.GetProperty("instanceActions").GetArrayLength());
        Assert.Equal(404, (await scene.Send("GET", Path + "/req-none")).Status);
        // Of a failure the tenant hears that it was one, and no trace of the inside.
        Assert.DoesNotContain("traceback", (await scene.Send("GET", $"{Path}/{stop.Headers["X-Openstack-Request-Id"]}", headers: latest)).Text, StringComparison.Ordinal);
        Assert.Equal(204, (await scene.Send("DELETE", "/compute/v2.1/servers/{server}")).Status);
        Assert.Equal(409, (await scene.Send("POST", "/compute/v2.1/servers/{server}/action", """{"lock":null}""")).Status);
        await cloud.Drain();
        Assert.DoesNotContain(cloud.Store.All, r => r.Key.StartsWith("server-action|" + scene["ann.server"], StringComparison.Ordinal));
    }
}
