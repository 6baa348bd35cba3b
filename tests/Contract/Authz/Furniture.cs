using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Contract.Authz;

/// <summary>Makes what the paths of each service name, all that can be Ann's hers.</summary>
public static partial class Furniture
{
    public static async Task<IReadOnlyDictionary<string, Belongings>> Of(Scene scene)
    {
        var (ann, project) = (await scene.Cloud.IdOf("users", "ann"), scene["ann.project"]);
        await scene.Do("ann", "PUT", $"/object-store/v1/AUTH_{project}/shelf");
        await scene.Do("ann", "PUT", $"/object-store/v1/AUTH_{project}/shelf/book", "text", ("Content-Length", "4"));
        return new Dictionary<string, Belongings>
        {
            ["identity"] = await Identity(scene, ann, project),
            ["image"] = await Image(scene, project),
            ["object-store"] = new(new() { ["v1"] = "AUTH_" + project, ["container"] = "shelf", ["object"] = "book" }, new() { ["v1"] = new(project) }, []),
            ["network"] = await Network(scene, project),
            ["compute"] = await Compute(scene, ann, project),
            ["volume"] = await Volume(scene, project),
            ["placement"] = new(new() { ["resource_providers"] = await Provider(scene), ["allocations"] = scene["ann.server"] }, [], []),
            ["events"] = await Events(scene, project),
            ["metering"] = new([], [], []),
            ["billing"] = await Billing(scene, project),
            ["rating"] = await Rating(scene),
            ["metric"] = await Metric(scene, project),
            ["alarming"] = await Alarming(scene, project),
            ["ops"] = new(new() { ["alerts"] = await Alert(scene), ["dead-letters"] = "nowhere", ["id"] = await Lost(scene), ["hosts"] = "sim-1" }, [], []),
            // A signature says whose buckets are meant: everybody asks for his own.
            ["s3"] = new(new() { ["bucket"] = "shelf", ["key"] = "book" }, new() { ["bucket"] = new(project) }, []) { Queries = { ["POST bucket"] = "?delete", ["POST key"] = "?uploads" } },
        };
    }

