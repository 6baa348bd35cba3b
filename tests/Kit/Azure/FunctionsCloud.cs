using System.Globalization;
using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Cloud.Platform;
using Cloud.Platform.Bus.Brokers;
using Cloud.Platform.Hosting;
using Cloud.Platform.State;
using Cloud.Platform.Tables;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloud.Tests.Kit;

/// <summary>How a cloud on Functions is set up.</summary>
/// <param name="Bin">Folder of the programs.</param>
/// <param name="Root">For what the hosts remember, and logs.</param>
/// <param name="Every">Executions until an instance is killed.</param>
/// <param name="Settings">The operator's; null for none.</param>
/// <param name="Beat">Seconds between two signs of life of a host.</param>
public sealed record FunctionsPlan(string Bin, string Root, IPEndPoint Listen, int Every = 1, int Hosts = 2, string? Settings = null, int Beat = 10)
{
    /// <summary>The handler's executable.</summary>
    public string Program { get; init; } = Path.Combine(Bin, "Cloud.Functions");
}

/// <summary>
/// The whole cloud as a function app that keeps nothing itself, for clients who come by themselves: rows and bytes in Azurite, messages in RabbitMQ, simulated hosts as a process of
/// their own at the same broker, and we as the Functions host, whose instances live no longer than they are let.
/// </summary>
public sealed class FunctionsCloud : IAsyncDisposable
{
    private const string User = "cloud", Password = "cloud password";

    private readonly FunctionsPlan _plan;
    private readonly Azurite _tables, _blobs;
    private readonly FunctionList _functions;
    private readonly Dictionary<string, string> _environment;
    private readonly string[] _hosts;
    private HandlerPool? _pool;
    private FunctionsFront? _front;
    private FunctionsPumps? _pumps;
    private AmqpBus? _queues;
    private readonly Lock _writing = new();

    public const string Missing = "needs azurite on the path (npm install azurite) and rabbitmq-server (Debian)";

