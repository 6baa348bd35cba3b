using System.Text.Json;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Sagas;

/// <summary>A cloud together with the ids of what a scenario made in it. Makes things through the public API.</summary>
public sealed class Stage(TestCloud cloud, Dictionary<string, string> ids)
{
    public TestCloud Cloud => cloud;
    public Dictionary<string, string> Ids => ids;
    public string this[string name] => ids[name];

    /// <summary>A project with a network, an image and a server that runs.</summary>
    public static async Task<Stage> Running()
    {
        var s = new Stage(await TestCloud.Start(), []);
        await s.Project();
        await s.Net();
        await s.Image();
        await s.Server();
        return s;
    }

    public Stage Copy(IReadOnlyList<Platform.Slice>? slices = null, Func<MemoryStore, Platform.State.IEntityStore>? wrap = null, bool midway = false) => new(cloud.Copy(slices, wrap, midway: midway), new(ids));

    public Task<Answer> Send(string method, string path, object? body = null) => cloud.Send(method, path, body);

    /// <summary>Sends what must work, remembers the new id under <paramref name="name"/>, and lets everything come to its end.</summary>
    public async Task Make(string name, string path, string one, object body)
    {
        ids[name] = Good(await Send("POST", path, body)).Id(one);
        await cloud.Drain();
    }

    public static Answer Good(Answer a) => a.Status < 300 ? a : throw new InvalidOperationException($"{a.Status} {a.Text}");

    public string Volumes => $"/volume/v3/{ids["project"]}/volumes";
    public string Snapshots => $"/volume/v3/{ids["project"]}/snapshots";

    public async Task<string> StatusOf(string kind, string name)
    {
        var path = kind switch
        {
            "server" => $"/compute/v2.1/servers/{ids[name]}",
            "volume" => $"{Volumes}/{ids[name]}",
            "snapshot" => $"{Snapshots}/{ids[name]}",
            _ => $"/network/v2.0/{kind}s/{ids[name]}",
        };
        var a = await Send("GET", path);
        return a.Status == 404 ? "gone" : Good(a).Body.GetProperty(kind).GetProperty("status").GetString()!;
    }

    public async Task<JsonElement> Show(string path, string one) => Good(await Send("GET", path)).Body.GetProperty(one);

    public async Task Project() =>
        ids["project"] = (await Show("/identity/v3/projects?name=admin", "projects"))[0].GetProperty("id").GetString()!;

    public async Task Net()
    {
        await Make("net", "/network/v2.0/networks", "network", new { network = new { name = "n" } });
        await Make("subnet", "/network/v2.0/subnets", "subnet", new { subnet = new { network_id = ids["net"], ip_version = 4, cidr = "10.1.0.0/24" } });
    }

    public Task Port(string name) => Make(name, "/network/v2.0/ports", "port", new { port = new { network_id = ids["net"] } });

    public async Task Image()
    {
        await Make("image", "/image/v2/images", "", new { name = "tiny", disk_format = "raw", container_format = "bare" });
        Good(await cloud.Send("PUT", $"/image/v2/images/{ids["image"]}/file", new string('x', 1024), headers: ("Content-Type", "application/octet-stream")));
    }

    public Task Volume(string name = "volume", object? more = null) => Make(name, Volumes, "volume", new { volume = more ?? new { size = 1 } });

    public Task Server(string name = "server", object? networks = null) => Make(name, "/compute/v2.1/servers", "server", ServerBody(networks));

    public object ServerBody(object? networks = null, object[]? volumes = null) => new
    {
        server = new { name = "s", flavorRef = "1", imageRef = ids["image"], networks = networks ?? new[] { new { uuid = ids["net"] } }, block_device_mapping_v2 = volumes ?? [] },
    };

    /// <summary>An external network, a router between it and the network, and a floating IP that is bound to nothing yet.</summary>
    public async Task Outside()
    {
        await Make("ext", "/network/v2.0/networks", "network", new Dictionary<string, object> { ["network"] = new Dictionary<string, object> { ["name"] = "ext", ["router:external"] = true } });
        await Make("extsub", "/network/v2.0/subnets", "subnet", new { subnet = new { network_id = ids["ext"], ip_version = 4, cidr = "198.51.100.0/24", enable_dhcp = false } });
        await Make("router", "/network/v2.0/routers", "router", new { router = new { name = "r", external_gateway_info = new { network_id = ids["ext"] } } });
        Good(await Send("PUT", $"/network/v2.0/routers/{ids["router"]}/add_router_interface", new { subnet_id = ids["subnet"] }));
        await Make("fip", "/network/v2.0/floatingips", "floatingip", new { floatingip = new { floating_network_id = ids["ext"] } });
        await cloud.Drain();
    }

    public async Task<string> PortOf(string server) =>
        (await Show($"/network/v2.0/ports?device_id={ids[server]}", "ports"))[0].GetProperty("id").GetString()!;

    public async Task Bind(string server = "server") { Good(await BindRequest(server)); await cloud.Drain(); }

    public async Task<Answer> BindRequest(string server = "server") =>
        await Send("PUT", $"/network/v2.0/floatingips/{ids["fip"]}", new { floatingip = new { port_id = await PortOf(server) } });
}
