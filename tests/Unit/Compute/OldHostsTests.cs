using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Compute;

public sealed class OldHostsTests(Scene scene) : IClassFixture<Scene>
{
    private const string Path = "/compute/v2.1/os-hosts";

    [Fact]
    public async Task Hosts_are_listed_by_zone_and_shown_with_what_each_project_has()
    {
        async Task<int> Listed(string query) => (await scene.Send("GET", Path + query, user: "admin")).Body.GetProperty("hosts").GetArrayLength();
        Assert.True(await Listed("") > 0 && await Listed("?zone=") > 0);
        Assert.Equal(0, await Listed("?zone=elsewhere"));
        var where = (await scene.Send("GET", "/compute/v2.1/servers/{server}", user: "admin")).Body.GetProperty("server").GetProperty("OS-EXT-SRV-ATTR:host").GetString();
        var shown = (await scene.Send("GET", $"{Path}/{where}", user: "admin")).Body.GetProperty("host").EnumerateArray().ToDictionary(x => x.GetProperty("resource").GetProperty("project").GetString()!, x => x.GetProperty("resource").GetProperty("cpu").GetInt32());
        Assert.Equal(1, shown[scene["ann.project"]]);
        Assert.True(shown["(total)"] > shown["(used_now)"]);
    }

    [Fact]
    public async Task A_host_is_disabled_and_enabled()
    {
        var name = (await scene.Send("GET", Path, user: "admin")).Body.GetProperty("hosts")[0].GetProperty("host_name").GetString();
        foreach (var status in (string[])["disable", "enable"])
            Assert.Equal(status + "d", (await scene.Send("PUT", $"{Path}/{name}", $$"""{"status":"{{status}}"}""", "admin")).Body.GetProperty("status").GetString());
        Assert.Equal(501, (await scene.Send("PUT", $"{Path}/{name}", """{"maintenance_mode":"enable"}""", "admin")).Status);
        Assert.Equal(501, (await scene.Send("GET", $"{Path}/{name}/reboot", user: "admin")).Status);
        Assert.Equal(404, (await scene.Send("GET", Path, user: "admin", headers: ("OpenStack-API-Version", "compute 2.43"))).Status);
    }

    [Theory]
    [InlineData("PUT", "/nowhere", """{"status":"enable"}""", 404)]
    [InlineData("PUT", "/nowhere", """{"status":"on"}""", 400)]
    [InlineData("PUT", "/nowhere", """{}""", 400)]
    [InlineData("GET", "/nowhere", null, 404)]
    [InlineData("GET", "/nowhere/startup", null, 404)]
    public Task What_is_refused(string method, string tail, string? body, int status) => scene.Refused(status, method, Path + tail, body, "admin");
}
