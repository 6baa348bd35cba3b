using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>Attacks 19, 20 and 28: another project's ids in every position, and lists as oracles.</summary>
public sealed class OtherProjectsTests(Scene scene) : IClassFixture<Scene>
{
    private static readonly (string, string)[] Latest = [("OpenStack-API-Version", "compute 2.93,volume 3.70")];

    // Path of each resource, and what eve has of it.
    private static readonly (string Service, string Path, string Name)[] Resources =
    [
        ("compute", "/v2.1/servers/{id}", "server"), ("network", "/v2.0/networks/{id}", "net"), ("network", "/v2.0/subnets/{id}", "subnet"), ("network", "/v2.0/ports/{id}", "port"), ("network", "/v2.0/routers/{id}", "router"),
        ("network", "/v2.0/floatingips/{id}", "fip"), ("network", "/v2.0/security-groups/{id}", "group"), ("network", "/v2.0/security-group-rules/{id}", "rule"), ("volume", "/v3/{project_id}/volumes/{id}", "volume"), ("volume", "/v3/{project_id}/snapshots/{id}", "snapshot"),
    ];

    /// <summary>What is valid where nothing is not, so that the answer is about the id and not about the body.</summary>
    public static readonly Dictionary<string, string> Bodies = new()
    {
        ["PUT /v2.1/servers/{id}"] = """{"server":{"name":"mine"}}""", ["POST /v2.1/servers/{id}/metadata"] = """{"metadata":{"a":"b"}}""", ["PUT /v2.1/servers/{id}/metadata"] = """{"metadata":{"a":"b"}}""", ["PUT /v2.1/servers/{id}/metadata/{key}"] = """{"meta":{"k":"b"}}""",
        ["PUT /v2.1/servers/{id}/tags"] = """{"tags":["a"]}""", ["POST /v2.1/servers/{id}/os-volume_attachments"] = """{"volumeAttachment":{"volumeId":"{volume}"}}""", ["PUT /v2.1/servers/{id}/os-volume_attachments/{volume}"] = """{"volumeAttachment":{"volumeId":"{volume}"}}""",
        ["POST /v2.1/servers/{id}/os-interface"] = """{"interfaceAttachment":{"net_id":"{net}"}}""", ["reboot"] = """{"reboot":{"type":"HARD"}}""", ["os-getConsoleOutput"] = """{"os-getConsoleOutput":{}}""", ["addSecurityGroup"] = """{"addSecurityGroup":{"name":"web"}}""", ["removeSecurityGroup"] = """{"removeSecurityGroup":{"name":"web"}}""",
        ["PUT /v2.0/networks/{id}"] = """{"network":{"name":"mine"}}""", ["PUT /v2.0/subnets/{id}"] = """{"subnet":{"name":"mine"}}""", ["PUT /v2.0/ports/{id}"] = """{"port":{"name":"mine"}}""", ["PUT /v2.0/routers/{id}"] = """{"router":{"name":"mine"}}""",
        ["PUT /v2.0/floatingips/{id}"] = """{"floatingip":{"port_id":"{port}"}}""", ["PUT /v2.0/security-groups/{id}"] = """{"security_group":{"name":"mine"}}""", ["PUT /v2.0/routers/{id}/add_router_interface"] = """{"port_id":"{port}"}""", ["PUT /v2.0/routers/{id}/remove_router_interface"] = """{"subnet_id":"{subnet}"}""",
        ["PUT /v2.0/routers/{id}/add_extraroutes"] = """{"router":{"routes":[]}}""", ["PUT /v2.0/routers/{id}/remove_extraroutes"] = """{"router":{"routes":[]}}""", ["tags"] = """{"tags":["a"]}""",
        ["PUT /v3/{project_id}/volumes/{id}"] = """{"volume":{"name":"mine"}}""", ["PUT /v3/{project_id}/snapshots/{id}"] = """{"snapshot":{"name":"mine"}}""", ["metadata"] = """{"metadata":{"a":"b"}}""", ["{key}"] = """{"meta":{"k":"b"}}""",
        ["os-update_readonly_flag"] = """{"os-update_readonly_flag":{"readonly":true}}""", ["os-retype"] = """{"os-retype":{"new_type":"local"}}""", ["os-update_snapshot_status"] = """{"os-update_snapshot_status":{"status":"error"}}""",
        ["os-extend"] = """{"os-extend":{"new_size":2}}""", ["os-set_bootable"] = """{"os-set_bootable":{"bootable":true}}""", ["os-attach"] = """{"os-attach":{"instance_uuid":"{server}","mountpoint":"/dev/vdx"}}""", ["os-set_image_metadata"] = """{"os-set_image_metadata":{"metadata":{"a":"b"}}}""", ["os-unset_image_metadata"] = """{"os-unset_image_metadata":{"key":"a"}}""",
    };

    [Fact]
    public async Task What_eve_has_and_what_never_was_are_told_apart_by_nothing()
    {
        var before = await scene.Everything();
        var asked = 0;
        foreach (var (service, route, name) in Operations())
        {
            var target = $"/{service}{Fill(route)}";
            var body = Body(route);
            var (hidden, missing) = (await scene.Send(route.Method, target.Replace("{id}", $"{{eve.{name}}}", StringComparison.Ordinal), body, headers: Latest), await scene.Send(route.Method, target.Replace("{id}", "{nothing}", StringComparison.Ordinal), body, headers: Latest));
            Assert.True(hidden.Status is 404 or 403, $"{route.Method} {route.Path} {route.Action}: {hidden.Status} {hidden.Text}");
            Assert.Equal((missing.Status, missing.Text), (hidden.Status, hidden.Text.Replace(scene[$"eve.{name}"], scene["nothing"], StringComparison.Ordinal)));
            asked++;
        }
        Assert.Equal(before, await scene.Everything());
        Assert.Empty(scene.Cloud.Errors);
        Assert.InRange(asked, 150, 1000);
    }

