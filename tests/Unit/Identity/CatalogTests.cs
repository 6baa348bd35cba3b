using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

public sealed class CatalogTests
{
    [Fact]
    public async Task Policies_bound_at_the_same_moment_both_stay()
    {
        await using var cloud = await TestCloud.Start();
        var policy = await cloud.Make("policies", "policy", new { blob = "{}", type = "t" });
        var (one, other) = (await cloud.Make("services", "service", new { type = "one" }), await cloud.Make("services", "service", new { type = "other" }));
        string To(string service) => $"/identity/v3/policies/{policy}/OS-ENDPOINT-POLICY/services/{service}";
        cloud.Store.OnCommit = after =>
        {
            cloud.Store.OnCommit = null;
            Assert.Equal(204, cloud.Send("PUT", To(other)).GetAwaiter().GetResult().Status);
        };
        Assert.Equal((204, 204, 204), ((await cloud.Send("PUT", To(one))).Status, (await cloud.Send("GET", To(one))).Status, (await cloud.Send("GET", To(other))).Status));
        Assert.Equal(policy, (await cloud.Send("GET", $"/identity/v3/policies/{policy}/OS-ENDPOINT-POLICY/policy")).Id("policy"));
    }

    [Fact]
    public async Task The_nearest_policy_is_an_endpoints_own()
    {
        await using var cloud = await TestCloud.Start();
        async Task<string> Policy(string type) => await cloud.Make("policies", "policy", new { blob = "{}", type });
        var (own, near, wide) = (await Policy("own"), await Policy("near"), await Policy("wide"));
        await cloud.Make("regions", "region", new { id = "north" });
        await cloud.Make("regions", "region", new { id = "north-1", parent_region_id = "north" });
        var service = await cloud.Make("services", "service", new { type = "thing" });
        async Task<string> Endpoint(string? region) => await cloud.Make("endpoints", "endpoint", new { service_id = service, @interface = "public", url = "http://x", region_id = region });
        var (inside, outside, first) = (await Endpoint("north-1"), await Endpoint(null), await Endpoint("north"));
        async Task Bind(string policy, string to) => Assert.Equal(204, (await cloud.Send("PUT", $"/identity/v3/policies/{policy}/OS-ENDPOINT-POLICY/{to}")).Status);
        async Task<string> Of(string endpoint) => (await cloud.Send("GET", $"/identity/v3/endpoints/{endpoint}/OS-ENDPOINT-POLICY/policy")) is { Status: 200 } a ? a.Id("policy") : "";
        Assert.Equal("", await Of(inside));
        await Bind(near, "services/" + service); // replaced by the next
        await Bind(wide, "services/" + service);
        await Bind(near, $"services/{service}/regions/north");
        await Bind(own, "endpoints/" + first);
        Assert.Equal((near, wide, own), (await Of(inside), await Of(outside), await Of(first)));
        Assert.Equal(inside, Assert.Single((await cloud.Send("GET", $"/identity/v3/policies/{near}/OS-ENDPOINT-POLICY/endpoints")).Body.GetProperty("endpoints").EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal((204, 404), ((await cloud.Send("GET", $"/identity/v3/policies/{wide}/OS-ENDPOINT-POLICY/services/{service}")).Status, (await cloud.Send("GET", $"/identity/v3/policies/{near}/OS-ENDPOINT-POLICY/services/{service}")).Status));
        Assert.Equal(204, (await cloud.Send("DELETE", $"/identity/v3/policies/{near}/OS-ENDPOINT-POLICY/services/{service}/regions/north")).Status);
        Assert.Equal(wide, await Of(inside));
        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/policies/" + own)).Status);
        Assert.Equal(wide, await Of(first));
        Assert.Equal(403, (await cloud.Send("GET", $"/identity/v3/policies/{wide}/OS-ENDPOINT-POLICY/endpoints", user: "demo")).Status);
    }

    private static async Task<Dictionary<string, string>> Catalog(TestCloud cloud, string user = "demo") =>
        (await cloud.Send("GET", "/identity/v3/auth/catalog", user: user)).Body.GetProperty("catalog").EnumerateArray().Where(s => s.GetProperty("endpoints").GetArrayLength() > 0)
            .ToDictionary(s => s.GetProperty("type").GetString()!, s => s.GetProperty("endpoints")[0].GetProperty("url").GetString()!);

    [Fact]
    public async Task It_shows_what_administrators_add_with_the_callers_ids_filled_in()
    {
        await using var cloud = await TestCloud.Start();
        var service = await cloud.Make("services", "service", new { type = "dns", name = "names" });
        Assert.Equal(400, (await cloud.Send("POST", "/identity/v3/endpoints", new { endpoint = new { service_id = service, @interface = "public", url = "http://x/%(secret)s" } })).Status);
        Assert.Equal(400, (await cloud.Send("POST", "/identity/v3/endpoints", new { endpoint = new { service_id = service, @interface = "public", url = "file:///etc/passwd" } })).Status);
        Assert.Equal(400, (await cloud.Send("POST", "/identity/v3/endpoints", new { endpoint = new { service_id = "none", @interface = "public", url = "http://x" } })).Status);
        Assert.Equal(403, (await cloud.Send("POST", "/identity/v3/endpoints", new { endpoint = new { service_id = service, @interface = "public", url = "http://x" } }, "demo")).Status);
        var endpoint = await cloud.Make("endpoints", "endpoint", new { service_id = service, @interface = "public", url = "http://bills/%(project_id)s", region = "RegionTwo" });
        var catalog = await Catalog(cloud);
        Assert.Equal("http://bills/" + await cloud.IdOf("projects", "demo"), catalog["dns"]);
        Assert.Equal("http://cloud/identity/v3", catalog["identity"]);
        Assert.Equal(200, (await cloud.Send("GET", "/identity/v3/regions/RegionTwo")).Status);

        await cloud.Send("PATCH", "/identity/v3/endpoints/" + endpoint, new { endpoint = new { enabled = false } });
        Assert.DoesNotContain("dns", (await Catalog(cloud)).Keys);
        Assert.Equal(403, (await cloud.Send("DELETE", "/identity/v3/regions/RegionTwo")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/services/" + service)).Status);
        Assert.Equal(404, (await cloud.Send("GET", "/identity/v3/endpoints/" + endpoint)).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/regions/RegionTwo")).Status);
    }

    [Fact]
    public async Task A_change_is_seen_at_once_where_it_is_made_and_within_seconds_by_other_processes()
    {
        await using var cloud = await TestCloud.Start();
        var token = await cloud.Token("demo");
        var elsewhere = new Router(Composition.Services(cloud.Store, cloud.Bus, cloud.Services.Blobs, cloud.Clock, cloud.Services.Ids, cloud.Services.Settings), (_, _) => { });
        async Task<string> There()
        {
            var reply = await elsewhere.Handle(new("GET", "/identity/v3/auth/catalog", [], name => name == "X-Auth-Token" ? token : null, Stream.Null, "http://cloud"));
            using var written = new MemoryStream();
            await using (var w = new Utf8JsonWriter(written)) reply.Json!(w);
            return Encoding.UTF8.GetString(written.ToArray());
        }
        Assert.Contains("http://cloud/image", await There(), StringComparison.Ordinal);
        Assert.Contains("image", (await Catalog(cloud)).Keys);
        await cloud.Send("PATCH", "/identity/v3/services/image", new { service = new { enabled = false } });
        Assert.DoesNotContain("image", (await Catalog(cloud)).Keys);
        cloud.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.DoesNotContain("http://cloud/image", await There(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endpoints_assigned_to_a_project_are_all_that_it_sees()
    {
        await using var cloud = await TestCloud.Start();
        var demo = await cloud.IdOf("projects", "demo");
        Assert.Equal(204, (await cloud.Send("PUT", $"/identity/v3/OS-EP-FILTER/projects/{demo}/endpoints/compute-public")).Status);
        var group = await cloud.Make("OS-EP-FILTER/endpoint_groups", "endpoint_group", new { name = "images", filters = new { service_id = "image" } });
        Assert.Equal(204, (await cloud.Send("PUT", $"/identity/v3/OS-EP-FILTER/endpoint_groups/{group}/projects/{demo}")).Status);
        Assert.Equal(group, (await cloud.Send("GET", $"/identity/v3/OS-EP-FILTER/endpoint_groups/{group}/projects/{demo}")).Body.GetProperty("project_endpoint_group").GetProperty("endpoint_group_id").GetString());
        Assert.Equal(["compute", "image"], (await Catalog(cloud)).Keys.Order());
        Assert.Contains("network", (await Catalog(cloud, "admin")).Keys);
        await cloud.Send("DELETE", $"/identity/v3/OS-EP-FILTER/endpoint_groups/{group}");
        await cloud.Send("DELETE", $"/identity/v3/OS-EP-FILTER/projects/{demo}/endpoints/compute-public");
        Assert.Contains("network", (await Catalog(cloud)).Keys);
    }
}
