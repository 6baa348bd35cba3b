using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Compute;

/// <summary>What Nova refuses, in its own words and with nothing left behind.</summary>
public sealed class BadInputTests(Scene scene) : IClassFixture<Scene>
{
    private const string Servers = "/compute/v2.1/servers", One = Servers + "/{server}", Action = One + "/action", Long = "LONG";
    private static readonly (string, string) Latest = ("OpenStack-API-Version", "compute 2.93");

    private static string Server(string more, string name = "\"s\"") => $$$"""{"server":{"name":{{{name}}},"flavorRef":"1","imageRef":"{admin.image}","networks":[{"uuid":"{net}"}]{{{(more.Length > 0 ? "," + more : "")}}}}}""";

    [Theory]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("null", 400)]
    [InlineData("{}", 400)]
    [InlineData("""{"server":[]}""", 400)]
    [InlineData("""{"server":{}}""", 400)]
    [InlineData("""{"server":{"name":"a"},"server":{"name":"b"}}""", 400)]
    [InlineData("""{"server":{"name":"\ud800"}}""", 400)]
    [InlineData("""{"server":{"name":"s","imageRef":"{admin.image}","networks":[]}}""", 400)]
    [InlineData("""{"server":{"name":"s","flavorRef":"none","imageRef":"{admin.image}","networks":[]}}""", 400)]
    [InlineData("""{"server":{"name":"s","flavorRef":{},"imageRef":"{admin.image}","networks":[]}}""", 400)]
    [InlineData("""{"server":{"name":"s","flavorRef":"1","imageRef":"{nothing}","networks":[]}}""", 400)]
    [InlineData("""{"server":{"name":"s","flavorRef":"1","networks":[]}}""", 400)]
    [InlineData("""{"server":{"name":"s","flavorRef":"1","imageRef":"{admin.image}"},"surprise":1}""", 400)]
    [InlineData("""{"server":{"name":"s","flavorRef":"1","imageRef":"{admin.image}"},"os:scheduler_hints":{"group":"{nothing}"}}""", 400)]
    public Task Bodies(string body, int status) => scene.Refused(status, "POST", Servers, body);

    [Theory]
    [InlineData("5")]
    [InlineData("\"\"")]
    [InlineData("\" lead\"")]
    [InlineData("\"two\\nlines\"")]
    [InlineData("\"bell\\u0007\"")]
    [InlineData("\"LONG\"")]
    [InlineData("null")]
    public Task Names(string name) => scene.Refused(400, "POST", Servers, Server("", name.Replace(Long, new string('n', 256), StringComparison.Ordinal)));

    [Theory]
    [InlineData("\"surprise\":1", 400)]
    [InlineData("\"id\":\"{nothing}\"", 400)]
    [InlineData("\"status\":\"ACTIVE\"", 400)]
    [InlineData("\"project_id\":\"{eve.project}\"", 400)]
    [InlineData("\"tenant_id\":\"{eve.project}\"", 400)]
    [InlineData("\"host\":\"sim-1\"", 400)]
    [InlineData("\"created\":\"2020-01-01T00:00:00Z\"", 400)]
    [InlineData("\"tags\":[\"a\"]", 400)]
    [InlineData("\"description\":\"since 2.19\"", 400)]
    [InlineData("\"min_count\":0", 400)]
    [InlineData("\"min_count\":\"many\"", 400)]
    [InlineData("\"min_count\":3,\"max_count\":2", 400)]
    [InlineData("\"metadata\":[]", 400)]
    [InlineData("\"metadata\":{\"k\":5}", 400)]
    [InlineData("\"metadata\":{\"\":\"v\"}", 400)]
    [InlineData("\"metadata\":{\"a/b\":\"v\"}", 400)]
    [InlineData("\"metadata\":{\"k\":\"LONG\"}", 400)]
    [InlineData("\"security_groups\":[{\"name\":\"nobody's\"}]", 400)]
    [InlineData("\"security_groups\":[{\"name\":\"{eve.group}\"}]", 400)]
    [InlineData("\"security_groups\":\"web\"", 400)]
    [InlineData("\"key_name\":\"eve\"", 400)]
    [InlineData("\"key_name\":\"nobody's\"", 400)]
    [InlineData("\"user_data\":\"not base64!\"", 400)]
    [InlineData("\"availability_zone\":\"elsewhere\"", 400)]
    [InlineData("\"availability_zone\":\"nova:sim-1\"", 403)]
    [InlineData("\"config_drive\":\"maybe\"", 400)]
    [InlineData("\"accessIPv4\":\"fe80::1\"", 400)]
    [InlineData("\"accessIPv4\":\"1.2.3\"", 400)]
    [InlineData("\"accessIPv6\":\"10.0.0.1\"", 400)]
    [InlineData("\"OS-DCF:diskConfig\":\"SOMETIMES\"", 400)]
    [InlineData("\"personality\":[{\"path\":\"/etc/passwd\",\"contents\":\"\"}]", 400)]
    [InlineData("\"block_device_mapping_v2\":[{\"source_type\":\"volume\",\"destination_type\":\"volume\",\"uuid\":\"{eve.volume}\"}]", 400)]
    [InlineData("\"block_device_mapping_v2\":[{\"source_type\":\"volume\",\"destination_type\":\"volume\",\"uuid\":\"{volume}\"},{\"source_type\":\"volume\",\"destination_type\":\"volume\",\"uuid\":\"{volume}\"}]", 400)]
    [InlineData("\"block_device_mapping_v2\":[{\"source_type\":\"volume\",\"destination_type\":\"volume\",\"uuid\":\"{volume}\",\"boot_index\":0}]", 400)]
    [InlineData("\"block_device_mapping_v2\":[{\"source_type\":\"image\",\"destination_type\":\"volume\",\"uuid\":\"{admin.image}\",\"boot_index\":0}]", 400)]
    [InlineData("\"block_device_mapping_v2\":[{\"surprise\":1}]", 400)]
    [InlineData("\"block_device_mapping_v2\":[5]", 400)]
    [InlineData("\"block_device_mapping\":[{\"device_name\":\"vda\"}]", 400)]
    public Task Members(string member, int status) => scene.Refused(status, "POST", Servers, Server(member.Replace(Long, new string('v', 256), StringComparison.Ordinal)));

    [Theory]
    [InlineData("\"all\"", 400)]
    [InlineData("[5]", 400)]
    [InlineData("[{}]", 400)]
    [InlineData("[{\"uuid\":\"x\"}]", 400)]
    [InlineData("[{\"uuid\":\"{nothing}\"}]", 400)]
    [InlineData("[{\"uuid\":\"{eve.net}\"}]", 400)]
    [InlineData("[{\"uuid\":\"{admin.ext}\"}]", 403)]
    [InlineData("[{\"port\":\"{eve.port}\"}]", 400)]
    [InlineData("[{\"port\":\"{nothing}\"}]", 400)]
    [InlineData("[{\"port\":\"{nic}\"}]", 409)]
    [InlineData("[{\"port\":\"{port}\"},{\"port\":\"{port}\"}]", 400)]
    [InlineData("[{\"port\":\"{port}\",\"fixed_ip\":\"10.1.0.9\"}]", 400)]
    [InlineData("[{\"uuid\":\"{net}\",\"fixed_ip\":\"10.2.0.9\"}]", 400)]
    [InlineData("[{\"uuid\":\"{net}\",\"fixed_ip\":\"10.1.0.1\"}]", 400)]
    [InlineData("[{\"uuid\":\"{net}\",\"fixed_ip\":\"ten\"}]", 400)]
    [InlineData("[{\"uuid\":\"{net}\",\"surprise\":1}]", 400)]
    public Task Networks(string networks, int status) => scene.Refused(status, "POST", Servers, $$$"""{"server":{"name":"s","flavorRef":"1","imageRef":"{admin.image}","networks":{{{networks}}}}}""", headers: Latest);

    [Theory]
    [InlineData("{}", 400)]
    [InlineData("""{"jump":null}""", 400)]
    [InlineData("""{"os-stop":null,"os-start":null}""", 400)]
    [InlineData("""{"os-stop":5}""", 400)]
    [InlineData("""{"os-start":null}""", 409)]
    [InlineData("""{"unpause":null}""", 409)]
    [InlineData("""{"reboot":{}}""", 400)]
    [InlineData("""{"reboot":{"type":"MEDIUM"}}""", 400)]
    [InlineData("""{"reboot":{"type":"SOFT","surprise":1}}""", 400)]
    [InlineData("""{"os-getConsoleOutput":{"length":-2}}""", 400)]
    [InlineData("""{"os-getConsoleOutput":{"length":"all"}}""", 400)]
    [InlineData("""{"os-resetState":{"state":"active"}}""", 403)]
    [InlineData("""{"addSecurityGroup":{"name":"{eve.group}"}}""", 404)]
    [InlineData("""{"removeSecurityGroup":{"name":"web"}}""", 404)]
    [InlineData("""{"rebuild":{"imageRef":"{admin.image}"}}""", 501)]
    [InlineData("""{"resize":{"flavorRef":"2"}}""", 501)]
    public Task Actions(string body, int status) => scene.Refused(status, "POST", Action, body);

    [Theory]
    [InlineData("PUT", One, """{"server":{"name":""}}""", 400)]
    [InlineData("PUT", One, """{"server":{"status":"ERROR"}}""", 400)]
    [InlineData("PUT", One, """{"server":{"metadata":{}}}""", 400)]
    [InlineData("PUT", One, """{"server":{"accessIPv4":"x"}}""", 400)]
    [InlineData("POST", One + "/metadata", """{"metadata":{"k":null}}""", 400)]
    [InlineData("POST", One + "/metadata", """{"metadata":{},"surprise":1}""", 400)]
    [InlineData("PUT", One + "/metadata/k", """{"meta":{"other":"v"}}""", 400)]
    [InlineData("PUT", One + "/metadata/k", """{"meta":{"k":"v","other":"v"}}""", 400)]
    [InlineData("DELETE", One + "/metadata/none", null, 404)]
    [InlineData("POST", One + "/os-volume_attachments", """{"volumeAttachment":{}}""", 400)]
    [InlineData("POST", One + "/os-volume_attachments", """{"volumeAttachment":{"volumeId":"x"}}""", 400)]
    [InlineData("POST", One + "/os-volume_attachments", """{"volumeAttachment":{"volumeId":"{nothing}"}}""", 404)]
    [InlineData("POST", One + "/os-volume_attachments", """{"volumeAttachment":{"volumeId":"{eve.volume}"}}""", 404)]
    [InlineData("POST", One + "/os-volume_attachments", """{"volumeAttachment":{"volumeId":"{attached}"}}""", 400)]
    [InlineData("POST", One + "/os-volume_attachments", """{"volumeAttachment":{"volumeId":"{volume}","device":"/dev/vdb"}}""", 409)]
    [InlineData("POST", One + "/os-volume_attachments", """{"volumeAttachment":{"volumeId":"{volume}","device":"/dev/../mem"}}""", 400)]
    [InlineData("DELETE", One + "/os-volume_attachments/{volume}", null, 404)]
    [InlineData("DELETE", One + "/os-volume_attachments/{eve.attached}", null, 404)]
    [InlineData("POST", One + "/os-interface", """{"interfaceAttachment":{"port_id":"{port}","net_id":"{net}"}}""", 400)]
    [InlineData("POST", One + "/os-interface", """{"interfaceAttachment":{"port_id":"{eve.port}"}}""", 400)]
    [InlineData("POST", One + "/os-interface", """{"interfaceAttachment":{"port_id":"{nic}"}}""", 409)]
    [InlineData("POST", One + "/os-interface", """{"interfaceAttachment":{"net_id":"{eve.net}"}}""", 400)]
    [InlineData("POST", One + "/os-interface", """{"interfaceAttachment":{"fixed_ips":[{"ip_address":"10.1.0.9"}]}}""", 400)]
    [InlineData("DELETE", One + "/os-interface/{port}", null, 404)]
    [InlineData("POST", "/compute/v2.1/os-keypairs", """{"keypair":{"name":"ann","public_key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKxQx8m0UeO7yTqTn6wY6mJ8oVd3vJc3W4o6r0m3b1cE me"}}""", 409)]
    [InlineData("POST", "/compute/v2.1/os-keypairs", """{"keypair":{"name":"a/b"}}""", 400)]
    [InlineData("POST", "/compute/v2.1/os-keypairs", """{"keypair":{"name":"k","public_key":"ssh-rsa nothing"}}""", 400)]
    [InlineData("POST", "/compute/v2.1/os-keypairs", """{"keypair":{"name":"k","public_key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKxQx8m0UeO7yTqTn6wY6mJ8oVd3vJc3W4o6r0m3b1cE me\nssh-rsa AAAA"}}""", 400)]
    [InlineData("POST", "/compute/v2.1/os-keypairs", """{"keypair":{"name":"k","fingerprint":"aa"}}""", 400)]
    [InlineData("GET", "/compute/v2.1/os-keypairs/eve", null, 404)]
    [InlineData("POST", "/compute/v2.1/flavors", """{"flavor":{"name":"f","ram":1,"vcpus":1,"disk":1}}""", 403)]
    [InlineData("PUT", "/compute/v2.1/os-quota-sets/{project}", """{"quota_set":{"instances":1000}}""", 403)]
    [InlineData("GET", "/compute/v2.1/os-quota-sets/{eve.project}", null, 403)]
    [InlineData("GET", "/compute/v2.1/servers?all_tenants=1", null, 403)]
    [InlineData("GET", "/compute/v2.1/servers?limit=-1", null, 400)]
    [InlineData("GET", "/compute/v2.1/servers?marker={eve.server}", null, 400)]
    [InlineData("GET", "/compute/v2.1/servers?sort_key=host", null, 400)]
    [InlineData("GET", "/compute/v2.1/servers?changes-since=2011/01/01", null, 400)]
    [InlineData("GET", "/compute/v2.1/servers/", null, 404)]
    [InlineData("POST", "/compute/v2.1/os-server-groups", """{"server_group":{}}""", 501)]
    public Task Parts(string method, string target, string? body, int status) => scene.Refused(status, method, target, body);

    [Theory]
    [InlineData("""{"flavor":{"name":"f","ram":"much","vcpus":1,"disk":1}}""", 400)]
    [InlineData("""{"flavor":{"name":"f","ram":1,"vcpus":0,"disk":1}}""", 400)]
    [InlineData("""{"flavor":{"name":"f","ram":1,"vcpus":1}}""", 400)]
    [InlineData("""{"flavor":{"name":"m1.tiny","ram":1,"vcpus":1,"disk":1}}""", 409)]
    [InlineData("""{"flavor":{"name":"f","id":"1","ram":1,"vcpus":1,"disk":1}}""", 409)]
    [InlineData("""{"flavor":{"name":"f","id":"a/b","ram":1,"vcpus":1,"disk":1}}""", 400)]
    [InlineData("""{"flavor":{"name":"two\nlines","ram":1,"vcpus":1,"disk":1}}""", 400)]
    [InlineData("""{"flavor":{"name":"f","ram":1,"vcpus":1,"disk":1,"OS-FLV-DISABLED:disabled":true}}""", 400)]
    [InlineData("""{"flavor":{"name":"f","ram":99999999999,"vcpus":1,"disk":1}}""", 400)]
    public Task Flavors(string body, int status) => scene.Refused(status, "POST", "/compute/v2.1/flavors", body, "admin");

    [Fact]
    public async Task Large_deep_or_foreign_bodies()
    {
        await scene.Refused(413, "POST", Servers, new string(' ', 200_000));
        await scene.Refused(400, "POST", Servers, new string('[', 100_000));
        await scene.Refused(415, "POST", Servers, "<server/>", headers: ("Content-Type", "application/xml"));
        await scene.Refused(406, "GET", Servers, null, headers: ("OpenStack-API-Version", "compute 2.94"));
        await scene.Refused(400, "GET", Servers, null, headers: ("OpenStack-API-Version", "compute two"));
        await scene.Refused(400, "GET", Servers + "?surprise=1", null, headers: Latest);
        await scene.Refused(400, "GET", Servers + "?status=HAPPY", null, headers: Latest);
    }
}
