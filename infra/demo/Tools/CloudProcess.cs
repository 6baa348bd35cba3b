using System.Net.Http.Json;
using System.Text.Json;
using Cloud.Tests.Kit;

namespace Cloud.Demo.Tools;

/// <summary>./cloud up as its own process, and ./cloud down.</summary>
public sealed class CloudProcess(string root, string data)
{
    private Background? _up;

    public string Url { get; } = $"http://127.0.0.1:{FreePorts.One()}";

    /// <summary>Name of the bridge of provider network "public".</summary>
    public string PublicBridge => "cso" + Owner;

    /// <summary>Marks everything in the kernel that belongs to this cloud.</summary>
    public string Owner => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Path.Combine(data, "host"))).AsSpan(0, 6));

    public async Task Up(Stage stage)
    {
        // The tenant's receiver of webhooks is on this machine, which nobody but an operator can open.
        var settings = data + ".settings.json";
        await File.WriteAllTextAsync(settings, """{"outbound_opened": ["127.0.0.1/32"]}""");
        stage.Later("the settings", () => { File.Delete(settings); return Task.CompletedTask; });
        _up = new Background("bash", Path.Combine(root, "infra/cli/up.sh"), "--data", data, "--listen", Url["http://".Length..], "--hosts", "local", "--sample", "5", "--settings", settings);
        var shown = 0;
        await stage.Until("a compute host takes work", TimeSpan.FromMinutes(10), async () =>
        {
            await Task.CompletedTask;
            var lines = _up.Lines;
            foreach (var (_, line) in lines.Skip(shown)) stage.Say(line);
            shown = lines.Count;
            return _up.Lives ? (lines.Any(l => l.Line.StartsWith("host local takes work", StringComparison.Ordinal)), "it does") : throw new DemoFault("./cloud up to run", lines.LastOrDefault().Line ?? "nothing");
        });
        var ready = _up.Lines.First(l => l.Line.StartsWith("ready ", StringComparison.Ordinal)).Line;
        stage.Measured.Add(("control plane ready from a cold start", ready[(ready.LastIndexOf(" in ", StringComparison.Ordinal) + 4)..]));
    }

    public async Task Down()
    {
        await Tool.Run("bash", [Path.Combine(root, "infra/cli/down.sh"), "--data", data], TimeSpan.FromMinutes(3), CancellationToken.None);
        if (_up is { } up) await up.DisposeAsync();
        _up = null;
    }

    /// <summary>What the openstack command has no words for: events, usage, queues.</summary>
    public async Task<JsonElement> Get(string token, string path, CancellationToken ct)
    {
        using var http = Client(token);
        return await http.GetFromJsonAsync<JsonElement>(path, ct);
    }

    /// <summary>What it answers; nothing where that is nothing.</summary>
    public async Task<JsonElement> Post(string token, string path, object body, CancellationToken ct)
    {
        using var http = Client(token);
        using var answer = await http.PostAsJsonAsync(path, body, ct);
        if (!answer.IsSuccessStatusCode) throw new DemoFault($"POST {path} to be accepted", $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}");
        return await answer.Content.ReadAsByteArrayAsync(ct) is { Length: > 0 } text ? JsonSerializer.Deserialize<JsonElement>(text) : default;
    }

    private HttpClient Client(string token)
    {
        var http = new HttpClient { BaseAddress = new(Url) };
        http.DefaultRequestHeaders.Add("X-Auth-Token", token);
        return http;
    }
}
