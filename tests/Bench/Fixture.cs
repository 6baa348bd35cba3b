using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Cloud.Bench;

/// <summary>What the scenarios need to exist: no limits, a flavor, an image of 64 KiB, one wide network.</summary>
public sealed class Fixture(Client client)
{
    public string Network { get; private set; } = "";
    private string _flavor = "", _image = "";

    public async Task Make()
    {
        await client.Authenticate();
        (await client.Put($"/compute/v2.1/os-quota-sets/{client.ProjectId}", new JsonObject { ["quota_set"] = Unlimited("instances", "cores", "ram") })).Must("compute quota");
        (await client.Put($"/network/v2.0/quotas/{client.ProjectId}", new JsonObject { ["quota"] = Unlimited("network", "subnet", "port", "security_group") })).Must("network quota");
        _flavor = (await client.Post("/compute/v2.1/flavors", new JsonObject { ["flavor"] = new JsonObject { ["name"] = "bench", ["vcpus"] = 1, ["ram"] = 64, ["disk"] = 1 } })).Must("flavor").Id("flavor");
        _image = (string)(await client.Post("/image/v2/images", new JsonObject { ["name"] = "bench", ["disk_format"] = "raw", ["container_format"] = "bare" })).Must("image").Json["id"]!;
        (await client.Send("PUT", $"/image/v2/images/{_image}/file", new byte[64 * 1024], type: "application/octet-stream")).Must("image data");
        Network = (await client.Post("/network/v2.0/networks", new JsonObject { ["network"] = new JsonObject { ["name"] = "bench" } })).Must("network").Id("network");
        (await client.Post("/network/v2.0/subnets", new JsonObject { ["subnet"] = new JsonObject { ["network_id"] = Network, ["ip_version"] = 4, ["cidr"] = "10.64.0.0/15" } })).Must("subnet");
    }

    private static JsonObject Unlimited(params string[] limits) => new(limits.Select(l => KeyValuePair.Create<string, JsonNode?>(l, -1)));

    public async Task<string> Server(string name) => (await client.Post("/compute/v2.1/servers", new JsonObject
    {
        ["server"] = new JsonObject { ["name"] = name, ["flavorRef"] = _flavor, ["imageRef"] = _image, ["networks"] = new JsonArray(new JsonObject { ["uuid"] = Network }) },
    })).Must("server").Id("server");

    /// <summary>From the POST to ACTIVE, then to the delete's 404. Polls every tenth of the time passed, 5 to 500 ms. Returns the first half's time.</summary>
    public async Task<TimeSpan> ServerLife(string name)
    {
        var clock = Stopwatch.StartNew();
        var path = "/compute/v2.1/servers/" + await Server(name);
        while ((string)(await client.Get(path)).Must("server").Json["server"]!["status"]! is var status && status != "ACTIVE")
            await Pause(clock, status == "ERROR" ? "is in error" : null);
        var active = clock.Elapsed;
        clock.Restart();
        (await client.Delete(path)).Must("delete");
        while ((await client.Get(path)).Status != 404) await Pause(clock, null);
        return active;
    }

    /// <summary>Many servers at once, until the last is ACTIVE.</summary>
    public async Task<TimeSpan> Storm(string prefix, int count, int callers)
    {
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = callers }, async (i, _) => await Server($"{prefix}{i}"));
        while (await Active(prefix) < count) await Pause(clock, null);
        return clock.Elapsed;
    }

    public async Task Sweep(string prefix, int callers)
    {
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(await Servers(prefix), new ParallelOptions { MaxDegreeOfParallelism = callers }, async (s, _) => (await client.Delete("/compute/v2.1/servers/" + (string)s["id"]!)).Must("delete"));
        while ((await Servers(prefix)).Count > 0) await Pause(clock, null);
    }

    /// <summary>What a scenario made by the thousand must not weigh on the next one.</summary>
    public async Task Sweep(string path, string many, int callers)
    {
        while ((await client.Get($"{path}?name=made&limit=1000&fields=id")).Must(many).Json[many]!.AsArray() is { Count: > 0 } left)
            await Parallel.ForEachAsync(left, new ParallelOptions { MaxDegreeOfParallelism = callers }, async (x, _) => (await client.Delete($"{path}/{(string)x!["id"]!}")).Must("delete"));
    }

    public async Task<int> Active(string prefix) => (await Servers(prefix)).Count(s => (string)s["status"]! is "ACTIVE" or "ERROR");

    private async Task<List<JsonNode>> Servers(string prefix) => [.. (await client.Get($"/compute/v2.1/servers/detail?limit=1000&name=^{prefix}")).Must("servers").Json["servers"]!.AsArray().Select(s => s!)];

    private static async Task Pause(Stopwatch since, string? wrong)
    {
        if (wrong is not null || since.Elapsed > TimeSpan.FromSeconds(300)) throw new TimeoutException($"the server {wrong ?? "is not there yet"} after {since.Elapsed.TotalSeconds:0} s");
        await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(since.Elapsed.TotalMilliseconds / 10, 5, 500)));
    }
}
