using System.Text.Json;
using Amqp;
using Amqp.Framing;
using Amqp.Listener;
using Cloud.Agents.Contract;
using Cloud.Platform.State;

namespace Cloud.Platform.Bus;

/// <summary>What a host sends. It is accepted when it is stored, and refused when it speaks for another host.</summary>
internal static class AmqpReplies
{
    internal static void Start(AmqpParts parts, AmqpPeer peer, ListenerLink link) => link.InitializeReceiver(AmqpPeer.MaxUnstored, (at, message, _, _) =>
    {
        peer.Begin();
        _ = Take(parts, peer, at, message);
    }, null);

    private static async Task Take(AmqpParts parts, AmqpPeer peer, ListenerLink link, Amqp.Message message)
    {
        try
        {
            link.DisposeMessage(message, await Store(parts, peer.Host, ((Data)message.BodySection).Binary), settled: true);
        }
        catch (AmqpException) { /* the line broke meanwhile: the host sends it again */ }
        finally { peer.End(); }
    }

    private static async Task<Amqp.Framing.Outcome> Store(AmqpParts parts, string host, byte[] body)
    {
        try
        {
            if (ContractJson.ReadHostMessage(body).Host != host) return Refuse(parts, host, "it speaks for another host", ErrorCode.UnauthorizedAccess);
            await parts.Bus.Send([new(Names.Replies, $"{host}.{parts.Ids.New()}", body)]);
            return new Accepted();
        }
        catch (Exception e) when (e is JsonException or NotSupportedException) { return Refuse(parts, host, "it is not a host's message", ErrorCode.DecodeError); }
        catch (StoreUnavailableException) { return new Released(); }
    }

    private static Rejected Refuse(AmqpParts parts, string host, string why, string condition)
    {
        parts.Log.LogWarning("AMQP: a message of host {Host} is refused: {Why}", host, why);
        return new() { Error = new Error(condition) { Description = why } };
    }
}
