using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Tests.Contract.Authz;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Fuzz;

/// <summary>
/// Bodies with sense, to be spoilt: what the matrix of rights sends, what the kind of resource may hold, what the same path shows, and what nobody can guess.
/// </summary>
public sealed class Seeds(Scene scene, IReadOnlyDictionary<string, Belongings> belongings)
{
    // Irregular ones: their parts are read by hand.
    private static readonly Dictionary<string, string[]> Written = new()
    {
        ["POST /v2.1/servers"] =
        [
            """{"server":{"name":"s","flavorRef":"1","imageRef":"{admin.image}","networks":[{"uuid":"{net}","fixed_ip":"10.1.0.77","tag":"t"},{"port":"{port}"}],"key_name":"ann","metadata":{"k":"v"},"tags":["a"],"user_data":"AAAA","config_drive":true,"security_groups":[{"name":"web"}],"min_count":1,"max_count":2,"availability_zone":"nova","description":"d","OS-DCF:diskConfig":"AUTO","block_device_mapping_v2":[{"boot_index":0,"uuid":"{admin.image}","source_type":"image","destination_type":"volume","volume_size":1,"delete_on_termination":true,"tag":"b"}],"personality":[{"path":"/x","contents":"AAAA"}],"hostname":"h"},"os:scheduler_hints":{"group":"{nothing}","same_host":["{server}"]}}""",
            """{"server":{"name":"s","flavorRef":"1","networks":"auto","block_device_mapping_v2":[{"boot_index":0,"uuid":"{volume}","source_type":"volume","destination_type":"volume"}]}}""",
        ],
        ["POST /v2.1/servers/{id}/action"] =
        [
            """{"reboot":{"type":"SOFT"}}""", """{"os-getConsoleOutput":{"length":3}}""", """{"createImage":{"name":"i","metadata":{"a":"b"}}}""", """{"addSecurityGroup":{"name":"web"}}""", """{"changePassword":{"adminPass":"x"}}""", """{"addFixedIp":{"networkId":"{net}"}}""",
            """{"rebuild":{"imageRef":"{admin.image}","name":"n","metadata":{}}}""", """{"resize":{"flavorRef":"2"}}""", """{"os-migrateLive":{"host":"sim-1","block_migration":"auto"}}""", """{"lock":{"locked_reason":"r"}}""", """{"os-resetState":{"state":"error"}}""",
        ],
        ["POST /v2.1/servers/{id}/os-interface"] = ["""{"interfaceAttachment":{"net_id":"{net}","fixed_ips":[{"ip_address":"10.1.0.99"}],"tag":"t"}}"""],
        ["POST /v2.1/servers/{id}/os-volume_attachments"] = ["""{"volumeAttachment":{"volumeId":"{volume}","device":"/dev/vdz","tag":"t","delete_on_termination":true}}"""],
        ["POST /v2.1/os-keypairs"] = ["""{"keypair":{"name":"k","type":"ssh","public_key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKxQx8m0UeO7yTqTn6wY6mJ8oVd3vJc3W4o6r0m3b1cE me"}}"""],
        ["POST /v2.1/flavors"] = ["""{"flavor":{"name":"f","ram":64,"vcpus":1,"disk":1,"id":"f1","swap":0,"rxtx_factor":1.0,"os-flavor-access:is_public":true,"OS-FLV-EXT-DATA:ephemeral":0,"description":"d"}}"""],
        ["PUT /v2.1/os-quota-sets/{target}"] = ["""{"quota_set":{"cores":20,"ram":51200,"instances":10,"force":true}}"""],
        ["POST /v3/auth/tokens"] =
        [
            """{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"ann","domain":{"id":"default"},"password":"ann-secret"}}},"scope":{"project":{"name":"ann","domain":{"id":"default"}}}}}""",
            """{"auth":{"identity":{"methods":["token","totp"],"token":{"id":"x"},"totp":{"user":{"id":"{nothing}","passcode":"123456"}}},"scope":{"OS-TRUST:trust":{"id":"x"}}}}""",
            """{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"x","secret":"y","user":{"name":"ann","domain":{"name":"Default"}},"name":"n"}},"scope":"unscoped"}}""",
        ],
        ["POST /v3/ec2tokens"] = ["""{"credentials":{"access":"a","signature":"s","host":"h","verb":"GET","path":"/","params":{"SignatureVersion":"2","SignatureMethod":"HmacSHA256","Timestamp":"2030-01-01T00:00:00Z","AWSAccessKeyId":"a"},"headers":{"Authorization":"AWS4-HMAC-SHA256 Credential=a/20300101/r/s3/aws4_request, SignedHeaders=host, Signature=x","X-Amz-Date":"20300101T000000Z"},"body_hash":"x"}}"""],
        ["POST /v3/s3tokens"] = ["""{"credentials":{"access":"a","signature":"s","token":"QVdTNC1ITUFDLVNIQTI1Ngo="}}"""],
        ["PUT /v3/OS-FEDERATION/mappings/{id}"] = ["""{"mapping":{"rules":[{"local":[{"user":{"name":"{0}","type":"local"},"group":{"id":"x"},"projects":[{"name":"p","roles":[{"name":"member"}]}]}],"remote":[{"type":"name"},{"type":"groups","any_one_of":["a.*"],"regex":true},{"type":"x","whitelist":["w"]}]}]}}"""],
        ["POST /v3/users/{user_id}/application_credentials"] = ["""{"application_credential":{"name":"n","secret":"s","roles":[{"name":"member"}],"unrestricted":false,"expires_at":"2040-01-01T00:00:00","access_rules":[{"service":"image","method":"GET","path":"/v2/**"}]}}"""],
        ["POST /v3/OS-TRUST/trusts"] = ["""{"trust":{"trustor_user_id":"x","trustee_user_id":"y","project_id":"{project}","impersonation":true,"roles":[{"name":"member"}],"expires_at":"2040-01-01T00:00:00Z","remaining_uses":3,"allow_redelegation":true,"redelegation_count":2}}"""],
        ["POST /v3/limits"] = ["""{"limits":[{"service_id":"x","resource_name":"r","project_id":"{project}","resource_limit":2,"domain_id":null,"region_id":null,"description":"d"}]}"""],
        ["PATCH /v2/images/{image_id}"] = ["""[{"op":"replace","path":"/name","value":"n"},{"op":"add","path":"/tags/-","value":"t"},{"op":"remove","path":"/x~1y~0"},{"op":"replace","path":"/min_ram","value":1},{"op":"add","path":"/locations/0","value":{"url":"file:///x","metadata":{}}}]"""],
        ["POST /v2/images"] = ["""{"name":"i","id":"{nothing}","disk_format":"qcow2","container_format":"bare","visibility":"private","min_ram":0,"min_disk":0,"tags":["a"],"protected":false,"os_hidden":false,"hw_disk_bus":"virtio"}"""],
        ["POST /v2/images/{image_id}/import"] = ["""{"method":{"name":"web-download","uri":"http://x.example/i","copy_from":[]},"stores":["file"],"all_stores":true,"all_stores_must_succeed":false}"""],
        ["POST /v2.0/ports"] = ["""{"port":{"network_id":"{net}","name":"p","mac_address":"fa:16:3e:00:00:01","fixed_ips":[{"subnet_id":"{subnet}","ip_address":"10.1.0.50"}],"security_groups":["{group}"],"allowed_address_pairs":[{"ip_address":"10.1.0.0/28","mac_address":"fa:16:3e:00:00:02"}],"extra_dhcp_opts":[{"opt_name":"mtu","opt_value":"1400","ip_version":4}],"device_id":"d","device_owner":"o","port_security_enabled":true,"admin_state_up":true,"binding:vnic_type":"normal","dns_name":"n"}}"""],
        ["POST /v2.0/subnets"] = ["""{"subnet":{"network_id":"{net}","ip_version":6,"cidr":"2001:db8::/64","gateway_ip":"2001:db8::1","allocation_pools":[{"start":"2001:db8::10","end":"2001:db8::20"}],"dns_nameservers":["2001:db8::53"],"host_routes":[{"destination":"2001:db8:1::/64","nexthop":"2001:db8::9"}],"ipv6_address_mode":"slaac","ipv6_ra_mode":"slaac","enable_dhcp":true}}"""],
        ["POST /v2.0/security-group-rules"] = ["""{"security_group_rule":{"security_group_id":"{group}","direction":"ingress","ethertype":"IPv4","protocol":"tcp","port_range_min":1,"port_range_max":2,"remote_ip_prefix":"10.0.0.0/8","remote_group_id":null}}"""],
        ["POST /v2.0/floatingips"] = ["""{"floatingip":{"floating_network_id":"{admin.ext}","port_id":"{port}","fixed_ip_address":"10.1.0.9","floating_ip_address":"198.51.100.77","subnet_id":"{admin.extsub}","dns_name":"x","qos_policy_id":null}}"""],
        ["PUT /v2.0/routers/{id}"] = ["""{"router":{"name":"r","routes":[{"destination":"10.9.0.0/16","nexthop":"10.1.0.5"}],"external_gateway_info":{"network_id":"{admin.ext}","enable_snat":true,"external_fixed_ips":[{"subnet_id":"{admin.extsub}","ip_address":"198.51.100.99"}]},"admin_state_up":true}}"""],
        ["POST /v3/{project_id}/volumes"] = ["""{"volume":{"size":2,"name":"v","volume_type":"__DEFAULT__","imageRef":"{admin.image}","snapshot_id":"{snapshot}","source_volid":"{volume}","availability_zone":"nova","metadata":{"a":"b"},"multiattach":false,"description":"d"},"OS-SCH-HNT:scheduler_hints":{"same_host":[]}}"""],
        ["POST /v3/{project_id}/volumes/{id}/action"] = ["""{"os-extend":{"new_size":3}}""", """{"os-set_bootable":{"bootable":true}}""", """{"os-reset_status":{"status":"error"}}""", """{"os-volume_upload_image":{"image_name":"i","disk_format":"raw","container_format":"bare","force":true}}""", """{"os-retype":{"new_type":"x","migration_policy":"never"}}""", """{"os-update_readonly_flag":{"readonly":true}}"""],
        ["POST /v3/{project_id}/attachments"] = ["""{"attachment":{"volume_uuid":"{volume}","instance_uuid":"{server}","connector":{"host":"h","initiator":"i","mode":"rw"}}}"""],
        ["POST /v1/webhooks"] = ["""{"webhook":{"url":"https://hook.example/in","kinds":["compute.server"],"types":["cloud.serverless.*"],"subjects":["{server}"],"name":"n","all_projects":false}}"""],
        ["POST /v1/prices"] = ["""{"valid_from":"2040-01-01T00:00:00Z","currency":"EUR","places":2,"prices":[{"meter":"volume.gib","unit":"GiB-hour","price":1,"free":10,"tiers":[{"up_to":100,"price":0.5},{"price":0.1}]},{"meter":"floatingip","unit":"hour","price":1}],"discounts":[{"project":"{project}","percent":10}]}"""],
        ["POST /v1/metric"] = ["""{"archive_policy_name":"low","name":"n","unit":"B","resource_id":"{nothing}"}"""],
        ["POST /v1/archive_policy"] = ["""{"name":"p","back_window":3,"aggregation_methods":["mean","-sum","95pct","rate:last"],"definition":[{"granularity":"1s","points":60,"timespan":"1 minute"},{"granularity":60}]}"""],
        ["POST /v1/resource/{type}"] = ["""{"id":"x","user_id":"u","project_id":"{project}","started_at":"2030-01-01T00:00:00","ended_at":null,"metrics":{"cpu":{"archive_policy_name":"low"}}}"""],
        ["POST /v1/search/resource/{type}"] = ["""{"and":[{"=":{"id":"x"}},{"not":{"in":{"user_id":["a"]}}},{"or":[{"like":{"project_id":"a%"}},{">=":{"started_at":"2030-01-01"}}]}]}"""],
        ["POST /v1/search/metric"] = ["""{"or":[{"gt":5},{"and":[{">=":1},{"<":[{"%":2},7]}]}]}"""],
        ["POST /v1/aggregates"] = ["""{"operations":["*",["+",1,["aggregate","mean",["metric","cpu","mean"]]],["resample","mean",60,["rolling","sum",2,["metric","x","mean"]]]],"search":{"=":{"id":"x"}},"resource_type":"generic"}""", """{"operations":"(max (metric (cpu mean) (x mean)))"}"""],
        ["POST /v1/batch/metrics/measures"] = ["""{"{nothing}":[{"timestamp":"2030-01-01T00:00:00","value":1.5},{"timestamp":1900000000.25,"value":"3"}]}"""],
        ["POST /v1/batch/resources/metrics/measures"] = ["""{"x":{"cpu":{"archive_policy_name":"low","measures":[{"timestamp":"now","value":1}]}}}"""],
        ["POST /v2/alarms"] =
        [
            """{"name":"a","type":"composite","composite_rule":{"and":[{"type":"gnocchi_resources_threshold","metric":"cpu","resource_id":"{server}","resource_type":"instance","aggregation_method":"mean","threshold":1,"granularity":300},{"or":[{"type":"gnocchi_aggregation_by_metrics_threshold","metrics":["x"],"threshold":2,"aggregation_method":"max"}]}]},"alarm_actions":["https://x.example"],"severity":"low","repeat_actions":true}""",
            """{"name":"e","type":"event","event_rule":{"event_type":"compute.*","query":[{"field":"traits.id","op":"eq","value":"x","type":"string"}]}}""",
        ],
    };

