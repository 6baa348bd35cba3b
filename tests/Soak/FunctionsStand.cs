using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Cloud.Tests.Kit;

namespace Cloud.Soak;

/// <summary>
/// The control plane as a function app without any state of its own, behind a Functions host that we play; rows and bytes in Azurite, messages in RabbitMQ. Killed are instances at
/// work, the hosts' process, and the broker. Azurite is none of the victims: it writes its files seconds after it answered.
/// </summary>
public sealed class FunctionsStand(Options options, string root) : Stand
{
    private FunctionsCloud? _cloud;
    private int _instances, _brokers, _which;
    private readonly SemaphoreSlim _broker = new(1);

    public override string Data => root;
    public override int Victims => 3;
    public override int Crashes => _cloud is { } c ? c.Crashes + c.Hosts.Crashes : 0;
    public override TimeSpan Patience => TimeSpan.FromMinutes(5);
    public override string Told => $"{_instances + _brokers + (_cloud?.Hosts.Kills ?? 0)} kills ({_instances} of instances at work, {_cloud?.Hosts.Kills} of {_cloud?.Hosts.Name}, {_brokers} of the broker; {Crashes} ends of their own), {_cloud?.Executions} executions by {_cloud?.Processes} processes";

    public override async Task Start(CancellationToken ct)
    {
        _cloud ??= await FunctionsCloud.Prepare(new(options.Bin, root, IPEndPoint.Parse(Listen), options.Every, options.Hosts, Beat: 5)) ?? throw new ArgumentException(FunctionsCloud.Missing);
        await File.WriteAllTextAsync(Path.Combine(root, "admin-password"), _cloud.AdminPassword, ct);
        await _cloud.Start();
    }

    public override async Task Kill(int victim, TimeSpan away)
    {
        switch (victim)
        {
            case 0:
                // Only what is at work can be killed there; with a little patience something is.
                for (var i = 0; i < 250; i++)
                {
                    if (_cloud!.KillInstance(_which++)) { _instances++; return; }
                    await Task.Delay(20);
                }
                return;
            case 1:
                await _cloud!.Hosts.Kill(away);
                return;
            default:
                await _broker.WaitAsync();
                try
                {
                    await _cloud!.Broker.Killed(away * 4);
                    _brokers++;
                }
                finally { _broker.Release(); }
                return;
        }
    }

    public override Task Look() => _cloud!.Hosts.Look();

    /// <summary>As the broker itself counts, and what a host sends by itself apart.</summary>
    public override async Task<bool> Quiet(Api api) => (await _cloud!.Broker.Depths()).All(q => q.Key == Names.Replies || q.Value == 0 || q.Key.EndsWith(".dead", StringComparison.Ordinal) || q.Key.StartsWith("answer.", StringComparison.Ordinal));

    public override Task Stop() => _cloud!.Stop();

    public override async Task<Remains> Left()
    {
        await using var bus = _cloud!.Read();
        return await Remains.Of(_cloud.Store(bus), bus, Held().Select(h => h.Item1), []);
    }

    public override IEnumerable<(string, Dictionary<string, Thing>)> Held() => _cloud!.Held();

    public override async ValueTask DisposeAsync()
    {
        if (_cloud is not null) await _cloud.DisposeAsync();
        _broker.Dispose();
    }
}
