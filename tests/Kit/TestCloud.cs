using System.Text;
using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Blobs;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.Hosting;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;
using Cloud.Platform.State;
using Microsoft.Extensions.Time.Testing;

namespace Cloud.Tests.Kit;

public sealed record Answer(int Status, JsonElement Body, string Text, IReadOnlyDictionary<string, string> Headers)
{
    /// <param name="one">The object's name in the body; empty where it is the body.</param>
    public string Id(string one) => (one.Length == 0 ? Body : Body.GetProperty(one)).GetProperty("id").GetString()!;
}

/// <summary>The whole control plane in memory with simulated hosts, a clock that stands still and nothing running by itself: tests turn the crank.</summary>
public sealed class TestCloud : IAsyncDisposable
{
    private readonly Dictionary<string, string> _tokens = [];
    private static readonly Lazy<string> s_files = new(FilesOfThisRun);
    private readonly string _files = Path.Combine(s_files.Value, Guid.NewGuid().ToString("N"));
    private static readonly DateTimeOffset Begin = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly IReadOnlyList<QueueTrigger> _triggers;
    private Router? _router;
    private RowMemory? _copied;
    private int _beats;

    public FakeTimeProvider Clock { get; }
    public MemoryBus Bus { get; }
    public MemoryStore Store { get; }
    public Services Services { get; private set; }
    public RowMemory Memory { get; private set; } = new([]);
    public Router Router => _router ??= new(Services, (e, text) => Errors.Add($"{text}: {e}"));
    public List<SimulatedHost> Hosts { get; } = [];
    /// <summary>Where the bytes of objects are.</summary>
    public IReadOnlyList<MemoryReplica> Replicas { get; } = [new("a"), new("b"), new("c")];
    /// <summary>All that it can reach outside.</summary>
    public FakeInternet Internet { get; }
    public List<string> Errors { get; } = [];
    /// <summary>Every event that was delivered, those delivered twice as well.</summary>
    public List<SeenEvent> Events { get; } = [];
    /// <summary>Every message comes a second time when it was done with.</summary>
    public bool Echo { get; set; }
    /// <summary>Breaks a rule: messages are done with before they are handled.</summary>
    public bool SettlesFirst { get; set; }
    private readonly HashSet<string> _echoed = [];
    /// <summary>The queue whose message is being handled.</summary>
    public string Current { get; private set; } = "";
    /// <summary>Between a host and its queue: what of a command's answers comes back. Tests lose, double and delay here.</summary>
    public Func<SimulatedHost, CommandMessage, IReadOnlyList<HostMessage>> Line { get; set; } = (host, m) => host.Handle(m) is { } reply ? [reply] : [];