    public IReadOnlyList<string> Words { get; } = [.. Words0(belongings).Concat(Slices.All.SelectMany(s => s.Routes).SelectMany(r => r.Shape?.Fields ?? []).Select(f => f.Wire)).Distinct()];

    private static IEnumerable<string> Words0(IReadOnlyDictionary<string, Belongings> belongings) =>
        belongings.Values.SelectMany(b => b.Ids.Values).Concat(["id", "name", "limit", "marker", "sort", "sort_key", "sort_dir", "fields", "page_reverse", "all_tenants", "changes-since", "status", "prefix", "delimiter", "end_marker", "reverse", "format", "versionId", "uploads", "uploadId", "partNumber", "multipart-manifest", "extract-archive", "bulk-delete", "temp_url_sig", "temp_url_expires", "symlink", "filter", "start", "stop", "granularity", "aggregation", "resample", "groupby", "attrs", "details", "begin", "end", "type", "cursor", "outcome", "q", "admin", "default", "*"]);

    public async Task<IReadOnlyList<string>> Of(Slice slice, Route route, string path)
    {
        var found = new List<string>();
        if (belongings[slice.Prefix].Body(route) is { } sense) found.Add(sense);
        if (route.Shape is { } shape && route.Method is "POST" or "PUT" or "PATCH" && route.Shape is not null) found.Add(JsonSerializer.Serialize(new Dictionary<string, object> { [route.Shape.Name] = route.Shape.Fields.ToDictionary(f => f.Wire, f => Sample(f)) }));
        if (Written.TryGetValue($"{route.Method} {route.Path}", out var written)) found.AddRange(written.Select(scene.Fill));
        if (route.Method is "POST" or "PUT" or "PATCH" && (await scene.Cloud.Send("GET", path, user: "ann")) is { Status: 200, Text: ['{', ..] or ['[', ..] } shown) found.Add(shown.Text);
        return found.Count > 0 ? found : ["{}"];
    }

    private static object? Sample(ShapeField f)
    {
        var type = Nullable.GetUnderlyingType(f.Property.PropertyType) ?? f.Property.PropertyType;
        return type == typeof(bool) ? true : type == typeof(int) || type == typeof(long) ? 1 : type == typeof(string) ? "x" : type.IsArray ? Array.Empty<int>() : type == typeof(DateTimeOffset) ? "2030-01-01T00:00:00Z" : null;
    }
}
