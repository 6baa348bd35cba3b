using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>However many ask at once, a limit of L lets L through.</summary>
public sealed class QuotaRaceTests
{
    private const int Limit = 4, Askers = 16;
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKxQx8m0UeO7yTqTn6wY6mJ8oVd3vJc3W4o6r0m3b1cE me";

    [Theory]
    [InlineData("network", "network", "/network/v2.0/networks", """{"network":{}}""", 409, "/network/v2.0/networks", "networks", 2, 1)]
    [InlineData("network", "subnet", "/network/v2.0/subnets", """{"subnet":{"network_id":"{net}","ip_version":4,"cidr":"10.N.0.0/24"}}""", 409, "/network/v2.0/subnets", "subnets", 1)]
    [InlineData("network", "port", "/network/v2.0/ports", """{"port":{"network_id":"{net}"}}""", 409, "/network/v2.0/ports", "ports", 3)]
    [InlineData("network", "router", "/network/v2.0/routers", """{"router":{}}""", 409, "/network/v2.0/routers", "routers", 1)]
    [InlineData("network", "floatingip", "/network/v2.0/floatingips", """{"floatingip":{"floating_network_id":"{admin.ext}"}}""", 409, "/network/v2.0/floatingips", "floatingips", 1)]
    [InlineData("network", "security_group", "/network/v2.0/security-groups", """{"security_group":{"name":"gN"}}""", 409, "/network/v2.0/security-groups", "security_groups", 2)]
    [InlineData("network", "security_group_rule", "/network/v2.0/security-group-rules", """{"security_group_rule":{"security_group_id":"{group}","direction":"ingress","protocol":"tcp","port_range_min":N,"port_range_max":N}}""", 409, "/network/v2.0/security-group-rules", "security_group_rules", 7)]
    [InlineData("compute", "instances", "/compute/v2.1/servers", """{"server":{"name":"s","flavorRef":"1","imageRef":"{admin.image}","networks":[{"uuid":"{net}"}]}}""", 403, "/compute/v2.1/servers", "servers", 1)]
    [InlineData("compute", "key_pairs", "/compute/v2.1/os-keypairs", """{"keypair":{"name":"kN","public_key":"KEY"}}""", 403, "/compute/v2.1/os-keypairs", "keypairs", 1)]
    [InlineData("volume", "volumes", "/volume/v3/{project}/volumes", """{"volume":{"size":1}}""", 413, "/volume/v3/{project}/volumes", "volumes", 2)]
    [InlineData("volume", "gigabytes", "/volume/v3/{project}/volumes", """{"volume":{"size":1}}""", 413, "/volume/v3/{project}/volumes", "volumes", 2, 3)]
    [InlineData("volume", "snapshots", "/volume/v3/{project}/snapshots", """{"snapshot":{"volume_id":"{volume}"}}""", 413, "/volume/v3/{project}/snapshots", "snapshots", 1)]
    public async Task Exactly_as_many_as_the_limit(string service, string resource, string target, string body, int refusal, string list, string many, int there, int? charged = null)
    {
        var scene = new Scene();
        await scene.InitializeAsync();
        await using var cloud = scene.Cloud;
        var limit = (charged ?? there) + Limit;
        var (path, one) = service switch { "network" => ("/network/v2.0/quotas/{ann.project}", "quota"), "compute" => ("/compute/v2.1/os-quota-sets/{ann.project}", "quota_set"), _ => ("/volume/v3/{admin.project}/os-quota-sets/{ann.project}", "quota_set") };
        Assert.Equal(200, (await scene.Send("PUT", path, JsonSerializer.Serialize(new Dictionary<string, object> { [one] = new Dictionary<string, int> { [resource] = limit } }), "admin")).Status);
        await cloud.Token("ann");
        Assert.Equal(there, (await scene.Send("GET", list)).Body.GetProperty(many).GetArrayLength());

        var answers = await Task.WhenAll(Enumerable.Range(1, Askers).Select(n => Task.Run(() =>
            scene.Send("POST", target, body.Replace("10.N", $"10.{100 + n}", StringComparison.Ordinal).Replace("N,", $"{1000 + n},", StringComparison.Ordinal).Replace("N}", $"{1000 + n}}}", StringComparison.Ordinal).Replace("N\"", $"{n}\"", StringComparison.Ordinal).Replace("KEY", Key, StringComparison.Ordinal)))));
        await cloud.Drain();

        Assert.Equal((Limit, Askers - Limit), (answers.Count(a => a.Status < 300), answers.Count(a => a.Status == refusal)));
        Assert.Equal(there + Limit, (await scene.Send("GET", list)).Body.GetProperty(many).GetArrayLength());
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Several_servers_in_one_request_are_all_made_or_none()
    {
        var scene = new Scene();
        await scene.InitializeAsync();
        await using var cloud = scene.Cloud;
        await scene.Send("PUT", "/compute/v2.1/os-quota-sets/{ann.project}", """{"quota_set":{"instances":4}}""", "admin");
        string Body(string counts) => $$$"""{"server":{"name":"s","flavorRef":"1","imageRef":"{admin.image}","networks":[{"uuid":"{net}"}],{{{counts}}}}}""";
        Assert.Equal(403, (await scene.Send("POST", "/compute/v2.1/servers", Body("\"min_count\":4"))).Status);
        await cloud.Drain();
        Assert.Equal(1, (await scene.Send("GET", "/compute/v2.1/servers")).Body.GetProperty("servers").GetArrayLength());
        Assert.Equal(202, (await scene.Send("POST", "/compute/v2.1/servers", Body("\"min_count\":2,\"max_count\":9"))).Status);
        await cloud.Drain();
        Assert.Equal(4, (await scene.Send("GET", "/compute/v2.1/servers")).Body.GetProperty("servers").GetArrayLength());
    }
}
