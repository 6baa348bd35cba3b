using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Cloud.Tests.Simulation;

/// <summary>Everything of one simulated cloud: the lasting store and bus, processes that come and go, hosts, and what is said of it all.</summary>
public sealed class SimCloud
{
    private const int Kept = 400;
    private readonly Queue<string> _trace = new();
    private readonly Services _like;
    private readonly List<string> _queues;
    private ulong _hash = 14695981039346656037;
    private int _born;

    public SimCloud(int seed, TestCloud like, Weather weather)
    {
        _like = like.Services;
        Wheel = new(new FakeTimeProvider(like.Clock.GetUtcNow()), seed);
        Bus = new(Wheel.Clock);
        Store = new(Bus);
        Store.Load(like.Store);
        Ids = new SeededIds(Wheel.Clock, seed);
        (Now, Slices) = (weather, like.Services.Slices);
        _queues = [.. Triggers.All(Slices).OfType<QueueTrigger>().Select(t => t.Queue)];
        Events.AddRange(like.Events);
        for (var i = 1; i <= weather.Hosts; i++) Hosts.Add(new(this, $"sim-{i:00}"));
        for (var i = 0; i < 2; i++) Processes.Add(New());
    }

    public Wheel Wheel { get; }
    public MemoryBus Bus { get; }
    public MemoryStore Store { get; }
    public IIds Ids { get; }
    public IReadOnlyList<Slice> Slices { get; }
    public List<Process> Processes { get; } = [];
    public List<SimHost> Hosts { get; } = [];
    public Weather Now { get; set; }
    /// <summary>All work has ended: nobody need look so often.</summary>
    public bool Calm { get; set; }
    /// <summary>The store answers nobody.</summary>
    public bool Out { get; set; }
    public List<string> Errors { get; } = [];
    public List<SeenEvent> Events { get; } = [];
    /// <summary>Promises that were seen broken on the way.</summary>
    public List<string> Broken { get; } = [];
    public int Deaths { get; set; }
    public int GivenUp { get; set; }
    public ulong Hash => _hash;
    public IReadOnlyCollection<string> Trace => _trace;
    public Action<string>? Listener { get; set; }

    private Process New() => new(this, $"p{++_born}", _like);

    public void Say(string what)
    {
        var line = $"{(Wheel.Now - DateTimeOffset.UnixEpoch).TotalSeconds % 1e5:f3} {what}";
        foreach (var c in line) _hash = (_hash ^ c) * 1099511628211;
        if (_trace.Count == Kept) _trace.Dequeue();
        _trace.Enqueue(line);
        Listener?.Invoke(line);
    }

    public void See(Delivery delivery)
    {
        var e = SeenEvent.Read(delivery.Message.Body);
        Events.Add(e);
        Say($"sees {e.Type["cloud.serverless.".Length..]} {e.Subject} {e.Revision} {e.Id}");
    }

    /// <summary>A process that can take something; null when none can now.</summary>
    public Process? Free()
    {
        var free = Processes.Where(p => !p.Dead && !p.Busy).ToList();
        return free.Count == 0 ? null : Wheel.Pick(free);
    }

    /// <summary>Another one comes in its place, a little later.</summary>
    public void Died(Process process)
    {
        Deaths++;
        Wheel.In(Wheel.Chance.NextDouble() * 10, () =>
        {
            var next = New();
            Processes[Processes.IndexOf(process)] = next;
            Say($"{next.Name} starts");
        });
    }

    /// <summary>Looks whether a guest runs twice, after anything was done to it.</summary>
    public void Running(SimHost host, string key)
    {
        if (host.Runs(key) && Hosts.FirstOrDefault(h => h != host && h.Runs(key)) is { } other) Broken.Add($"{key} runs on {host.Name} and on {other.Name}");
    }

    /// <summary>A message on its way to the bus may be late, unless its session keeps an order.</summary>
    public Message Late(Message m) =>
        m.Session is null && Wheel.Maybe(Now.Late) ? m with { NotBefore = Max(m.NotBefore, Wheel.Now + TimeSpan.FromSeconds(Wheel.Skewed(60))) } : m;

    /// <summary>It is on the bus: it may come again, and somebody looks.</summary>
    public void Posted(Message m)
    {
        if (Wheel.Maybe(Now.Twice)) Wheel.In(Wheel.Skewed(90), () => { Say($"again {m.Queue} {m.Id}"); Bus.Add([m]); Look(m.Queue, 0); });
        Look(m.Queue, m.NotBefore is { } due && due > Wheel.Now ? (due - Wheel.Now).TotalSeconds + 0.001 : 0);
    }

    private static DateTimeOffset Max(DateTimeOffset? a, DateTimeOffset b) => a is { } x && x > b ? x : b;

    /// <summary>Somebody looks soon whether there is anything in the queue.</summary>
    public void Look(string queue, double seconds) => Wheel.In(seconds + Wheel.Chance.NextDouble() * 0.01, () => Deliver(queue));

    public void LookEverywhere()
    {
        Wheel.In(Calm ? 5 : 1, LookEverywhere);
        foreach (var queue in _queues) Deliver(queue);
        foreach (var host in Hosts) host.Look();
    }

    private async void Deliver(string queue)
    {
        if (queue.StartsWith("host.", StringComparison.Ordinal))
        {
            foreach (var host in Hosts)
                if (Names.HostQueue(host.Name) == queue) host.Look();
            return;
        }
        if (!_queues.Contains(queue) || Free() is not { } process) return;
        foreach (var d in await Bus.Receive(queue, 1, TimeSpan.FromSeconds(30), TimeSpan.Zero))
        {
            Say($"{process.Name} takes {queue} {d.Message.Id} {d.Attempt}");
            Look(queue, 0);
            process.Take(queue, d);
        }
    }
}