    private static async Task<Belongings> Identity(Scene scene, string ann, string project)
    {
        const string root = "/identity/v3";
        async Task<string> Make(string path, string one, string body, string user = "admin")
        {
            await scene.Make(user, "made", one, root + path, body);
            return scene[user + ".made"];
        }
        async Task<JsonElement> Read(string path) => (await scene.Do("ann", "GET", root + path)).Body;
        var (group, role, other, region) = (await Make("/groups", "group", """{"group":{"name":"crew"}}"""), await Make("/roles", "role", """{"role":{"name":"helper"}}"""), await Make("/roles", "role", """{"role":{"name":"other"}}"""), await Make("/regions", "region", """{"region":{}}"""));
        var (empty, elsewhere) = (await Make("/regions", "region", """{"region":{}}"""), await Make("/domains", "domain", """{"domain":{"name":"elsewhere","enabled":false}}"""));
        var service = await Make("/services", "service", """{"service":{"type":"t"}}""");
        var endpoint = await Make("/endpoints", "endpoint", $$"""{"endpoint":{"service_id":"{{service}}","interface":"public","url":"http://x","region_id":"{{region}}"} }""");
        var (policy, endpoints) = (await Make("/policies", "policy", """{"policy":{"type":"t","blob":"{}"}}"""), await Make("/OS-EP-FILTER/endpoint_groups", "endpoint_group", """{"endpoint_group":{"name":"g","filters":{}}}"""));
        foreach (var path in (string[])[$"/groups/{group}/users/{ann}", $"/projects/{project}/users/{ann}/roles/{role}", $"/projects/{project}/groups/{group}/roles/{role}", $"/domains/{elsewhere}/users/{ann}/roles/{role}", $"/domains/{elsewhere}/groups/{group}/roles/{role}",
            $"/system/users/{ann}/roles/{role}", $"/system/groups/{group}/roles/{role}", $"/OS-INHERIT/projects/{project}/users/{ann}/roles/{role}/inherited_to_projects", $"/OS-INHERIT/projects/{project}/groups/{group}/roles/{role}/inherited_to_projects",
            $"/OS-INHERIT/domains/{elsewhere}/users/{ann}/roles/{role}/inherited_to_projects", $"/OS-INHERIT/domains/{elsewhere}/groups/{group}/roles/{role}/inherited_to_projects",
            $"/policies/{policy}/OS-ENDPOINT-POLICY/endpoints/{endpoint}", $"/policies/{policy}/OS-ENDPOINT-POLICY/services/{service}", $"/policies/{policy}/OS-ENDPOINT-POLICY/services/{service}/regions/{empty}", $"/OS-EP-FILTER/endpoint_groups/{endpoints}/projects/{project}",
            $"/roles/{role}/implies/{other}", $"/projects/{project}/tags/a-tag", $"/OS-EP-FILTER/projects/{project}/endpoints/{endpoint}"])
            await scene.Do("admin", "PUT", root + path);
        const string federation = root + "/OS-FEDERATION";
        await scene.Do("admin", "PUT", federation + "/mappings/a-mapping", """{"mapping":{"rules":[{"local":[{"user":{"name":"{0}"}}],"remote":[{"type":"name"}]}]}}""");
        await scene.Do("admin", "PUT", federation + "/identity_providers/idp", """{"identity_provider":{}}""");
        await scene.Do("admin", "PUT", federation + "/identity_providers/idp/protocols/openid", """{"protocol":{"mapping_id":"a-mapping"}}""");
        await scene.Do("admin", "PUT", federation + "/service_providers/sp", """{"service_provider":{"auth_url":"https://sp.example/auth","sp_url":"https://sp.example"}}""");
        await scene.Do("admin", "PUT", $"{root}/domains/{elsewhere}/config", """{"config":{"ldap":{"url":"x"}}}""");
        var limit = $$"""{"service_id":"{{service}}","resource_name":"r",""";
        await scene.Do("admin", "POST", root + "/registered_limits", $$"""{"registered_limits":[{{limit}}"default_limit":1},{"service_id":"{{service}}","resource_name":"unused","default_limit":1}]}""");
        await scene.Do("admin", "POST", root + "/limits", $$"""{"limits":[{{limit}}"project_id":"{{project}}","resource_limit":2}]}""");
        var credentials = $"/users/{ann}/application_credentials";
        // A rule outlives the credential that it was made for.
        await scene.Do("ann", "DELETE", $"{root}{credentials}/{await Make(credentials, "application_credential", """{"application_credential":{"name":"gone","access_rules":[{"service":"image","method":"GET","path":"/v2/images"}]}}""", "ann")}");
        var credential = await Make(credentials, "application_credential", """{"application_credential":{"name":"kept"}}""", "ann");
        await scene.Do("ann", "POST", $"{root}/users/{ann}/credentials/OS-EC2", $$"""{"tenant_id":"{{project}}"}""");
        var consumer = await OAuthConsumer.Make(scene.Cloud, project);
        return new(
            new()
            {
                ["users"] = ann, ["projects"] = project, ["groups"] = group, ["roles"] = role, ["implies"] = other, ["domains"] = elsewhere, ["regions"] = empty, ["services"] = service, ["endpoints"] = endpoint, ["policies"] = policy,
                ["endpoint_groups"] = endpoints, ["config"] = "ldap", ["option"] = "url", ["security_compliance"] = "password_regex", ["tags"] = "a-tag", ["application_credentials"] = credential,
                ["identity_providers"] = "idp", ["protocols"] = "openid", ["mappings"] = "a-mapping", ["service_providers"] = "sp",
                ["access_tokens"] = (await consumer.Access("ann", "helper")).Id, ["authorize"] = (await consumer.Wish()).Id,
                ["consumers"] = await Make("/OS-OAUTH1/consumers", "consumer", """{"consumer":{}}"""),
                ["trusts"] = await Make("/OS-TRUST/trusts", "trust", $$"""{"trust":{"trustor_user_id":"{{ann}}","trustee_user_id":"{{await scene.Cloud.IdOf("users", "demo")}}","project_id":"{{project}}","impersonation":false,"roles":[{"id":"{{role}}"}]} }""", "ann"),
                ["credentials"] = await Make("/credentials", "credential", """{"credential":{"type":"t","blob":"b"}}""", "ann"),
                ["access_rules"] = (await Read($"/users/{ann}/access_rules")).GetProperty("access_rules")[0].GetProperty("id").GetString()!,
                ["OS-EC2"] = (await Read($"/users/{ann}/credentials/OS-EC2")).GetProperty("credentials")[0].GetProperty("access").GetString()!,
                ["registered_limits"] = (await Read("/registered_limits?resource_name=unused")).GetProperty("registered_limits")[0].GetProperty("id").GetString()!,
                ["limits"] = (await Read("/limits")).GetProperty("limits")[0].GetProperty("id").GetString()!,
            },
            new() { ["users"] = new(null, ann, "default"), ["projects"] = new(project, null, "default"), ["groups"] = new(null, null, "default"), ["domains"] = new(null, null, elsewhere), ["trusts"] = new(null, ann), ["credentials"] = new(null, ann), ["limits"] = new(project, null, "default") },
            new() { ["POST credentials"] = """{"credential":{"type":"t","blob":"b"}}""", ["POST trusts"] = $$"""{"trust":{"trustor_user_id":"{{ann}}","trustee_user_id":"{{ann}}","impersonation":false} }""" });
    }

    private static async Task<Belongings> Network(Scene scene, string project)
    {
        var ids = new Dictionary<string, string>
        {
            ["networks"] = scene["ann.net"], ["subnets"] = scene["ann.subnet"], ["ports"] = scene["ann.port"], ["routers"] = scene["ann.router"], ["floatingips"] = scene["ann.fip"], ["security-groups"] = scene["ann.group"], ["security-group-rules"] = scene["ann.rule"],
            ["network-ip-availabilities"] = scene["ann.net"], ["quotas"] = project, ["tags"] = "a-tag", ["extensions"] = "router", ["agents"] = (await scene.Cloud.Send("GET", "/network/v2.0/agents")).Body.GetProperty("agents")[0].GetProperty("id").GetString()!,
        };
        foreach (var many in (string[])["networks", "subnets", "ports", "routers", "floatingips", "security-groups"]) await scene.Do("ann", "PUT", $"/network/v2.0/{many}/{ids[many]}/tags/a-tag");
        return new(ids, ids.Where(i => i.Key is not ("tags" or "extensions" or "agents")).ToDictionary(i => i.Key, _ => new Target(project)), new()
        {
            ["PUT ports"] = """{"port":{}}""", ["PUT routers"] = """{"router":{}}""", ["PUT tags"] = """{"tags":["a-tag"]}""", ["PUT add_router_interface"] = scene.Fill("""{"port_id":"{port}"}"""), ["PUT remove_router_interface"] = scene.Fill("""{"subnet_id":"{subnet}"}"""),
            ["PUT add_extraroutes"] = """{"router":{"routes":[]}}""", ["PUT remove_extraroutes"] = """{"router":{"routes":[]}}""",
        })
        { Never = ["subnetpools", "address-scopes", "rbac-policies", "trunks", "policies", "service-providers"] };
    }

    private static async Task<Belongings> Compute(Scene scene, string ann, string project)
    {
        const string server = "/compute/v2.1/servers/{ann.server}";
        await scene.Do("ann", "PUT", server + "/tags", """{"tags":["a-tag"]}""", ("OpenStack-API-Version", "compute 2.93"));
        await scene.Do("admin", "POST", "/compute/v2.1/flavors/1/os-extra_specs", """{"extra_specs":{"k":"v"}}""");
        var request = (await scene.Do("ann", "GET", server + "/os-instance-actions")).Body.GetProperty("instanceActions")[0].GetProperty("request_id").GetString()!;
        var service = (await scene.Cloud.Send("GET", "/compute/v2.1/os-services", null, "admin", ("OpenStack-API-Version", "compute 2.93"))).Body.GetProperty("services")[0].GetProperty("id").GetString()!;
        var host = (await scene.Cloud.Send("GET", "/compute/v2.1/os-hypervisors", null, "admin", ("OpenStack-API-Version", "compute 2.93"))).Body.GetProperty("hypervisors")[0].GetProperty("id").GetString()!;
        return new(
            new()
            {
                ["servers"] = scene["ann.server"], ["flavors"] = "1", ["os-extra_specs"] = "k", ["os-keypairs"] = "ann", ["os-quota-sets"] = project, ["os-quota-class-sets"] = "default", ["os-hosts"] = "sim-1", ["os-hypervisors"] = host, ["os-services"] = service,
                ["metadata"] = "k", ["tags"] = "a-tag", ["ips"] = "net", ["os-instance-actions"] = request, ["os-interface"] = scene["ann.nic"], ["os-volume_attachments"] = scene["ann.attached"], ["migrations"] = "a-migration", ["shares"] = "a-share",
            },
            new() { ["servers"] = new(project), ["os-quota-sets"] = new(project), ["os-keypairs"] = new(null, ann) },
            new() { ["POST servers"] = scene.Fill("""{"server":{"name":"s","flavorRef":"1","imageRef":"{admin.image}","networks":"none"}}"""), ["POST os-keypairs"] = """{"keypair":{"name":"k"}}""" })
        {
            Never = ["os-server-groups", "extensions", "os-cells", "os-floating-ip-dns", "entries", "os-fping", "os-floating-ips-bulk", "os-security-group-default-rules", "consoles"],
            Gone = ["/consoles", "/os-virtual-interfaces"], Waits = ["os-getConsoleOutput"], Newest = "compute 2.93", Also = r => Sensible(scene, r),
        };
    }

    private static async Task<Belongings> Volume(Scene scene, string project)
    {
        const string root = "/volume/v3/{ann.project}";
        await scene.Do("ann", "POST", root + "/snapshots/{ann.snapshot}/metadata", """{"metadata":{"k":"v"}}""");
        await scene.Do("ann", "POST", root + "/volumes/{ann.volume}/action", """{"os-set_image_metadata":{"metadata":{"a":"b"}}}""");
        var attachment = (await scene.Do("ann", "GET", root + "/attachments", null, ("OpenStack-API-Version", "volume 3.70"))).Body.GetProperty("attachments")[0].GetProperty("id").GetString()!;
        var host = (await scene.Cloud.Send("GET", scene.Fill("/volume/v3/{admin.project}/os-hosts"))).Body.GetProperty("hosts")[0].GetProperty("host_name").GetString()!;
        var type = (await scene.Cloud.Send("GET", scene.Fill("/volume/v3/{admin.project}/types"))).Body.GetProperty("volume_types")[0].GetProperty("id").GetString()!;
        await scene.Do("admin", "POST", $"/volume/v3/{{admin.project}}/types/{type}/extra_specs", """{"extra_specs":{"k":"v"}}""");
        return new(
            new()
            {
                ["volumes"] = scene["ann.volume"], ["snapshots"] = scene["ann.snapshot"], ["attachments"] = attachment, ["metadata"] = "k", ["types"] = type, ["extra_specs"] = "k", ["os-quota-sets"] = project, ["os-quota-class-sets"] = "default", ["os-hosts"] = host,
            },
            new() { ["volumes"] = new(project), ["snapshots"] = new(project), ["attachments"] = new(project), ["os-quota-sets"] = new(project) },
            new() { ["POST volumes"] = """{"volume":{"size":1}}""", ["POST snapshots"] = scene.Fill("""{"snapshot":{"volume_id":"{volume}"}}""") })
        {
            Never = ["backups", "groups", "group_snapshots", "group_types", "consistencygroups", "cgsnapshots", "os-volume-transfer", "volume-transfers", "qos-specs", "manageable_volumes", "manageable_snapshots", "clusters", "messages"],
            Newest = "volume 3.70", Also = r => Sensible(scene, r),
        };
    }

    private static string? Sensible(Scene scene, Cloud.Platform.Rest.Route r) => r.Action == "removeSecurityGroup" ? """{"removeSecurityGroup":{"name":"default"}}""" : Attacks.OtherProjectsTests.Bodies.ContainsKey(r.Action ?? $"{r.Method} {r.Path}") || r.Path.EndsWith("/metadata", StringComparison.Ordinal) || r.Path.EndsWith("/metadata/{key}", StringComparison.Ordinal) ? scene.Fill(Attacks.OtherProjectsTests.Body(r)!) : null;

    private static async Task<string> Provider(Scene scene) => (await scene.Cloud.Send("GET", "/placement/resource_providers")).Body.GetProperty("resource_providers")[0].GetProperty("uuid").GetString()!;

    private static async Task<Belongings> Events(Scene scene, string project)
    {
        await scene.Make("ann", "hook", "webhook", "/events/v1/webhooks", """{"webhook":{"url":"https://hooks.example/ann"}}""");
        var told = (await scene.Do("ann", "GET", "/events/v1/events?limit=1")).Body[0].GetProperty("id").GetString()!;
        return new(new() { ["events"] = told, ["webhooks"] = scene["ann.hook"], ["deliveries"] = "99999999", ["keys"] = "a-key", ["subscriptions"] = "a-subscription", ["quotas"] = project }, new() { ["events"] = new(project), ["webhooks"] = new(project) }, new() { ["PUT retention"] = """{"days":30}""", ["PUT quotas"] = """{"quotas":{"webhooks":30}}""" });
    }

    /// <summary>A message that was given up.</summary>
    private static async Task<string> Lost(Scene scene)
    {
        var bus = scene.Cloud.Services.Bus;
        await bus.Send([new("nowhere", "lost", default)]);
        foreach (var message in await bus.Receive("nowhere", 1, TimeSpan.FromMinutes(1), TimeSpan.Zero)) await bus.Reject(message, "nobody takes it");
        return "lost";
    }

    private static async Task<string> Alert(Scene scene)
    {
        await scene.Cloud.Services.Bus.Send([Cloud.Platform.Events.CloudEvent.Alert(scene.Cloud.Services, "object-lost", "x", "", "text")]);
        await scene.Cloud.Drain();
        return (await scene.Cloud.Send("GET", "/ops/v1/alerts")).Body.GetProperty("alerts")[0].GetProperty("id").GetString()!;
    }

    private static async Task<Belongings> Image(Scene scene, string project)
    {
        const string root = "/image/v2";
        await scene.Make("ann", "photo", "", root + "/images", """{"name":"photo","disk_format":"raw","container_format":"bare","visibility":"shared"}""");
        await scene.Do("ann", "PUT", root + "/images/{photo}/stage", "bytes", ("Content-Type", "application/octet-stream"));
        await scene.Do("ann", "POST", root + "/images/{photo}/import", """{"method":{"name":"glance-direct"}}""");
        await scene.Do("ann", "POST", root + "/images/{photo}/members", """{"member":"friend"}""");
        await scene.Do("ann", "PUT", root + "/images/{photo}/tags/a-tag");
        await scene.Do("admin", "POST", root + "/metadefs/namespaces", """{"namespace":"words","owner":"{project}","visibility":"private"}""");
        foreach (var (part, body) in new[] { ("objects", """{"name":"a-name"}"""), ("properties", """{"name":"a-name","title":"t","type":"string"}"""), ("tags/a-tag", "{}"), ("resource_types", """{"name":"a-name"}""") })
            await scene.Do("admin", "POST", $"{root}/metadefs/namespaces/words/{part}", body);
        await scene.Do("admin", "PUT", root + "/cache/{ann.photo}");
        var task = (await scene.Do("ann", "GET", root + "/images/{photo}/tasks")).Body.GetProperty("tasks")[0].GetProperty("id").GetString()!;
        return new(
            new()
            {
                ["images"] = scene["ann.photo"], ["host-images"] = scene["ann.photo"], ["image_id"] = scene["ann.photo"], ["cache"] = scene["ann.photo"], ["members"] = "friend", ["tags"] = "a-tag", ["stores"] = "file", ["tasks"] = task,
                ["namespaces"] = "words", ["objects"] = "a-name", ["properties"] = "a-name", ["resource_types"] = "a-name", ["schemas"] = "image", ["metadefs"] = "namespace",
            },
            new() { ["images"] = new(project), ["image_id"] = new(project), ["namespaces"] = new(project) },
            new() { ["PATCH images"] = """[{"op":"replace","path":"/name","value":"x"}]""", ["POST members"] = """{"member":"x"}""", ["PUT members"] = """{"status":"accepted"}""", ["POST import"] = """{"method":{"name":"glance-direct"}}""" });
    }
}
