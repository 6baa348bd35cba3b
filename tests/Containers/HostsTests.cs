using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Containers;

/// <summary>Three hosts in three containers, a guest on each, and a network through all of them by VXLAN.</summary>
[Collection(WithDocker.Name)]
public sealed partial class HostsTests(Docker docker) : IAsyncDisposable
{
    private static readonly string[] s_hosts = ["h1", "h2", "h3"];
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);

    private readonly string _data = Directory.CreateTempSubdirectory("cs-hosts-").FullName;
    private readonly List<ContainedHost> _running = [];
    private readonly HttpClient _http = new();
    private readonly CancellationTokenSource _late = new(s_patience);
    private Process? _cloud;

    [Fact]
    public async Task Guests_on_three_hosts_talk_while_an_agent_is_killed_and_comes_back()
    {
        Assert.SkipUnless(docker.IsThere && File.Exists("/usr/sbin/libvirtd") && File.Exists("/usr/bin/qemu-system-x86_64") && File.Exists("/usr/sbin/dnsmasq"), Docker.Missing + ", libvirtd, qemu and dnsmasq");
        var image = Repository.Path(".cache/guest/tiny.qcow2");
        Assert.SkipUnless(File.Exists(image), "needs the tiny guest: infra/guest/build.sh .cache/guest");
        await Start();

        var servers = new List<string>();
        var (network, group) = await Network();
        var tiny = Id(await Post("/image/v2/images", new { name = "tiny", disk_format = "qcow2", container_format = "bare" }));
        using (var bytes = new StreamContent(File.OpenRead(image)) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } })
            (await _http.PutAsync($"/image/v2/images/{tiny}/file", bytes)).EnsureSuccessStatusCode();
        var flavor = (await Get("/compute/v2.1/flavors")).GetProperty("flavors").EnumerateArray().Single(f => f.GetProperty("name").GetString() == "m1.tiny").GetProperty("id").GetString();
        for (var n = 1; n <= s_hosts.Length; n++)
            servers.Add(Id((await Post("/compute/v2.1/servers", new
            {
                server = new
                {
                    name = $"s{n}", imageRef = tiny, flavorRef = flavor, availability_zone = $"nova:{s_hosts[n - 1]}", user_data = Convert.ToBase64String(Encoding.ASCII.GetBytes(Pinging(n))),
                    networks = new[] { new { uuid = network, fixed_ip = $"10.9.0.{10 + n}" } }, security_groups = new[] { new { name = "ping" } },
                },
            })).GetProperty("server")));

        // Everybody hears everybody: each pair is on two hosts.
        foreach (var server in servers) await Until(async () => Heard(await Console(server)).Count == 2, $"{server} hears both others");
        var at = await Task.WhenAll(servers.Select(async s => (await Get("/compute/v2.1/servers/" + s)).GetProperty("server").GetProperty("OS-EXT-SRV-ATTR:host").GetString()));
        Assert.Equal(s_hosts, at);

        await _running[0].KillAgent();
        // While it is away its guest is heard by the others, and hears them.
        foreach (var server in servers[1..])
        {
            var had = Heard(await Console(server))[1];
            await Until(async () => Heard(await Console(server))[1] >= had + 5, $"{server} goes on hearing the guest of the host whose agent is gone");
        }
        // What it is told meanwhile it does when it is back.
        (await _http.DeleteAsync("/compute/v2.1/servers/" + servers[0])).EnsureSuccessStatusCode();
        Assert.Contains("guest=", await _running[0].Things(), StringComparison.Ordinal);
        _running[0].StartAgent();
        await Until(async () => (await _http.GetAsync("/compute/v2.1/servers/" + servers[0])).StatusCode == HttpStatusCode.NotFound, "the agent that came back removes its guest");

        foreach (var server in servers[1..]) (await _http.DeleteAsync("/compute/v2.1/servers/" + server)).EnsureSuccessStatusCode();
        await Until(async () => !(await Get("/compute/v2.1/servers")).GetProperty("servers").EnumerateArray().Any(), "the servers are gone");
        (await _http.DeleteAsync("/network/v2.0/networks/" + network)).EnsureSuccessStatusCode();
        (await _http.DeleteAsync("/network/v2.0/security-groups/" + group)).EnsureSuccessStatusCode();
        foreach (var host in _running) await Until(async () => await host.Things() is { Length: 0 }, "nothing is left on any host");
    }

    /// <summary>Says on the console what it hears, and how often it heard it.</summary>
    private static string Pinging(int me) => $$"""
        #!/bin/sh
        for o in 1 2 3; do [ $o = {{me}} ] || (
          n=0; while :; do if ping -c 1 -W 2 10.9.0.1$o > /dev/null 2>&1; then n=$((n + 1)); echo "HEARD $o $n" > /dev/console; fi; sleep 1; done
        ) & done
        """;

    private static Dictionary<int, int> Heard(string console) => HeardLine().Matches(console).GroupBy(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).ToDictionary(g => g.Key, g => g.Max(m => int.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture)));

    [GeneratedRegex(@"HEARD (\d) (\d+)\r?\n")]
    private static partial Regex HeardLine();

    private async Task Start()
    {
        var (api, amqp) = (CloudCommand.FreePort(), CloudCommand.FreePort());
        _cloud = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Cloud.Functions"),
            ["up", "--data", Path.Combine(_data, "cloud"), "--listen", $"{docker.Gateway}:{api}", "--amqp", $"{docker.Gateway}:{amqp}", .. s_hosts.SelectMany(h => new[] { "--host", h })])
        {
            RedirectStandardOutput = true,
        })!;
        Assert.StartsWith("ready ", await _cloud.StandardOutput.ReadLineAsync(_late.Token));
        _ = _cloud.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _running.AddRange(await Task.WhenAll(s_hosts.Select(name =>
        {
            var folder = Directory.CreateDirectory(Path.Combine(_data, name)).FullName;
            File.Copy(Path.Combine(_data, "cloud", $"host-{name}.secret"), Path.Combine(folder, "secret"));
            return ContainedHost.Start(docker, name, folder, api, amqp);
        })));

        _http.BaseAddress = new($"http://{docker.Gateway}:{api}");
        var (domain, password) = (new { id = "default" }, (await File.ReadAllTextAsync(Path.Combine(_data, "cloud", "admin-password"))).Trim());
        using var login = await _http.PostAsJsonAsync("/identity/v3/auth/tokens", new
        {
            auth = new { identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain, password } } }, scope = new { project = new { name = "admin", domain } } },
        });
        _http.DefaultRequestHeaders.Add("X-Auth-Token", login.Headers.GetValues("X-Subject-Token").Single());
    }

    private async Task<(string Network, string Group)> Network()
    {
        var network = Id((await Post("/network/v2.0/networks", new { network = new { name = "net" } })).GetProperty("network"));
        await Post("/network/v2.0/subnets", new { subnet = new { network_id = network, ip_version = 4, cidr = "10.9.0.0/24" } });
        var group = Id((await Post("/network/v2.0/security-groups", new { security_group = new { name = "ping" } })).GetProperty("security_group"));
        await Post("/network/v2.0/security-group-rules", new { security_group_rule = new { security_group_id = group, direction = "ingress", ethertype = "IPv4", protocol = "icmp" } });
        return (network, group);
    }

    /// <summary>Where the hosts keep it: so it can be read while an agent is away.</summary>
    private async Task<string> Console(string server)
    {
        var files = s_hosts.Select(h => Path.Combine(_data, h, "host/consoles", server + ".log")).Where(File.Exists).ToList();
        return files.Count == 0 ? "" : await File.ReadAllTextAsync(files.Single());
    }

    private async Task Until(Func<Task<bool>> holds, string what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (_late.IsCancellationRequested) throw new TimeoutException($"not within {s_patience}: {what}\n" + string.Join('\n', Directory.EnumerateFiles(_data, "*.log", SearchOption.AllDirectories).Where(f => !f.Contains("/cloud/", StringComparison.Ordinal)).Select(f => f + ":\n" + string.Join('\n', File.ReadLines(f).TakeLast(8)))));
            await Task.Delay(500, CancellationToken.None);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s until {what}");
    }

    private async Task<JsonElement> Post(string path, object body)
    {
        using var answer = await _http.PostAsJsonAsync(path, body, _late.Token);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, path + ": " + text);
        return text.Length > 0 ? JsonSerializer.Deserialize<JsonElement>(text) : default;
    }

    private async Task<JsonElement> Get(string path) => await _http.GetFromJsonAsync<JsonElement>(path, _late.Token);

    private static string Id(JsonElement thing) => thing.GetProperty("id").GetString()!;

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _running) await host.DisposeAsync();
        if (_cloud is { HasExited: false }) _cloud.Kill();
        if (_cloud is not null) await _cloud.WaitForExitAsync(CancellationToken.None).WaitAsync(Patience.Span);
        _cloud?.Dispose();
        _http.Dispose();
        _late.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}
