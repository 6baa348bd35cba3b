using Cloud.Agents.Contract;
using Cloud.Platform.Bus;
using Cloud.Platform.Sagas;

namespace Cloud.Platform.Agents;

/// <summary>Everything hosts say comes through here: from the one replies queue, or straight from a host whose line ends in this process.</summary>
public static class Replies
{
    public static string ToSaga(string partition, SagaRow saga) => $"saga|{partition}|{saga.Id}|{saga.Name}|{saga.Key}";
    public static string ToQueue(string queue) => "queue|" + queue;

    public static Task Handle(Services s, Delivery d, CancellationToken ct) => Accept(s, ContractJson.ReadHostMessage(d.Message.Body.Span), d.Message.Id, ct);

    /// <summary>Ends when what it means is on disk. May be done twice with the same <paramref name="id"/>.</summary>
    public static async Task Accept(Services s, HostMessage message, string id, CancellationToken ct)
    {
        switch (message)
        {
            case CommandReply reply: await Route(s, reply, id, ct); break;
            case Heartbeat beat: await Hosts.Beat(s, beat, ct); break;
            case Inventory inventory: await Reconciler.Compare(s, inventory, ct); break;
            case Samples samples:
                foreach (var slice in s.Slices)
                    if (slice.OnSamples is { } take) await take(s, samples, ct);
                break;
            case DomainEvent e:
                foreach (var slice in s.Slices)
                    if (slice.OnDomain is { } on) await on(s, e);
                break;
        }
    }

    private static async Task Route(Services s, CommandReply reply, string message, CancellationToken ct)
    {
        // The address came from us, through the host. A host can at worst repeat it: the saga compares command and host.
        switch (reply.ReplyTo.Split('|', 5))
        {
            case ["saga", var partition, var id, var name, var key]:
                await s.Bus.Send([new SagaMessage(partition, id, key, name) { Reply = reply }.ToBus($"{reply.CommandId}.{message}")], ct);
                break;
            case ["queue", var queue] when queue.StartsWith("answer.", StringComparison.Ordinal):
                await s.Bus.Send([new(queue, reply.CommandId, ContractJson.Write(reply))], ct);
                break;
        }
    }
}