    // Also those of clouds that a test copied and left.
    private static string FilesOfThisRun()
    {
        var files = Directory.CreateTempSubdirectory("cs-test-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(files, recursive: true);
        return files;
    }

    // A cloud's first start hashes passwords, which is meant to be slow: done once for all tests.
    private static readonly Lazy<Task<TestCloud>> Fresh = new(async () =>
    {
        var cloud = new TestCloud(null, Begin);
        await Composition.Start(cloud.Services);
        await cloud.Drain();
        foreach (var user in new[] { "admin", "demo" }) await cloud.Token(user);
        return cloud;
    });

    private TestCloud(IReadOnlyList<Slice>? slices, DateTimeOffset now, Settings? settings = null, Func<TimeProvider, IIds>? ids = null)
    {
        Clock = new(now);
        Bus = new(Clock);
        Store = new(Bus);
        Internet = new(Clock);
        Services = Composition.Services(Store, Bus, new FileBlobs(_files), Clock, ids?.Invoke(Clock) ?? new TimeOrderedIds(Clock), (settings ?? new()) with { AdminPassword = "admin-secret", DemoPassword = "demo-secret" }, slices, new OutboundHttp(Clock, [], Internet.Resolve, Internet.Connect), objects: new([.. Replicas], 3), confined: new InThisProcess());
        _triggers = [.. Triggers.All(Services.Slices).OfType<QueueTrigger>()];
    }

    private TestCloud(TestCloud origin, IReadOnlyList<Slice>? slices, Func<MemoryStore, IEntityStore>? wrap, Settings? settings, bool midway)
    {
        Clock = new(origin.Clock.GetUtcNow());
        Bus = new(Clock);
        Store = new(Bus);
        Internet = origin.Internet;
        var (o, all) = (origin.Services, slices ?? origin.Services.Slices);
        Services = new()
        {
            Store = wrap?.Invoke(Store) ?? Store, Bus = Bus, Blobs = o.Blobs, ImageStores = o.ImageStores, Confined = o.Confined, Objects = o.Objects, Outbound = o.Outbound, Clock = Clock, Ids = new TimeOrderedIds(Clock), Policy = settings is null ? o.Policy : Policy.Embedded(settings.EnforceScope), Tokens = new Identity.Tokens(Store, Clock),
            Sagas = new(all.SelectMany(s => s.Sagas)), Settings = settings ?? o.Settings, Slices = all,
        };
        _triggers = [.. Triggers.All(all).OfType<QueueTrigger>()];
        if (slices is null || slices.Zip(origin.Services.Slices).All(p => ReferenceEquals(p.First.Routes, p.Second.Routes))) _router = origin.Router.For(Services, (e, text) => Errors.Add($"{text}: {e}"));
        lock (origin) Memory = midway ? origin._copied ?? origin.Memory : origin._copied ??= new(origin.Store.All);
        _tokens = new(origin._tokens);
        Store.Load(origin.Store);
        Bus.Load(origin.Bus);
        _beats = origin._beats;
        if (midway)
        {
            Events.AddRange(origin.Events);
            Errors.AddRange(origin.Errors);
        }
        foreach (var host in origin.Hosts) Hosts.Add(host.Copy());
    }

    /// <summary>Another cloud in the same state; what happens to it doesn't concern this one. Blobs are shared.</summary>
    /// <param name="midway">What happened so far counts as the copy's own.</param>
    public TestCloud Copy(IReadOnlyList<Slice>? slices = null, Func<MemoryStore, IEntityStore>? wrap = null, Settings? settings = null, bool midway = false) => new(this, slices, wrap, settings, midway);

    /// <summary>What copies know of its rows.</summary>
    public void Remember(RowMemory memory) => _copied = memory;

    /// <summary>A cloud in a state that came from elsewhere, to be looked at.</summary>
    public static TestCloud Of(IEnumerable<Row> rows, IReadOnlyList<Message> messages, IEnumerable<SimulatedHost> hosts, DateTimeOffset now)
    {
        var cloud = new TestCloud(null, now);
        cloud.Store.Load(rows);
        cloud.Bus.Add(messages);
        cloud.Hosts.AddRange(hosts);
        return cloud;
    }

    /// <summary>The control plane was killed and comes back.</summary>
    public void Restart() => Bus.Restart();

    /// <summary>Before its first start.</summary>
    public static TestCloud Empty() => new(null, Begin);

    public static async Task<TestCloud> Start(int hosts = 1, IReadOnlyList<Slice>? slices = null, Settings? settings = null)
    {
        var cloud = new TestCloud(slices, Begin, settings);
        if (slices is null)
        {
            var fresh = await Fresh.Value;
            cloud.Store.Load(fresh.Store);
            foreach (var (user, token) in fresh._tokens) cloud._tokens[user] = token;
            cloud.Events.AddRange(fresh.Events);
        }
        else await Composition.Start(cloud.Services);
        for (var i = 1; i <= hosts; i++) cloud.Hosts.Add(new($"sim-{i}"));
        await cloud.Beat();
        return cloud;
    }

    /// <summary>Begun with ids that are the same each time.</summary>
    public static async Task<TestCloud> Seeded(Func<TimeProvider, IIds> ids)
    {
        var cloud = new TestCloud(null, Begin, ids: ids);
        await Composition.Start(cloud.Services);
        await cloud.Drain();
        return cloud;
    }

    public async Task Beat()
    {
        foreach (var host in Hosts) await Say(host.Beat());
        await Drain();
    }

    /// <summary>A message of a host.</summary>
    public async ValueTask Say(HostMessage message)
    {
        var one = new Message(Names.Replies, $"{message.Host}.{++_beats}", ContractJson.Write(message));
        while (true)
            try
            {
                await Bus.Send([one]);
                return;
            }
            catch (StoreUnavailableException) { /* a host says it until it is heard */ }
    }

    public async Task<string> Token(string user = "admin")
    {
        if (_tokens.TryGetValue(user, out var token)) return token;
        var answer = await Raw("POST", "/identity/v3/auth/tokens", null, JsonSerializer.Serialize(new
        {
            auth = new
            {
                identity = new { methods = new[] { "password" }, password = new { user = new { name = user, domain = new { id = "default" }, password = user + "-secret" } } },
                scope = new { project = new { name = user, domain = new { id = "default" } } },
            },
        }));
        return _tokens[user] = answer.Headers["X-Subject-Token"];
    }

    /// <summary>Lets the next requests log in anew, after much time has passed.</summary>
    public void Forget() => _tokens.Clear();

    /// <summary>Another ordinary user in a project of his own; his name is the project's.</summary>
    public async Task AddUser(string name, string role = "member")
    {
        var project = (await Send("POST", "/identity/v3/projects", new { project = new { name } })).Id("project");
        var user = (await Send("POST", "/identity/v3/users", new { user = new { name, password = name + "-secret" } })).Id("user");
        var roles = (await Send("GET", "/identity/v3/roles?name=" + role)).Body.GetProperty("roles")[0].GetProperty("id").GetString();
        await Send("PUT", $"/identity/v3/projects/{project}/users/{user}/roles/{roles}");
    }

    public async Task<Answer> Send(string method, string target, object? body = null, string user = "admin", params (string, string)[] headers) =>
        await Raw(method, target, await Token(user), body is null ? null : body as string ?? JsonSerializer.Serialize(body), headers);

    public async Task<Answer> Raw(string method, string target, string? token, string? body, params (string, string)[] headers)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(body ?? ""));
        return await Stream(method, target, token, stream, headers);
    }

    /// <summary>A request whose body is any bytes.</summary>
    public async Task<Answer> Stream(string method, string target, string? token, Stream body, params (string, string)[] headers)
    {
        var all = headers.ToDictionary(h => h.Item1, h => h.Item2, StringComparer.OrdinalIgnoreCase);
        if (token is not null) all["X-Auth-Token"] = token;
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var query = mark < 0 ? [] : target[(mark + 1)..].Split('&').Select(p => p.Split('=', 2)).Select(p => (Uri.UnescapeDataString(p[0]), p.Length > 1 ? Uri.UnescapeDataString(p[1]) : "")).ToList();
        var reply = await Router.Handle(new(method, mark < 0 ? target : target[..mark], query, name => all.GetValueOrDefault(name), body, "http://cloud") { HeaderNames = all.Keys });
        using var written = new MemoryStream();
        if (reply.Json is { } write)
            await using (var w = new Utf8JsonWriter(written)) write(w);
        else if (reply.Text is { } text) written.Write(Encoding.UTF8.GetBytes(text));
        else if (reply.Stream is { } s) await using (s) await s.CopyToAsync(written);
        var raw = Encoding.UTF8.GetString(written.ToArray());
        JsonElement json = default;
        if (reply.Json is not null) json = JsonDocument.Parse(raw).RootElement.Clone();
        return new(reply.Status, json, raw, reply.Headers.GroupBy(h => h.Name).ToDictionary(g => g.Key, g => g.First().Value));
    }

    /// <summary>Delivers everything that is due, to hosts as well, until nothing is.</summary>
    public async Task Drain()
    {
        for (var round = 0; round < 10_000; round++)
            if (!await Crank()) return;
        throw new InvalidOperationException("the queues do not come to rest");
    }

    /// <summary>One message of each queue. False when none was due.</summary>
    public async Task<bool> Crank()
    {
        var any = false;
        foreach (var trigger in _triggers.Where(t => Bus.Count(t.Queue) > 0))
            foreach (var d in await Bus.Receive(trigger.Queue, 1, TimeSpan.FromMinutes(1), TimeSpan.Zero))
            {
                (any, Current) = (true, trigger.Queue);
                if (SettlesFirst) await Bus.Complete(d);
                try
                {
                    if (trigger.Queue == CloudEvent.Queue) Events.Add(SeenEvent.Read(d.Message.Body));
                    await trigger.Handle(Services, d, CancellationToken.None);
                }
                catch (Exception e) when (e is not Death)
                {
                    Errors.Add(e.ToString());
                    await Bus.Abandon(d, TimeSpan.FromSeconds(1));
                    continue;
                }
                if (!SettlesFirst) await Bus.Complete(d);
                if (Echo && _echoed.Add($"{trigger.Queue} {d.Message.Id}")) Bus.Add([d.Message with { NotBefore = null }]);
            }
        Current = "";
        foreach (var host in Hosts)
            foreach (var d in await Bus.Receive(Names.HostQueue(host.Name), 1, TimeSpan.FromMinutes(1), TimeSpan.Zero))
            {
                any = true;
                foreach (var answer in Line(host, ContractJson.ReadCommand(d.Message.Body.Span))) await Say(answer);
                await Bus.Complete(d);
            }
        return any;
    }

    /// <summary>Lets time pass, beating, in steps in which everything due happens.</summary>
    public async Task Pass(TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(10))
        {
            Clock.Advance(left < TimeSpan.FromSeconds(10) ? left : TimeSpan.FromSeconds(10));
            await Beat();
        }
    }

    /// <summary>Every timer, as often as the sweeper needs to be sure.</summary>
    public async Task Sweep()
    {
        for (var i = 0; i < 3; i++)
        {
            foreach (var timer in Triggers.All(Services.Slices).OfType<TimerTrigger>()) await timer.Run(Services, CancellationToken.None);
            await Drain();
            Clock.Advance(TimeSpan.FromMinutes(11));
            foreach (var host in Hosts) await Platform.Agents.Hosts.Beat(Services, host.Beat(), CancellationToken.None);
        }
    }

    public ValueTask DisposeAsync()
    {
        Bus.Dispose();
        if (Directory.Exists(_files)) Directory.Delete(_files, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The process dies here.</summary>
public sealed class Death() : Exception("killed");