    private FunctionsCloud(FunctionsPlan plan, Azurite tables, Azurite blobs, RabbitMq broker, string[] hosts)
    {
        (_plan, _tables, _blobs, Broker, _hosts) = (plan, tables, blobs, broker, hosts);
        var functions = Path.Combine(plan.Root, "functions");
        FunctionJson.Write(functions, Triggers.All(Slices.All));
        _functions = new(functions);
        BrokerConnection = broker.Connection.Replace("guest:guest", $"{User}:{Uri.EscapeDataString(Password)}", StringComparison.Ordinal);
        AdminPassword = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(12));
        _environment = new()
        {
            [CustomHandler.Tables] = tables.Connection, [CustomHandler.Blobs] = blobs.Connection, [CustomHandler.Bus] = BrokerConnection, [CustomHandler.AdminPassword] = AdminPassword, [CustomHandler.Url] = Url,
        };
        if (plan.Settings is { } settings) _environment[CustomHandler.SettingsPath] = settings;
        Hosts = new("the host agent", Path.Combine(plan.Bin, "Cloud.Agents.Simulated"),
            ["--data", Path.Combine(plan.Root, "agents"), "--control", broker.Connection.Replace("guest:guest@", "", StringComparison.Ordinal) + "?broker", "--secrets", plan.Root, "--beat", plan.Beat.ToString(CultureInfo.InvariantCulture), .. hosts.SelectMany(h => new[] { "--name", h })], Path.Combine(plan.Root, "agent.log"));
    }

    public string Url => $"http://{_plan.Listen}";
    public string AdminPassword { get; }
    public RabbitMq Broker { get; }
    public Victim Hosts { get; }
    private string BrokerConnection { get; }
    public int Executions { get; private set; }
    public int Processes { get; private set; }
    public int Crashes { get; private set; }
    /// <summary>What clients of OpenStack want in their environment.</summary>
    public IReadOnlyDictionary<string, string> Login => new Dictionary<string, string>
    {
        ["OS_AUTH_URL"] = Url + "/identity/v3", ["OS_USERNAME"] = "admin", ["OS_PASSWORD"] = AdminPassword, ["OS_PROJECT_NAME"] = "admin", ["OS_USER_DOMAIN_ID"] = "default", ["OS_PROJECT_DOMAIN_ID"] = "default",
        ["OS_IDENTITY_API_VERSION"] = "3", ["OS_REGION_NAME"] = "RegionOne",
    };
    public string OpenRc => string.Concat(Login.Select(v => $"export {v.Key}={v.Value}\n"));
    /// <summary>Queues whose messages are ours to bring.</summary>
    public IEnumerable<string> Queues => _functions.Queues.Select(f => f.Queue);

    /// <summary>With nothing running yet but storage and broker. Null where they aren't installed.</summary>
    public static async Task<FunctionsCloud?> Prepare(FunctionsPlan plan)
    {
        Directory.CreateDirectory(plan.Root);
        var hosts = Enumerable.Range(1, plan.Hosts).Select(i => $"sim-{i}").ToArray();
        var users = new List<(string, string, string)> { (User, Password, ".*") };
        foreach (var host in hosts)
        {
            var secret = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(12));
            await File.WriteAllTextAsync(Path.Combine(plan.Root, $"host-{host}.secret"), secret);
            users.Add((Names.HostQueue(host), secret, $"^({Names.HostQueue(host).Replace(".", "\\.", StringComparison.Ordinal)}|{Names.Replies})$"));
        }
        var queues = Triggers.All(Slices.All).OfType<QueueTrigger>().Select(t => t.Queue).ToList();
        var broker = await RabbitMq.Start(new([.. queues, .. queues.Select(q => q + ".dead"), .. hosts.Select(Names.HostQueue)], users));
        var (tables, blobs) = (await Azurite.Start("table"), await Azurite.Start("blob"));
        if (broker is not null && tables is not null && blobs is not null) return new(plan, tables, blobs, broker, hosts);
        foreach (var one in new IAsyncDisposable?[] { broker, tables, blobs })
            if (one is not null) await one.DisposeAsync();
        return null;
    }

    public async Task Start()
    {
        _pool = new(() => HandlerProcess.Start(_plan.Program, _plan.Root, _environment), _plan.Every, Log);
        _queues = Read();
        (_front, _pumps) = (new(_functions, _pool, _plan.Listen), new(_functions, _pool, _queues, Log));
        await _front.Start();
        _pumps.Start();
        Hosts.Start();
    }

    /// <summary>The hosts first: what they said still arrives.</summary>
    public async Task Stop()
    {
        if (_pool is null) return;
        await Hosts.Stop();
        for (var i = 0; i < 300 && (await _queues!.Depths()).GetValueOrDefault(Names.Replies) > 0; i++) await Task.Delay(100);
        await _pumps!.DisposeAsync();
        await _front!.DisposeAsync();
        await _pool.DisposeAsync();
        await _queues!.DisposeAsync();
        (Executions, Processes, Crashes, _pool) = (Executions + _pool.Executions, Processes + _pool.Started, Crashes + _pool.Crashes, null);
    }

    /// <summary>kill -9 to an instance that is at work; false when none is.</summary>
    public bool KillInstance(int which) => _pool!.Kill(which);

    /// <summary>The broker, as somebody who looks into it.</summary>
    public AmqpBus Read() => new(Platform.Bus.Brokers.Broker.Parse(BrokerConnection), TimeProvider.System, new TimeOrderedIds(TimeProvider.System), NullLogger.Instance);

    public IEntityStore Store(Platform.Bus.IBus bus) => new TableStore(new(_tables.Connection, "cloud", TimeProvider.System), bus, TimeProvider.System, new TimeOrderedIds(TimeProvider.System));

    /// <summary>What each host remembers, while it is stopped.</summary>
    public IEnumerable<(string Host, Dictionary<string, Thing> Things)> Held() => _hosts.Select(h => (h, Journal.Read(Path.Combine(_plan.Root, "agents", h + ".journal"))));

    private void Log(string text)
    {
        lock (_writing) File.AppendAllText(Path.Combine(_plan.Root, "instances.log"), text.TrimEnd() + "\n");
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        await Hosts.DisposeAsync();
        await _tables.DisposeAsync();
        await _blobs.DisposeAsync();
        await Broker.DisposeAsync();
    }
}
