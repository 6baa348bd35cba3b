using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.BlockStorage;

/// <summary>What Cinder refuses, in its own words and with nothing left behind.</summary>
public sealed class BadInputTests(Scene scene) : IClassFixture<Scene>
{
    private const string Root = "/volume/v3/{project}/", Volumes = Root + "volumes";
    private static readonly (string, string) Latest = ("OpenStack-API-Version", "volume 3.70");

    [Theory]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("{}", 400)]
    [InlineData("""{"volume":[]}""", 400)]
    [InlineData("""{"volume":{}}""", 400)]
    [InlineData("""{"volume":{"size":1,"size":2}}""", 400)]
    [InlineData("""{"volume":{"size":0}}""", 400)]
    [InlineData("""{"volume":{"size":-1}}""", 400)]
    [InlineData("""{"volume":{"size":"big"}}""", 400)]
    [InlineData("""{"volume":{"size":1.5}}""", 400)]
    [InlineData("""{"volume":{"size":99999999999}}""", 400)]
    [InlineData("""{"volume":{"size":1,"name":5}}""", 400)]
    [InlineData("""{"volume":{"size":1,"name":"\ud83d"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"metadata":[]}}""", 400)]
    [InlineData("""{"volume":{"size":1,"metadata":{"k":null}}}""", 400)]
    [InlineData("""{"volume":{"size":1,"metadata":{"":"v"}}}""", 400)]
    [InlineData("""{"volume":{"size":1,"surprise":1}}""", 400)]
    [InlineData("""{"volume":{"size":1,"id":"{nothing}"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"status":"available"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"host":"sim-1"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"project_id":"{eve.project}"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"user_id":"someone"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"volume_type":"golden"}}""", 404)]
    [InlineData("""{"volume":{"size":1,"availability_zone":"elsewhere"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"multiattach":true}}""", 400)]
    [InlineData("""{"volume":{"size":1,"snapshot_id":"{nothing}"}}""", 404)]
    [InlineData("""{"volume":{"size":1,"snapshot_id":"{eve.snapshot}"}}""", 404)]
    [InlineData("""{"volume":{"size":1,"source_volid":"{eve.volume}"}}""", 404)]
    [InlineData("""{"volume":{"size":1,"source_volid":"{volume}","snapshot_id":"{snapshot}"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"imageRef":"{nothing}"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"backup_id":"{nothing}"}}""", 400)]
    [InlineData("""{"volume":{"size":1,"consistencygroup_id":"{nothing}"}}""", 400)]
    public Task New_volumes(string body, int status) => scene.Refused(status, "POST", Volumes, body);

    [Theory]
    [InlineData("PUT", "volumes/{volume}", """{"volume":{"size":5}}""", 400)]
    [InlineData("PUT", "volumes/{volume}", """{"volume":{"status":"error"}}""", 400)]
    [InlineData("DELETE", "volumes/{volume}", null, 400)]
    [InlineData("DELETE", "volumes/{attached}", null, 400)]
    [InlineData("DELETE", "volumes/{attached}?cascade=true", null, 400)]
    [InlineData("DELETE", "volumes/{volume}?cascade=perhaps", null, 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-extend":{"new_size":1}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-extend":{"new_size":"huge"}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-extend":{}}""", 400)]
    [InlineData("POST", "volumes/{attached}/action", """{"os-extend":{"new_size":2}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-set_bootable":{"bootable":"perhaps"}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-reset_status":{"status":"available"}}""", 403)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-force_delete":{}}""", 403)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-force_detach":{}}""", 403)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-detach":{}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-unreserve":{}}""", 400)]
    [InlineData("POST", "volumes/{attached}/action", """{"os-reserve":{}}""", 409)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-attach":{"mountpoint":"/dev/vdx"}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-attach":{"instance_uuid":"x","mountpoint":"/dev/vdx"}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-attach":{"instance_uuid":"{server}","mountpoint":"/dev/vdx","mode":"wx"}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-retype":{"new_type":"golden"}}""", 404)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-retype":{"new_type":"local"}}""", 400)]
    [InlineData("POST", "volumes/{attached}/action", """{"os-update_readonly_flag":{"readonly":true}}""", 400)]
    [InlineData("POST", "snapshots/{snapshot}/action", """{"os-update_snapshot_status":{"status":"error"}}""", 400)]
    [InlineData("GET", "snapshots?offset=-1", null, 400)]
    [InlineData("GET", "snapshots?marker={nothing}", null, 404)]
    [InlineData("POST", "volumes/{volume}/action", """{"jump":{}}""", 400)]
    [InlineData("POST", "volumes/{volume}/action", """{"os-reserve":{},"os-unreserve":{}}""", 400)]
    [InlineData("POST", "volumes/{volume}/metadata", """{"metadata":{"k":5}}""", 400)]
    [InlineData("PUT", "volumes/{volume}/metadata/k", """{"meta":{"other":"v"}}""", 400)]
    [InlineData("DELETE", "volumes/{volume}/metadata/none", null, 404)]
    [InlineData("POST", "snapshots", """{"snapshot":{}}""", 400)]
    [InlineData("POST", "snapshots", """{"snapshot":{"volume_id":"{nothing}"}}""", 404)]
    [InlineData("POST", "snapshots", """{"snapshot":{"volume_id":"{eve.volume}"}}""", 404)]
    [InlineData("POST", "snapshots", """{"snapshot":{"volume_id":"{attached}"}}""", 400)]
    [InlineData("POST", "snapshots", """{"snapshot":{"volume_id":"{volume}","status":"available"}}""", 400)]
    [InlineData("POST", "snapshots", """{"snapshot":{"volume_id":"{volume}","force":"perhaps"}}""", 400)]
    [InlineData("PUT", "snapshots/{snapshot}", """{"snapshot":{"volume_id":"{attached}"}}""", 400)]
    [InlineData("POST", "types", """{"volume_type":{"name":"t"}}""", 403)]
    [InlineData("PUT", "os-quota-sets/{project}", """{"quota_set":{"volumes":1000}}""", 403)]
    [InlineData("GET", "os-quota-sets/{eve.project}", null, 403)]
    [InlineData("GET", "volumes?limit=-1", null, 400)]
    [InlineData("GET", "volumes?marker={eve.volume}", null, 404)]
    [InlineData("GET", "volumes?sort=os-vol-host-attr:host:asc", null, 400)]
    [InlineData("GET", "volumes?metadata=k", null, 400)]
    [InlineData("GET", "volumes/", null, 404)]
    [InlineData("GET", "attachments", null, 404)]
    [InlineData("POST", "backups", """{"backup":{"volume_id":"{volume}"}}""", 501)]
    [InlineData("GET", "os-services", null, 403)]
    public Task Parts(string method, string path, string? body, int status) => scene.Refused(status, method, Root + path, body);

    [Fact]
    public async Task Other_projects_in_the_path_and_large_or_deep_bodies()
    {
        await scene.Refused(400, "GET", "/volume/v3/{eve.project}/volumes", null);
        await scene.Refused(413, "POST", Volumes, new string(' ', 200_000));
        await scene.Refused(400, "POST", Volumes, new string('[', 100_000));
        await scene.Refused(400, "POST", Volumes, $$$"""{"volume":{"size":1,"name":"{{{new string('n', 256)}}}"}}""");
        await scene.Refused(400, "POST", Root + "snapshots", """{"snapshot":{"volume_id":"{volume}","force":false}}""", headers: Latest);
        await scene.Refused(404, "GET", Root + "attachments/{nothing}", null, headers: Latest);
        await scene.Refused(406, "GET", Volumes, null, headers: ("OpenStack-API-Version", "volume 3.71"));
    }

    [Theory]
    [InlineData("""{"volume_type":{}}""", 400)]
    [InlineData("""{"volume_type":{"name":" "}}""", 400)]
    [InlineData("""{"volume_type":{"name":"local"}}""", 409)]
    [InlineData("""{"volume_type":{"name":"t","extra_specs":{"k":null}}}""", 400)]
    [InlineData("""{"volume_type":{"name":"t","projects":["{project}"]}}""", 400)]
    public Task Types(string body, int status) => scene.Refused(status, "POST", "/volume/v3/{admin.project}/types", body, "admin");
}
