using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;

namespace Cloud.Tests.Simulation;

/// <summary>The cloud that every seed begins with: two projects with a network each, an image, an external network.</summary>
public sealed class Beginning
{
    private static readonly Lazy<Task<Beginning>> s_ready = new(Make);

    private Beginning(TestCloud cloud) => Cloud = cloud;

    public static Task<Beginning> Ready => s_ready.Value;

    public TestCloud Cloud { get; }
    public Dictionary<string, string> Tokens { get; } = [];
    /// <summary>By user: what there is, by name.</summary>
    public Dictionary<string, IReadOnlyDictionary<string, string>> Ids { get; } = [];

    private static async Task<Beginning> Make()
    {
        var cloud = await TestCloud.Seeded(c => new SeededIds(c, 0));
        var begun = new Beginning(cloud);
        var admin = new Stage(cloud, []);
        await admin.Make("ext", "/network/v2.0/networks", "network", new Dictionary<string, object> { ["network"] = new Dictionary<string, object> { ["name"] = "ext", ["router:external"] = true } });
        await admin.Make("extsub", "/network/v2.0/subnets", "subnet", new { subnet = new { network_id = admin["ext"], ip_version = 4, cidr = "198.51.100.0/24", enable_dhcp = false } });
        await admin.Make("image", "/image/v2/images", "", new { name = "tiny", disk_format = "raw", container_format = "bare", visibility = "public" });
        Stage.Good(await cloud.Send("PUT", $"/image/v2/images/{admin["image"]}/file", new string('x', 1024), headers: ("Content-Type", "application/octet-stream")));
        foreach (var user in new[] { "admin", "demo" })
        {
            begun.Tokens[user] = await cloud.Token(user);
            async Task<string> Made(string path, string one, object body) => Stage.Good(await cloud.Send("POST", path, body, user)).Id(one);
            var net = await Made("/network/v2.0/networks", "network", new { network = new { name = "n" } });
            var subnet = await Made("/network/v2.0/subnets", "subnet", new { subnet = new { network_id = net, ip_version = 4, cidr = "10.1.0.0/24" } });
            var project = (await admin.Show($"/identity/v3/projects?name={user}", "projects"))[0].GetProperty("id").GetString()!;
            var group = Stage.Good(await cloud.Send("GET", $"/network/v2.0/security-groups?name=default&project_id={project}", user: user)).Body.GetProperty("security_groups")[0].GetProperty("id").GetString()!;
            begun.Ids[user] = new Dictionary<string, string> { ["project"] = project, ["net"] = net, ["subnet"] = subnet, ["group"] = group, ["image"] = admin["image"], ["ext"] = admin["ext"] };
        }
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(60));
        return begun;
    }
}
