using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.BlockStorage;

/// <summary>What Cinder's clients and its own tests do with volumes besides making and attaching them.</summary>
public sealed class ClientHabitTests(Scene scene) : IClassFixture<Scene>
{
    private const string Root = "/volume/v3/{project}/", Admin = "/volume/v3/{admin.project}/";

    [Fact]
    public async Task A_volume_that_is_read_only_says_so_and_is_no_guests()
    {
        await scene.Make("ann", "book", "volume", Root + "volumes", """{"volume":{"size":1}}""");
        await scene.Do("ann", "POST", Root + "volumes/{book}/action", """{"os-update_readonly_flag":{"readonly":true}}""");
        Assert.Equal("True", (await scene.Send("GET", Root + "volumes/{book}")).Body.GetProperty("volume").GetProperty("metadata").GetProperty("readonly").GetString());
        await scene.Refused(400, "POST", "/compute/v2.1/servers/{server}/os-volume_attachments", """{"volumeAttachment":{"volumeId":"{book}"}}""");
        await scene.Do("ann", "POST", Root + "volumes/{book}/action", """{"os-update_readonly_flag":{"readonly":false}}""");
        Assert.Equal("False", (await scene.Send("GET", Root + "volumes/{book}")).Body.GetProperty("volume").GetProperty("metadata").GetProperty("readonly").GetString());
        await scene.Do("ann", "DELETE", Root + "volumes/{book}");
    }

    [Fact]
    public async Task A_volumes_type_changes_and_a_types_description_without_its_name()
    {
        await scene.Make("admin", "fast", "volume_type", Admin + "types", """{"volume_type":{"name":"fast"}}""");
        await scene.Do("admin", "PUT", Admin + "types/{admin.fast}", """{"volume_type":{"name":null,"description":"d"}}""");
        var type = (await scene.Send("GET", Root + "types/{admin.fast}")).Body.GetProperty("volume_type");
        Assert.Equal(("fast", "d"), (type.GetProperty("name").GetString(), type.GetProperty("description").GetString()));
        await scene.Refused(400, "POST", Admin + "types", """{"volume_type":{"name":null}}""", "admin");
        await scene.Do("ann", "POST", Root + "volumes/{volume}/action", """{"os-retype":{"new_type":"fast","migration_policy":"on-demand"}}""");
        Assert.Equal("fast", (await scene.Send("GET", Root + "volumes/{volume}")).Body.GetProperty("volume").GetProperty("volume_type").GetString());
        await scene.Do("ann", "POST", Root + "volumes/{volume}/action", """{"os-retype":{"new_type":"local"}}""");
        await scene.Do("admin", "DELETE", Admin + "types/{admin.fast}");
    }

    [Fact]
    public async Task Snapshots_are_sorted_by_name_and_paged_by_number_and_their_keeper_says_how_far_they_are()
    {
        foreach (var name in (string[])["b", "a"]) await scene.Make("ann", "s" + name, "snapshot", Root + "snapshots", $$$"""{"snapshot":{"volume_id":"{volume}","name":"{{{name}}}","force":true}}""");
        async Task<List<string?>> Names(string query) => [.. (await scene.Send("GET", Root + "snapshots?" + query)).Body.GetProperty("snapshots").EnumerateArray().Select(s => s.GetProperty("name").GetString())];
        Assert.Equal(new List<string?> { "b", "a", null }, await Names("sort_key=display_name&sort_dir=desc"));
        Assert.Equal(new List<string?> { "a" }, await Names("sort_key=display_name&sort_dir=desc&offset=1&limit=1"));
        Assert.Equal(2, (await Names("offset=1")).Count);
        await scene.Do("admin", "POST", "/volume/v3/{admin.project}/snapshots/{sa}/action", """{"os-reset_status":{"status":"creating"}}""");
        await scene.Do("ann", "POST", Root + "snapshots/{sa}/action", """{"os-update_snapshot_status":{"status":"error","progress":"80%"}}""");
        Assert.Equal("80%", (await scene.Send("GET", Root + "snapshots/{sa}")).Body.GetProperty("snapshot").GetProperty("os-extended-snapshot-attributes:progress").GetString());
        foreach (var one in (string[])["{sa}", "{sb}"]) await scene.Do("ann", "DELETE", Root + "snapshots/" + one);
    }

    [Theory]
    [InlineData("enable", """{"host":"nowhere","binary":"cinder-volume"}""", 404)]
    [InlineData("disable", """{"host":"sim-1","binary":"cinder-thing"}""", 404)]
    [InlineData("disable-log-reason", """{"host":"sim-1","binary":"cinder-volume"}""", 400)]
    [InlineData("freeze", """{"host":"nowhere"}""", 400)]
    public Task A_service_that_is_not_there_is_told_first(string action, string body, int status) => scene.Refused(status, "PUT", Admin + "os-services/" + action, body, "admin");
}
