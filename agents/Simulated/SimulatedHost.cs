using System.Text.Json;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Simulated;

/// <summary>How a simulated host misbehaves. All chances come from one seed.</summary>
/// <param name="Fail">Share of commands that fail and may be tried again.</param>
/// <param name="LoseReply">Share of commands that are carried out but whose answer is lost.</param>
public sealed record Faults(int Seed = 0, double Fail = 0, double LoseReply = 0);

/// <summary>
/// A host without a hypervisor: the same contract, fences and tombstones, and a world made of names. A part of the product: tests, load and
/// trying out a cloud of fifty hosts on a laptop.
/// </summary>
public sealed class SimulatedHost(string name, Faults? faults = null, Journal? journal = null)
{
    private readonly Dictionary<string, Thing> _things = journal?.Things ?? [];
    private readonly HashSet<string> _changed = [];
    private readonly Random _chance = new(faults?.Seed ?? 0);
    private readonly Lock _gate = new();
    private long _beats;

    public string Name => name;
    public string Boot { get; private set; } = "boot-1";

    /// <summary>What exists here now, by key.</summary>
    public IReadOnlyDictionary<string, Command> World
    {
        get { lock (_gate) return _things.Where(t => t.Value.Spec is not null).ToDictionary(t => t.Key, t => t.Value.Spec!); }
    }

    /// <summary>All it remembers, in lines as a <see cref="Journal"/> has them.</summary>
    public IReadOnlyList<string> Remembers
    {
        get { lock (_gate) return [.. _things.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => JsonSerializer.Serialize(t, Journal.Json))]; }
    }

    /// <summary>Another one of the same name that holds and remembers the same.</summary>
    public SimulatedHost Copy()
    {
        lock (_gate) return From(name, _things.ToDictionary(t => t.Key, t => new Thing { Fence = t.Value.Fence, Begun = [.. t.Value.Begun], Done = new(t.Value.Done), Spec = t.Value.Spec }));
    }

    /// <summary>A host that went away and comes back with its memory.</summary>
    public static SimulatedHost From(string name, Dictionary<string, Thing> things)
    {
        var host = new SimulatedHost(name);
        foreach (var (key, thing) in things) host._things[key] = thing;
        return host;
    }

    /// <returns>Null when the answer is lost on the way.</returns>
    public CommandReply? Handle(CommandMessage m)
    {
        lock (_gate)
        {
            try { return Carry(m); }
            finally
            {
                journal?.Write(_changed);
                _changed.Clear();
            }
        }
    }

    private CommandReply? Carry(CommandMessage m)
    {
        CommandReply Reply(Outcome outcome, Result? result = null, string? text = null, bool retry = false) =>
            new(name, m.Id, m.ReplyTo, m.Command.Key, m.Fence, outcome, result, text, retry);

        if (m.Command is ReadConsole console) return Reply(Outcome.Done, new(Text: Console(console)));
        if (!_things.TryGetValue(m.Command.Key, out var thing)) _things[m.Command.Key] = thing = new();
        _changed.Add(m.Command.Key);
        if (m.Fence < thing.Fence) return Reply(Outcome.Stale, text: $"fence {m.Fence} is below {thing.Fence}");
        if (m.Fence > thing.Fence)
        {
            thing.Fence = m.Fence;
            thing.Begun.Clear();
            thing.Done.Clear();
        }
        if (thing.Done.TryGetValue(m.Id, out var known)) return Reply(Outcome.Done, known);
        var at = thing.Begun.IndexOf(m.Id);
        if (at >= 0 && at < thing.Begun.Count - 1) return Reply(Outcome.Stale, text: "overtaken by a later command");
        if (at < 0) thing.Begun.Add(m.Id);
        if (faults is not null && _chance.NextDouble() < faults.Fail) return Reply(Outcome.Failed, text: "simulated fault", retry: true);
        if (Lacks(m.Command) is { } missing) return Reply(Outcome.Failed, text: missing + " is not here", retry: true);
        var result = Do(m.Command, thing);
        thing.Done[m.Id] = result;
        return faults is not null && _chance.NextDouble() < faults.LoseReply ? null : Reply(Outcome.Done, result);
    }

    public Heartbeat Beat() => new(name, Boot, new(64, 256 * 1024, 4096, "simulated", "1.0.0", "simulated", "", ["public"], "nova", 0, 0, 0), ++_beats);

    public Inventory Inventory()
    {
        lock (_gate) return new(name, Boot, [.. _things.Where(t => t.Value.Spec is not null).Select(t => new InventoryItem(t.Key, t.Value.Fence, t.Value.Spec is EnsureDomain d ? d.Domain.Power switch { PowerState.Off => "off", PowerState.Paused => "paused", _ => "running" } : null, t.Value.Begun is [.., var last] && !t.Value.Done.ContainsKey(last) ? true : null))]);
    }

    private Result? Do(Command command, Thing thing)
    {
        switch (command)
        {
            case RemoveImage or RemoveDisk or RemovePort or RemoveRouter or RemoveDomain:
                thing.Spec = null;
                return null;
            case RebootDomain:
                return null;
            case EnsureNetwork { Network: var network }:
                // Present only with a port.
                foreach (var (key, t) in _things)
                    if (t.Spec is EnsurePort p && p.Network.NetworkId == network.NetworkId && p.Network.Revision < network.Revision)
                    {
                        t.Spec = p with { Network = network };
                        _changed.Add(key);
                    }
                return null;
            case EnsurePort { Network: var network } port:
                var newer = _things.Values.Select(t => (t.Spec as EnsurePort)?.Network).FirstOrDefault(n => n?.NetworkId == network.NetworkId && n.Revision > network.Revision);
                thing.Spec = newer is null ? port : port with { Network = newer };
                return newer is null ? Do(new EnsureNetwork(network), thing) : null;
            case EnsureDisk disk:
                thing.Spec = command;
                return new(Bytes: disk.Bytes);
            default:
                thing.Spec = command;
                return null;
        }
    }

    /// <summary>What the command needs and isn't there, as a hypervisor would find.</summary>
    private string? Lacks(Command command) => (command switch
    {
        CopyDisk c => [$"disk/{c.FromDiskId}"],
        EnsureDomain { Domain: var d } => [.. d.Disks.Select(x => $"disk/{x.DiskId}"), .. d.Nics.Select(n => $"port/{n.PortId}")],
        RebootDomain r => [$"domain/{r.ServerId}"],
        _ => Array.Empty<string>(),
    }).FirstOrDefault(key => _things.GetValueOrDefault(key)?.Spec is null);

    private string Console(ReadConsole ask)
    {
        var known = _things.TryGetValue($"domain/{ask.ServerId}", out var t) && t.Spec is EnsureDomain;
        return known ? "simulated guest\nlogin: \n" : "";
    }
}
