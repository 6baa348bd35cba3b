using Cloud.Agents.Contract;
using Cloud.Platform.Bus;
using Cloud.Platform.Sagas;

namespace Cloud.Platform.Agents;

/// <summary>Everything hosts say comes through here, from the one replies queue.</summary>
public static class Replies
{
    public static string ToSaga(string partition, SagaRow saga) => $"saga|{partition}|{saga.Id}|{saga.Name}|{saga.Key}";
    public static string ToQueue(string queue) => "queue|" + queue;

    public static async Task Handle(Services s, Delivery d, CancellationToken ct)
    {
        switch (ContractJson.ReadHostMessage(d.Message.Body.Span))
        {
            case CommandReply reply: await Route(s, reply, d, ct); break;
            case Heartbeat beat: await Hosts.Beat(s, beat, ct); break;
            case Inventory inventory: await Reconciler.Compare(s, inventory, ct); break;
            case DomainEvent e:
                foreach (var slice in s.Slices)
                    if (slice.OnDomain is { } on) await on(s, e);
                break;
        }
    }

    private static async Task Route(Services s, CommandReply reply, Delivery d, CancellationToken ct)
    {
        // The address came from us, through the host. A host can at worst repeat it: the saga compares command and host.
        switch (reply.ReplyTo.Split('|', 5))
        {
            case ["saga", var partition, var id, var name, var key]:
                await s.Bus.Send([new SagaMessage(partition, id, key, name) { Reply = reply }.ToBus($"{reply.CommandId}.{d.Message.Id}")], ct);
                break;
            case ["queue", var queue] when queue.StartsWith("answer.", StringComparison.Ordinal):
                await s.Bus.Send([new(queue, reply.CommandId, d.Message.Body)], ct);
                break;
        }
    }
}
