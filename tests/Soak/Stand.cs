using System.Net;
using System.Net.Sockets;
using Cloud.Agents.Simulated;

namespace Cloud.Soak;

/// <summary>A cloud of real processes that may be killed one by one, stopped, and started again on the same directory.</summary>
public abstract class Stand : IAsyncDisposable
{
    private readonly int _http = Free();

    protected string Listen => $"127.0.0.1:{_http}";
    public string Url => "http://" + Listen;
    /// <summary>The control plane's directory.</summary>
    public abstract string Data { get; }
    /// <summary>How many processes can be killed.</summary>
    public abstract int Victims { get; }
    /// <summary>What was killed how often.</summary>
    public abstract string Told { get; }

    public abstract Task Start(CancellationToken ct);
    /// <summary>kill -9, and a start after a while.</summary>
    public abstract Task Kill(int victim, TimeSpan away);
    /// <summary>Starts what ended by itself.</summary>
    public abstract Task Look();
    public abstract Task Stop();
    /// <summary>What each host remembers, while all is stopped.</summary>
    public abstract IEnumerable<(string Host, Dictionary<string, Thing> Things)> Held();
    /// <summary>Guests that really run, with the ids of their processes.</summary>
    public virtual IReadOnlyDictionary<string, int> Guests() => new Dictionary<string, int>();
    /// <summary>Where what a host remembers isn't what is really there.</summary>
    public virtual Task<IReadOnlyList<string>> Untrue() => Task.FromResult<IReadOnlyList<string>>([]);
    /// <summary>Takes the stand down, after everything was deleted and all is stopped, and says what is left on this machine all the same.</summary>
    public virtual Task<IReadOnlyList<string>> Leftovers() => Task.FromResult<IReadOnlyList<string>>([]);
    public abstract ValueTask DisposeAsync();

    protected static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Control plane and simulated hosts, each a process.</summary>
public sealed class SimulatedStand : Stand
{
    private readonly Victim[] _victims;
    private readonly string _agents;
    private readonly IReadOnlyList<string> _hosts;

    public SimulatedStand(Options options, string root)
    {
        (Data, _agents) = (Path.Combine(root, "cloud"), Path.Combine(root, "agents"));
        _hosts = [.. Enumerable.Range(1, options.Hosts).Select(i => $"sim-{i}")];
        var amqp = Free();
        _victims =
        [
            new("the control plane", Path.Combine(options.Bin, "Cloud.Functions"),
                ["up", "--data", Data, "--listen", Listen, "--amqp", $"127.0.0.1:{amqp}", .. _hosts.SelectMany(h => new[] { "--host", h })], Path.Combine(root, "control.log")),
            new("the host agent", Path.Combine(options.Bin, "Cloud.Agents.Simulated"),
                ["--data", _agents, "--control", $"amqp://127.0.0.1:{amqp}", "--secrets", Data, "--beat", "2", .. _hosts.SelectMany(h => new[] { "--name", h })], Path.Combine(root, "agent.log")),
        ];
    }

    public override string Data { get; }
    public override int Victims => _victims.Length;
    public override string Told => $"{_victims.Sum(v => v.Kills)} kills ({string.Join(", ", _victims.Select(v => $"{v.Kills} of {v.Name}"))}; {_victims.Sum(v => v.Crashes)} ends of their own)";

    public override Task Start(CancellationToken ct)
    {
        foreach (var victim in _victims) victim.Start();
        return Task.CompletedTask;
    }

    public override Task Kill(int victim, TimeSpan away) => _victims[victim].Kill(away);

    public override async Task Look()
    {
        foreach (var victim in _victims) await victim.Look();
    }

    public override async Task Stop()
    {
        foreach (var victim in _victims.Reverse()) await victim.Stop();
    }

    public override IEnumerable<(string, Dictionary<string, Thing>)> Held() => _hosts.Select(h => (h, Journal.Read(Path.Combine(_agents, h + ".journal"))));

    public override async ValueTask DisposeAsync()
    {
        foreach (var victim in _victims) await victim.DisposeAsync();
    }
}
