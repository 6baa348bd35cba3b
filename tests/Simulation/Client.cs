using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Simulation;

/// <summary>A tenant who asks for anything in any state, and remembers what was promised.</summary>
public sealed class Client(SimCloud cloud, string name, string token, IReadOnlyDictionary<string, string> ids)
{
    public const string Canary = "canary-4711";
    private const string Servers = "/compute/v2.1/servers", Net = "/network/v2.0";
    private readonly Dictionary<string, List<string>> _known = new() { ["server"] = [], ["volume"] = [], ["snapshot"] = [], ["port"] = [], ["floatingip"] = [], ["router"] = [], ["network"] = [ids["net"]], ["subnet"] = [ids["subnet"]], ["security_group_rule"] = [] };
    private int _made;

    /// <summary>What was accepted: kind and id of what must be there, until it was deleted.</summary>
    public HashSet<(string Kind, string Id)> Promised { get; } = [];
    public HashSet<(string Kind, string Id)> Deleted { get; } = [];
    /// <summary>Kinds of which the deletion of some was asked for, whatever was answered.</summary>
    public HashSet<string> Asked { get; } = [];
    public int Under { get; private set; }
    public int Accepted { get; private set; }
    public Dictionary<int, int> Answers { get; } = [];

    private string Volumes => $"/volume/v3/{ids["project"]}/volumes";
    private string Snapshots => $"/volume/v3/{ids["project"]}/snapshots";

    public async void Act()
    {
        Under++;
        // At first there is nothing to play with.
        await (cloud.Wheel.Chance.Next(_made++ < 12 ? 42 : 100) switch
        {
            < 16 => Create("server", Servers, Server()),
            < 22 => Create("volume", Volumes, new { volume = Volume() }),
            < 26 => Create("port", Net + "/ports", new { port = new { network_id = Any("network") } }),
            < 29 => Create("router", Net + "/routers", new { router = cloud.Wheel.Chance.Next(2) == 0 ? (object)new { name = "r" } : new { name = "r", external_gateway_info = new { network_id = ids["ext"] } } }),
            < 33 => Create("floatingip", Net + "/floatingips", new { floatingip = cloud.Wheel.Chance.Next(2) == 0 ? (object)new { floating_network_id = ids["ext"] } : new { floating_network_id = ids["ext"], port_id = Any("port") } }),
            < 36 => Create("snapshot", Snapshots, new { snapshot = new { volume_id = Any("volume"), force = true } }),
            < 38 => Create("network", Net + "/networks", new { network = new { name = "n" } }),
            < 40 => Create("subnet", Net + "/subnets", new { subnet = new { network_id = Any("network"), ip_version = 4, cidr = $"10.{cloud.Wheel.Chance.Next(2, 9)}.0.0/24" } }),
            < 42 => Create("security_group_rule", Net + "/security-group-rules", new { security_group_rule = new { security_group_id = ids["group"], direction = "ingress", protocol = "tcp", port_range_min = _made, port_range_max = _made } }),
            < 54 => Action(cloud.Wheel.Pick(s_actions)),
            < 60 => Send("POST", $"{Servers}/{Any("server")}/os-volume_attachments", new { volumeAttachment = new { volumeId = Any("volume") } }),
            < 64 => Send("DELETE", $"{Servers}/{Any("server")}/os-volume_attachments/{Any("volume")}"),
            < 67 => Send("POST", $"{Servers}/{Any("server")}/os-interface", new { interfaceAttachment = cloud.Wheel.Chance.Next(2) == 0 ? (object)new { net_id = Any("network") } : new { port_id = Plugged() } }),
            < 69 => Send("DELETE", $"{Servers}/{Any("server")}/os-interface/{Any("port")}"),
            < 71 => Send("POST", $"{Volumes}/{Any("volume")}/action", new Dictionary<string, object> { ["os-extend"] = new { new_size = cloud.Wheel.Chance.Next(2, 5) } }),
            < 73 => Send("PUT", $"{Net}/floatingips/{Any("floatingip")}", new { floatingip = new { port_id = cloud.Wheel.Chance.Next(3) == 0 ? null : Any("port") } }),
            < 76 => Send("PUT", $"{Net}/routers/{Any("router")}/add_router_interface", new { subnet_id = Any("subnet") }),
            < 78 => Send("PUT", $"{Net}/routers/{Any("router")}/remove_router_interface", new { subnet_id = Any("subnet") }),
            < 80 => Send("PUT", $"{Net}/ports/{Any("port")}", new { port = cloud.Wheel.Chance.Next(2) == 0 ? (object)new { admin_state_up = cloud.Wheel.Chance.Next(2) == 0 } : new { fixed_ips = new[] { new { ip_address = $"10.1.0.{cloud.Wheel.Chance.Next(100, 200)}" } } } }),
            < 82 => Ports(),
            _ => Delete(),
        });
        Under--;
    }

