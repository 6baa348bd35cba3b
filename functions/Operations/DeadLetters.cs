using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.Hosting;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Operations;

/// <summary>Queues and what was given up in them. Bodies are never shown: a command may hold a guest's secrets.</summary>
public static class DeadLetters
{
    /// <summary>Every queue that is read by a trigger or a host, or holds something now.</summary>
    public static async ValueTask<IReadOnlyList<(string Name, int Depth, int Dead)>> Queues(Services s, CancellationToken ct)
    {
        var depths = await s.Bus.Depths(ct);
        var names = Triggers.All(s.Slices).OfType<QueueTrigger>().Select(t => t.Queue).Concat((await Hosts.All(s, ct)).Select(h => Names.HostQueue(h.Name))).Concat(depths.Keys);
        var queues = new List<(string, int, int)>();
        foreach (var name in names.Distinct().Order(StringComparer.Ordinal)) queues.Add((name, depths.GetValueOrDefault(name), (await s.Bus.DeadLetters(name, 1000, ct)).Count));
        return queues;
    }

    /// <summary>What the message is about, without what it says.</summary>
    public static string About(Message m)
    {
        try
        {
            if (m.Queue == SagaMessage.Queue || m.Queue == Watchdog.Queue) return Json.Read<SagaMessage>(m.Body) is var saga ? $"{saga.Name} of {saga.Key} in {saga.Partition}" : "";
            if (m.Queue == CloudEvent.Queue) return Event.Read(m.Body) is var e ? $"{e.Type} of {e.Subject}" : "";
            if (m.Queue == Names.Replies) return ContractJson.ReadHostMessage(m.Body.Span) is var said ? $"{said.GetType().Name} of {said.Host}" : "";
            return ContractJson.ReadCommand(m.Body.Span) is var c ? $"{c.Command.GetType().Name} of {c.Command.Key}" : "";
        }
        catch (System.Text.Json.JsonException)
        {
            return "unreadable";
        }
    }
}
