using System.Net;
using Cloud.Agents.Simulated;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Blobs;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;
using Cloud.Platform.Local;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud;

/// <summary>The whole control plane in one process: web server, pumps and timers over a state directory.</summary>
public sealed class Embedded : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly LocalState _state;
    private readonly WebApplication _web;
    private readonly List<Task> _loops = [];
    private AmqpListener? _amqp;

    public Services Services { get; }

    private Embedded(LocalState state, WebApplication web, Services services) => (_state, _web, Services) = (state, web, services);

    public static async Task<Embedded> Start(EmbeddedOptions options)
    {
        Directory.CreateDirectory(options.Data);
        File.SetUnixFileMode(options.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var state = await Open(options);
        var url = $"http://{(options.Listen.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : options.Listen.Address)}:{options.Listen.Port}";
        var (admin, demo) = (Credentials.Secret(options.Data, "admin-password"), Credentials.Secret(options.Data, "demo-password"));
        var settings = SettingsFile.Apply(options.Settings, new() { AdminPassword = admin, DemoPassword = demo, ControlUrl = url });
        var services = Composition.Services(state.Store, state.Bus, new FileBlobs(Path.Combine(options.Data, "blobs")), TimeProvider.System, new TimeOrderedIds(TimeProvider.System),
            settings, Slices.Named(options.Services), objects: ObjectStores.Of(settings, options.ObjectStores, options.Data));
        await Composition.Start(services);
        Operations.Prometheus.Listen();

        var web = WebServer.Build(options.Data, options.Listen);
        var log = web.Services.GetRequiredService<ILoggerFactory>().CreateLogger("cloud");
        var router = new Router(services, (e, text) => log.LogError(e, "{Text}", text));
        web.Run(http => Http.Serve(http, router));

        var cloud = new Embedded(state, web, services);
        await cloud.Hosts(options, log);
        foreach (var trigger in Triggers.All(services.Slices))
            cloud._loops.Add(trigger switch
            {
                QueueTrigger q => Task.Run(() => new Pump(services, q, log).Run(cloud._stop.Token)),
                TimerTrigger t => Task.Run(() => Timers.Run(services, t, log, cloud._stop.Token)),
                _ => Task.CompletedTask,
            });
        cloud._loops.Add(Task.Run(() => Slack.GiveBack(services.Clock, cloud._stop.Token)));
        await web.StartAsync();
        Credentials.Write(options.Data, url, admin, demo);
        return cloud;
    }

    /// <summary>The state, as soon as nobody else has it: one that is to be followed, of an older version perhaps, answers until it ends or is ended.</summary>
    private static async Task<LocalState> Open(EmbeddedOptions options)
    {
        var clock = TimeProvider.System;
        for (var until = clock.GetUtcNow() + options.TakeOver; ;)
            try { return LocalState.Open(Path.Combine(options.Data, "state.db"), clock); }
            catch (StoreUnavailableException e) when (e.InnerException is IOException && clock.GetUtcNow() < until) { await Task.Delay(TimeSpan.FromMilliseconds(50), clock); }
    }

    private async Task Hosts(EmbeddedOptions options, ILogger log)
    {
        foreach (var host in options.Hosts)
        {
            var file = Path.Combine(options.Data, $"host-{host}.secret");
            if (!File.Exists(file)) Credentials.Private(file, await HostKeys.Make(Services.Store, host));
        }
        for (var i = 1; i <= options.Simulated; i++)
        {
            var name = $"sim-{i}";
            _loops.Add(Task.Run(() => Simulate(name, Path.Combine(options.Data, "simulated"))));
        }
        if (options.Amqp is { } amqp) _amqp = new(Services.Bus, (host, secret) => HostKeys.Check(Services.Store, host, secret), amqp, TimeProvider.System, Services.Ids, log, (user, secret) => Events.Facade.Admit(Services, user, secret));
    }

    /// <summary>What it holds outlives this process, as on real hosts; and as with them, nobody waits for it to find out.</summary>
    private async Task Simulate(string name, string journals)
    {
        using var journal = new Journal(Path.Combine(Directory.CreateDirectory(journals).FullName, name + ".journal"));
        await Fleet.Run(new(name, journal: journal), new BusHostLink(Services, name), TimeSpan.FromSeconds(10), TimeProvider.System, _stop.Token);
    }

    public Task Stopped => _web.WaitForShutdownAsync();

    public async ValueTask DisposeAsync()
    {
        await _web.StopAsync();
        if (_amqp is { } amqp) await amqp.DisposeAsync();
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        await _web.DisposeAsync();
        _state.Dispose();
        _stop.Dispose();
    }
}
