using Cloud.Agents.Simulated;
using Cloud.Tests.Kit;

namespace Cloud.Soak;

/// <summary>Control plane and simulated hosts, each a process; and the disk below, where it is one of the victims.</summary>
public sealed class SimulatedStand : Stand
{
    private readonly Victim[] _victims;
    private readonly string _root, _agents;
    private readonly IReadOnlyList<string> _hosts;
    private readonly Options _options;
    private readonly SmallDisk? _disk;
    private readonly SemaphoreSlim _filling = new(1);
    private bool _ready;

    public SimulatedStand(Options options, string root)
    {
        (_options, _root, Data, _agents) = (options, root, Path.Combine(root, "cloud"), Path.Combine(root, "agents"));
        _disk = options.Disk == "full" ? new(Data) : null;
        _hosts = [.. Enumerable.Range(1, options.Hosts).Select(i => $"sim-{i}")];
        var amqp = FreePorts.One();
        _victims =
        [
            new("the control plane", Path.Combine(options.Bin, "Cloud.Functions"),
                ["up", "--data", Data, "--listen", Listen, "--amqp", $"127.0.0.1:{amqp}", .. _hosts.SelectMany(h => new[] { "--host", h })], _disk is null ? Path.Combine(root, "control.log") : Path.Combine(Data, "control.log"), since => _disk?.WasFullSince(since) == true),
            new("the host agent", Path.Combine(options.Bin, "Cloud.Agents.Simulated"),
                ["--data", _agents, "--control", $"amqp://127.0.0.1:{amqp}", "--secrets", Data, "--beat", "2", .. _hosts.SelectMany(h => new[] { "--name", h })], Path.Combine(root, "agent.log")),
        ];
    }

    public override string Data { get; }
    public override int Victims => _victims.Length + (_disk is null ? 0 : 1);
    public override int Crashes => _victims.Sum(v => v.Crashes);
    public override string Told => $"{_victims.Sum(v => v.Kills)} kills ({string.Join(", ", _victims.Select(v => $"{v.Kills} of {v.Name}"))}; {Crashes} ends of their own)"
        + (_disk is null ? "" : $", the disk full {_disk.Fillings} times ({_victims.Sum(v => v.Refusals)} starts refused)") + (_options.Disk == "slow" ? $", each sync {SlowDisk.Milliseconds} ms late, one in fifty {SlowDisk.Milliseconds * 20}" : "");

    public override async Task Start(CancellationToken ct)
    {
        if (!_ready && _disk is not null) await _disk.Mount();
        if (!_ready && _options.Disk == "slow")
        {
            var slow = await SlowDisk.Make(_root);
            foreach (var victim in _victims) victim.Environment = slow;
        }
        _ready = true;
        foreach (var victim in _victims) victim.Start();
    }

    public override Task Kill(int victim, TimeSpan away) => victim < _victims.Length ? _victims[victim].Kill(away) : Fill(away);

    // Long enough for somebody to be refused, as a rule.
    private async Task Fill(TimeSpan away)
    {
        await _filling.WaitAsync();
        try { await _disk!.Fill(() => Task.Delay(_options.Away is { } seconds ? TimeSpan.FromSeconds(seconds) : TimeSpan.FromSeconds(2) + (away * 8))); }
        finally { _filling.Release(); }
    }

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
        if (_disk is not null) await _disk.DisposeAsync();
        _filling.Dispose();
    }
}