    private static IEnumerable<(string Service, Route Route, string Name)> Operations() =>
        from slice in Slices.All
        from route in slice.Routes
        from r in Resources
        where slice.Prefix == r.Service && (route.Path == r.Path || route.Path.StartsWith(r.Path + "/", StringComparison.Ordinal)) && route.Until is null
        // Nothing of these is offered, whatever the id.
        where !Unoffered(route)
        select (slice.Prefix, route, r.Name);

    private static readonly string[] Foreign = ["conntrack_helpers", "l3-agents", "dhcp-agents", "port_forwardings", "bindings", "external_gateways", "consoles", "os-virtual-interfaces"];

    private static bool Unoffered(Route r) => Array.Exists(Foreign, f => r.Path.Contains(f, StringComparison.Ordinal));

    private static string Fill(Route r) => r.Path.Replace("{project_id}", "{project}", StringComparison.Ordinal).Replace("{key}", "k", StringComparison.Ordinal).Replace("{tag}", "t", StringComparison.Ordinal).Replace("{volume}", "{eve.attached}", StringComparison.Ordinal)
        .Replace("{port}", "{eve.nic}", StringComparison.Ordinal).Replace("{network}", "net", StringComparison.Ordinal);

    public static string? Body(Route r)
    {
        if (r.Method is "GET" or "DELETE") return null;
        var last = r.Path[(r.Path.LastIndexOf('/') + 1)..];
        foreach (var key in new[] { r.Action, $"{r.Method} {r.Path}", last })
            if (key is not null && Bodies.TryGetValue(key, out var body)) return body;
        return r.Action is { } action ? $"{{\"{action}\":{{}}}}" : "{}";
    }

    [Theory]
    [InlineData("/compute/v2.1/servers/detail?uuid={eve.server}", "servers")]
    [InlineData("/compute/v2.1/servers?project_id={eve.project}&uuid={eve.server}", "servers")]
    [InlineData("/compute/v2.1/servers?user_id={eve.project}", "servers")]
    [InlineData("/compute/v2.1/os-keypairs?user_id=eve", "keypairs")]
    [InlineData("/network/v2.0/networks?id={eve.net}", "networks")]
    [InlineData("/network/v2.0/networks?project_id={eve.project}", "networks")]
    [InlineData("/network/v2.0/networks?tenant_id={eve.project}", "networks")]
    [InlineData("/network/v2.0/subnets?network_id={eve.net}", "subnets")]
    [InlineData("/network/v2.0/ports?network_id={eve.net}", "ports")]
    [InlineData("/network/v2.0/ports?device_id={eve.server}", "ports")]
    [InlineData("/network/v2.0/ports?fixed_ips=subnet_id%3D{eve.subnet}", "ports")]
    [InlineData("/network/v2.0/ports?device_owner=network:router_gateway", "ports")]
    [InlineData("/network/v2.0/routers?id={eve.router}", "routers")]
    [InlineData("/network/v2.0/floatingips?id={eve.fip}", "floatingips")]
    [InlineData("/network/v2.0/security-groups?project_id={eve.project}", "security_groups")]
    [InlineData("/network/v2.0/security-group-rules?security_group_id={eve.group}", "security_group_rules")]
    [InlineData("/volume/v3/{project}/volumes?id={eve.volume}", "volumes")]
    [InlineData("/volume/v3/{project}/snapshots?volume_id={eve.volume}", "snapshots")]
    public async Task Lists_show_nothing_of_others(string target, string many)
    {
        var answer = await scene.Send("GET", target);
        Assert.Equal(200, answer.Status);
        if (many == "keypairs") Assert.DoesNotContain("\"eve\"", answer.Text, StringComparison.Ordinal);
        else Assert.Equal(0, answer.Body.GetProperty(many).GetArrayLength());
    }

    // An answer that depends on a value which the caller may not see would tell it, bit by bit.
    [Theory]
    [InlineData("/compute/v2.1/servers?host=sim-1", "/compute/v2.1/servers?host=elsewhere")]
    [InlineData("/compute/v2.1/servers?node=sim-1", "/compute/v2.1/servers?node=elsewhere")]
    [InlineData("/network/v2.0/ports?binding:host_id=sim-1", "/network/v2.0/ports?binding:host_id=elsewhere")]
    public async Task Filters_by_what_is_hidden_do_nothing(string right, string wrong) => Assert.Equal((await scene.Send("GET", right)).Text, (await scene.Send("GET", wrong)).Text);

    [Theory]
    [InlineData("/compute/v2.1/servers?sort_key=host")]
    [InlineData("/network/v2.0/ports?sort_key=binding:host_id")]
    [InlineData("/network/v2.0/networks?sort_key=provider:segmentation_id")]
    [InlineData("/volume/v3/{project}/volumes?sort_key=host")]
    public Task Nobody_sorts_by_what_is_hidden(string target) => scene.Refused(400, "GET", target, null);
}
