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
public sealed class SimulatedHost(string name, Faults? faults = null)
{
    private sealed class Thing
    {
        public long Fence;
        public readonly List<string> Begun = [];
        public readonly Dictionary<string, Result?> Done = [];
        public Command? Spec;
        public string State = "";
    }

    private readonly Dictionary<string, Thing> _things = [];
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

    /// <returns>Null when the answer is lost on the way.</returns>
    public CommandReply? Handle(CommandMessage m)
    {
        lock (_gate)
        {
            CommandReply Reply(Outcome outcome, Result? result = null, string? text = null, bool retry = false) =>
                new(name, m.Id, m.ReplyTo, m.Command.Key, m.Fence, outcome, result, text, retry);

            if (m.Command is ReadConsole console) return Reply(Outcome.Done, new(Text: Console(console)));
            if (!_things.TryGetValue(m.Command.Key, out var thing)) _things[m.Command.Key] = thing = new();
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
            var result = Do(m.Command, thing);
            thing.Done[m.Id] = result;
            return faults is not null && _chance.NextDouble() < faults.LoseReply ? null : Reply(Outcome.Done, result);
        }
    }

    public Heartbeat Beat() => new(name, Boot, new(64, 256 * 1024, 4096, "simulated", "1.0.0", "simulated", "", ["public"], "nova", 0, 0, 0), ++_beats);

    public Inventory Inventory()
    {
        lock (_gate) return new(name, Boot, [.. _things.Where(t => t.Value.Spec is not null).Select(t => new InventoryItem(t.Key, t.Value.Fence, t.Value.State))]);
    }

    private static Result? Do(Command command, Thing thing)
    {
        switch (command)
        {
            case RemoveImage or RemoveDisk or RemovePort or RemoveRouter or RemoveDomain:
                thing.Spec = null;
                return null;
            case RebootDomain:
                return null;
            case EnsureNetwork:
                return null; // present only with a port
            case EnsureDisk disk:
                thing.Spec = command;
                return new(Bytes: disk.Bytes);
            default:
                thing.Spec = command;
                return null;
        }
    }

    private string Console(ReadConsole ask)
    {
        var known = _things.TryGetValue($"domain/{ask.ServerId}", out var t) && t.Spec is EnsureDomain;
        return known ? "simulated guest\nlogin: \n" : "";
    }
}
