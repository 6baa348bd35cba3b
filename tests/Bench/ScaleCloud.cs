using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Blobs;
using Cloud.Platform.Hosting;
using Cloud.Platform.Local;
using Cloud.Platform.Rest;

namespace Cloud.Bench;

/// <summary>The control plane in this process over the embedded store on disk, with as many simulated hosts as one likes. Nothing runs by itself: the crank is turned, so what is measured is one thing's.</summary>
internal sealed class ScaleCloud : IDisposable
{
    private const string Password = "scale-secret";
    private readonly LocalState _state;
    private readonly Router _router;
    private readonly IReadOnlyList<QueueTrigger> _triggers;
    private readonly Dictionary<string, SimulatedHost> _hosts = [];
    private string? _token;

    public Services Services { get; }
    public string Project { get; private set; } = "";
    public IReadOnlyList<TimerTrigger> Timers { get; }

    public ScaleCloud(string data)
    {
        Directory.CreateDirectory(data);
        _state = LocalState.Open(Path.Combine(data, "state.db"), TimeProvider.System);
        // Hosts beat when they are told to.
        var settings = new Settings { AdminPassword = Password, HostSilence = TimeSpan.FromDays(1) };
        Services = Composition.Services(_state.Store, _state.Bus, new FileBlobs(Path.Combine(data, "blobs")), TimeProvider.System, new TimeOrderedIds(TimeProvider.System), settings);
        _router = new(Services, (e, text) => Console.Error.WriteLine($"{text}: {e}"));
        var all = Triggers.All(Services.Slices);
        (_triggers, Timers) = ([.. all.OfType<QueueTrigger>()], [.. all.OfType<TimerTrigger>()]);
    }

    public Task Start() => Composition.Start(Services);

    public SimulatedHost Host(string name) => _hosts.TryGetValue(name, out var host) ? host : _hosts[name] = new(name);

    public static Heartbeat Beat(int n, long sequence, string boot = "boot-1") =>
        new(NameOf(n), boot, new(64, 256 * 1024, 4096, "simulated", "1.0.0", "simulated", $"10.{n >> 16}.{(n >> 8) & 255}.{n & 255}", ["public"], "nova", 0, 0, 0), sequence);

    public static string NameOf(int n) => $"sim-{n:D5}";

    public async Task<JsonNode?> Ask(string method, string target, object? body = null, byte[]? bytes = null)
    {
        if (_token is null) await Login();
        var (status, text, _) = await Raw(method, target, bytes ?? (body is null ? [] : JsonSerializer.SerializeToUtf8Bytes(body)), bytes is null ? "application/json" : "application/octet-stream");
        return status < 300 ? text.Length > 0 ? JsonNode.Parse(text) : null : throw new InvalidOperationException($"{method} {target}: {status} {text}");
    }

    public async Task<int> Status(string method, string target) => (await Raw(method, target, [], "application/json")).Status;

    private async Task Login()
    {
        var (_, text, headers) = await Raw("POST", "/identity/v3/auth/tokens", Encoding.UTF8.GetBytes($$$$$$"""
            {"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"admin","domain":{"id":"default"},"password":"{{{{{{Password}}}}}}"}}},"scope":{"project":{"name":"admin","domain":{"id":"default"}}}}}
            """), "application/json");
        (_token, Project) = (headers["X-Subject-Token"], (string)JsonNode.Parse(text)!["token"]!["project"]!["id"]!);
    }

    private async Task<(int Status, string Text, Dictionary<string, string> Headers)> Raw(string method, string target, byte[] body, string type)
    {
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var query = mark < 0 ? [] : target[(mark + 1)..].Split('&').Select(p => p.Split('=', 2)).Select(p => (p[0], Uri.UnescapeDataString(p[1]))).ToList();
        using var stream = new MemoryStream(body);
        var reply = await _router.Handle(new(method, mark < 0 ? target : target[..mark], query, name => name switch { "X-Auth-Token" => _token, "Content-Type" => type, "Content-Length" => $"{body.Length}", _ => null }, stream, "http://cloud"));
        using var written = new MemoryStream();
        if (reply.Json is { } write)
            await using (var w = new Utf8JsonWriter(written)) write(w);
        return (reply.Status, Encoding.UTF8.GetString(written.GetBuffer(), 0, (int)written.Length), reply.Headers.GroupBy(h => h.Name).ToDictionary(g => g.Key, g => g.First().Value));
    }

    /// <summary>Delivers all that is due, to hosts as well.</summary>
    public async Task Drain()
    {
        while (await Crank()) { }
    }

    private async Task<bool> Crank()
    {
        var depths = await Services.Bus.Depths();
        var any = false;
        foreach (var trigger in _triggers.Where(t => depths.ContainsKey(t.Queue)))
            foreach (var d in await Services.Bus.Receive(trigger.Queue, trigger.Parallel, TimeSpan.FromMinutes(1), TimeSpan.Zero))
            {
                any = true;
                await trigger.Handle(Services, d, CancellationToken.None);
                await Services.Bus.Complete(d);
            }
        foreach (var queue in depths.Keys.Where(q => q.StartsWith(Names.HostQueue(""), StringComparison.Ordinal)))
            foreach (var d in await Services.Bus.Receive(queue, 100, TimeSpan.FromMinutes(1), TimeSpan.Zero))
            {
                any = true;
                if (Host(queue[Names.HostQueue("").Length..]).Handle(ContractJson.ReadCommand(d.Message.Body.Span)) is { } reply) await Replies.Accept(Services, reply, d.Message.Id, CancellationToken.None);
                await Services.Bus.Complete(d);
            }
        return any;
    }

    public void Dispose() => _state.Dispose();
}