    private static readonly string[] s_actions = ["{\"os-stop\":null}", "{\"os-start\":null}", "{\"reboot\":{\"type\":\"HARD\"}}", "{\"reboot\":{\"type\":\"SOFT\"}}", "{\"pause\":null}", "{\"unpause\":null}"];

    /// <summary>A port that a server has is not deleted under it (docs/reliability.md).</summary>
    private readonly HashSet<string> _plugged = [];

    private string Plugged()
    {
        var id = Any("port");
        _plugged.Add(id);
        return id;
    }

    private string Any(string kind) => _known[kind] is { Count: > 0 } known ? known[Math.Max(cloud.Wheel.Chance.Next(known.Count), cloud.Wheel.Chance.Next(known.Count))] : "00000000-0000-0000-0000-000000000000";

    private object Server()
    {
        var networks = cloud.Wheel.Chance.Next(4) == 0 ? new object[] { new { uuid = Any("network") }, new { port = Plugged() } } : [new { uuid = Any("network") }];
        object[] volumes = cloud.Wheel.Chance.Next(3) != 0 ? [] : [new { source_type = "volume", destination_type = "volume", uuid = Any("volume"), boot_index = -1, delete_on_termination = cloud.Wheel.Chance.Next(2) == 0 }];
        return new { server = new { name = "s", flavorRef = "1", imageRef = ids["image"], networks, block_device_mapping_v2 = volumes, adminPass = Canary, user_data = Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary)) } };
    }

    private object Volume() => cloud.Wheel.Chance.Next(4) == 0 && _known["snapshot"].Count > 0 ? new { snapshot_id = Any("snapshot") } : new { size = 1 };

    private async Task Create(string kind, string path, object body)
    {
        var answer = await Send("POST", path, body);
        if (answer is not { Status: < 300 }) return;
        var id = answer.Id(kind);
        _known[kind].Add(id);
        Promised.Add((kind, id));
    }

    /// <summary>Ports that came with servers are played with as well.</summary>
    private async Task Ports()
    {
        if (await Send("GET", $"{Net}/ports") is not { Status: 200 } answer) return;
        foreach (var p in answer.Body.GetProperty("ports").EnumerateArray())
            if (p.GetProperty("project_id").GetString() == ids["project"] && p.GetProperty("id").GetString() is { } id && !_known["port"].Contains(id)) _known["port"].Add(id);
    }

    private Task<Answer?> Action(string action) => Send("POST", $"{Servers}/{Any("server")}/action", action);

    private async Task Delete()
    {
        var kind = cloud.Wheel.Pick<string>(["server", "server", "server", "volume", "snapshot", "port", "floatingip", "router", "network", "subnet", "security_group_rule"]);
        var id = Any(kind);
        if (kind == "port" && (_plugged.Contains(id) || !Promised.Contains((kind, id)))) return;
        var path = kind switch { "server" => $"{Servers}/{id}", "volume" => $"{Volumes}/{id}", "snapshot" => $"{Snapshots}/{id}", "security_group_rule" => $"{Net}/security-group-rules/{id}", _ => $"{Net}/{kind}s/{id}" };
        Asked.Add(kind);
        if (await Send("DELETE", path) is not { } answer)
        {
            // Nobody knows whether it was accepted.
            Promised.Remove((kind, id));
            return;
        }
        if (answer.Status is >= 200 and < 300 or 503) Promised.Remove((kind, id));
        if (answer.Status < 300) Deleted.Add((kind, id));
    }

    /// <returns>Null when the process died meanwhile.</returns>
    private async Task<Answer?> Send(string method, string path, object? body = null)
    {
        if (cloud.Free() is not { } process) return null;
        var text = body is null ? "" : body as string ?? JsonSerializer.Serialize(body);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var answered = new TaskCompletionSource<Answer?>();
        process.OnDeath += () => answered.TrySetResult(null);
        Handle(process, new(method, path, [], h => h switch { "X-Auth-Token" => token, _ => null }, stream, "http://cloud"), answered);
        var answer = await answered.Task;
        cloud.Say($"{name} {method} {path[(path.IndexOf('/', 1) + 1)..]} -> {answer?.Status.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "no answer"}");
        Answers[answer?.Status ?? 0] = Answers.GetValueOrDefault(answer?.Status ?? 0) + 1;
        if (answer is { Status: < 300 } && method != "GET") Accepted++;
        if (answer?.Status == 500) cloud.Broken.Add($"{method} {path} -> 500");
        return answer;
    }

    private static async void Handle(Process process, Request request, TaskCompletionSource<Answer?> answered)
    {
        var reply = await process.Router.Handle(request);
        using var written = new MemoryStream();
        JsonElement json = default;
        if (reply.Json is { } write)
        {
            await using (var w = new Utf8JsonWriter(written)) write(w);
            json = JsonDocument.Parse(written.ToArray()).RootElement.Clone();
        }
        answered.TrySetResult(new(reply.Status, json, "", new Dictionary<string, string>()));
    }
}
