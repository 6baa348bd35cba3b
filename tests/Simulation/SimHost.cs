using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Simulated;
using Cloud.Platform.Bus;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloud.Tests.Simulation;

/// <summary>A host: the real agent's inbox and ledger over a world made of names. Its disk and its guests outlive the agent.</summary>
public sealed class SimHost(SimCloud cloud, string name) : IDisposable
{
    private const double BetweenInventories = 600;
    private readonly Ledger _ledger = new(":memory:");
    private readonly Dictionary<string, Command> _world = [];
    private readonly double _skew = (cloud.Wheel.Chance.NextDouble() - 0.5) * 2 * cloud.Now.Skew;
    private Life? _life;
    private int _boots = 1, _lives, _beats, _inHand;
    private long _sent;
    private bool _guests = true;

    /// <summary>One run of the agent.</summary>
    private sealed class Life(Inbox inbox)
    {
        public Inbox Inbox => inbox;
        public bool Over { get; set; }
        public bool Ready { get; set; }
        public HashSet<string> Keys { get; } = [];
    }

    public string Name => name;
    private SimCloud Cloud => cloud;
    public bool Cut { get; set; }
    public bool Up => _life is not null;
    public bool Idle => _inHand == 0;
    public IReadOnlyDictionary<string, Command> World => _world;

    private DateTimeOffset Clock => cloud.Wheel.Now + TimeSpan.FromSeconds(_skew);

    /// <summary>As the simulated host that it would be.</summary>
    public SimulatedHost Shown() => SimulatedHost.From(name, _world.ToDictionary(w => w.Key, w => new Thing { Fence = _ledger.Fence(w.Key), Spec = w.Value }));

    public async void Start()
    {
        if (_life is not null) return;
        cloud.Say($"{name} starts");
        var world = new HostWorld(_world, this);
        var life = _life = new(new(_ledger, world.Table, new KeyLock(), 64, NullLogger.Instance));
        _lives++;
        _guests = true;
        var inventories = new Inventories(new() { Name = name, Data = "/nowhere" }, $"boot-{_boots}", _ledger, life.Inbox.InHand, [new Holder(this, life, "group/", "port/", "router/"), new Holder(this, life, "disk/"), new Holder(this, life, "domain/")], new Skewed(this), NullLogger.Instance);
        await Send(life, await inventories.Look(CancellationToken.None));
        life.Ready = true;
        Beat(life);
        Tell(life, inventories);
        Look();
    }

    /// <summary>The agent is killed; with <paramref name="machine"/> the guests as well.</summary>
    public void Die(bool machine)
    {
        if (_life is null) return;
        cloud.Say($"{name} dies{(machine ? " with its machine" : "")}");
        _life.Over = true;
        (_life, _inHand) = (null, 0);
        if (machine) (_boots, _guests) = (_boots + 1, false);
    }

    /// <summary>A guest switches itself off.</summary>
    public async void End()
    {
        var running = _world.Where(w => Runs(w.Key)).Select(w => w.Key).ToList();
        if (_life is not { } life || running.Count == 0) return;
        var key = cloud.Wheel.Pick(running);
        var domain = ((EnsureDomain)_world[key]).Domain;
        _world[key] = new EnsureDomain(domain with { Power = PowerState.Off });
        cloud.Say($"{name} {key} ends by itself");
        await Send(life, new DomainEvent(name, domain.ServerId, "off", Clock, _ledger.Fence(key)));
    }

    public bool Runs(string key) => _guests && _world.GetValueOrDefault(key) is EnsureDomain { Domain.Power: PowerState.Running };

    /// <summary>It comes again now and then, so that what was missed or failed is found.</summary>
    private async void Tell(Life life, Inventories inventories)
    {
        for (var wait = Inventories.First(name, TimeSpan.FromSeconds(BetweenInventories)).TotalSeconds; !life.Over; wait = BetweenInventories)
        {
            await Pause(life, wait);
            await Send(life, await inventories.Look(CancellationToken.None));
        }
    }

    /// <summary>Things of some kinds, which are looked at in turn while commands go on.</summary>
    private sealed class Holder(SimHost host, Life life, params string[] kinds) : IHolder
    {
        public Task Recover(CancellationToken ct) => Task.CompletedTask;

        public async Task<IReadOnlyList<InventoryItem>> Items(CancellationToken ct)
        {
            await host.Pause(life, host.Cloud.Wheel.Skewed(5));
            return [.. host._world.Where(w => kinds.Any(k => w.Key.StartsWith(k, StringComparison.Ordinal))).Select(w => new InventoryItem(w.Key, 0, State(w.Value)))];
        }
    }

    private sealed class Skewed(SimHost host) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => host.Clock;
    }

    public async void Look()
    {
        if (_life is not { Ready: true } life || Cut || _inHand >= 8) return;
        foreach (var d in await cloud.Bus.Receive(Names.HostQueue(name), 1, TimeSpan.FromSeconds(30), TimeSpan.Zero))
        {
            Take(life, d);
            Look();
        }
    }

    private async void Take(Life life, Delivery d)
    {
        _inHand++;
        var m = ContractJson.ReadCommand(d.Message.Body.Span);
        cloud.Say($"{name} gets {m.Command.GetType().Name} {m.Command.Key} {m.Fence} {m.Id}");
        await Pause(life, cloud.Wheel.Skewed(2));
        // The inbox would see to that as well, but would wake who waits on the thread pool.
        while (!life.Keys.Add(m.Command.Key)) await Pause(life, 0.01);
        var reply = await life.Inbox.Handle(m, CancellationToken.None);
        life.Keys.Remove(m.Command.Key);
        cloud.Say($"{name} {reply.Outcome} {m.Command.Key} {m.Id}");
        cloud.Running(this, m.Command.Key);
        await Send(life, reply);
        await cloud.Bus.Complete(d);
        _inHand--;
        Look();
    }

    /// <summary>Within a command.</summary>
    public Task Pause(double? seconds = null) => _life is { } life ? Pause(life, seconds ?? cloud.Wheel.Skewed(10)) : new TaskCompletionSource().Task;

    public Exception? Fault() =>
        cloud.Wheel.Maybe(cloud.Now.HostRefuses) ? new HandlerFault("simulated refusal", retry: false) : cloud.Wheel.Maybe(cloud.Now.HostFails) ? new HandlerFault("simulated fault", retry: true) : null;

    private Task Pause(Life life, double seconds)
    {
        var done = new TaskCompletionSource();
        cloud.Wheel.In(seconds, () => { if (!life.Over) cloud.Wheel.End(done); });
        return done.Task;
    }

    private async Task Send(Life life, HostMessage message)
    {
        await Pause(life, cloud.Wheel.Skewed(0.5));
        while (Cut || cloud.Out) await Pause(life, 1);
        var posted = cloud.Late(new(Names.Replies, $"{name}.{_lives}.{++_sent}", ContractJson.Write(message)));
        cloud.Bus.Add([posted]);
        cloud.Posted(posted);
    }

    private async void Beat(Life life)
    {
        while (!life.Over)
        {
            await Send(life, new Heartbeat(name, $"boot-{_boots}", new(64, 256 * 1024, 4096, "simulated", "1.0.0", "simulated", "", ["public"], "nova", 0, 0, 0), ++_beats));
            await Pause(life, cloud.Calm ? 25 : 10);
        }
    }

    private static string? State(Command command) => command is EnsureDomain { Domain.Power: var power } ? power switch { PowerState.Off => "off", PowerState.Paused => "paused", _ => "running" } : null;

    public void Dispose() => _ledger.Dispose();
}
