using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Amqp;
using Amqp.Framing;
using Amqp.Listener;
using Cloud.Agents.Contract;
using Cloud.Platform.State;

namespace Cloud.Platform.Bus;

/// <summary>
/// AMQP 1.0 for the hosts of an embedded cloud. A host signs in with its own secret, which opens two things: receiving from its
/// own queue and sending to the replies queue. Everything else is refused; a host's newer connection ends its older one. Guests receive from topics.
/// </summary>
public sealed class AmqpListener : IContainer, IAsyncDisposable
{
    /// <summary>Nothing on the wire is larger than this; longer messages come in several frames.</summary>
    internal const int MaxFrame = 64 * 1024;
    internal static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);

    private readonly AmqpParts _parts;
    private readonly AmqpDoor _door;
    private readonly ConnectionListener _listener;
    /// <summary>What ends the link that has a guest's subscription now.</summary>
    private readonly ConcurrentDictionary<string, Action> _subscribed = [];

    /// <param name="check">Host and secret: whether they belong together.</param>
    /// <param name="guest">User and secret: who that is; null for nobody.</param>
    public AmqpListener(IBus bus, Func<string, string, ValueTask<bool>> check, IPEndPoint listen, TimeProvider clock, IIds ids, ILogger log, Func<string, string, ValueTask<AmqpGuest?>>? guest = null)
    {
        _parts = new(bus, clock, ids, log);
        _door = new(check, guest ?? ((_, _) => default), listen, clock, log);
        CustomTransports = new Dictionary<string, TransportProvider> { [AmqpDoor.Scheme] = _door };
        _listener = new(new Address(listen.Address.ToString(), listen.Port, null, null, "/", AmqpDoor.Scheme), this);
        _listener.AMQP.ContainerId = "cloud";
        _listener.AMQP.MaxFrameSize = MaxFrame;
        _listener.AMQP.MaxSessionsPerConnection = 2;
        _listener.AMQP.MaxLinksPerSession = 4;
        _listener.AMQP.IdleTimeout = (int)Silence.TotalMilliseconds;
        _listener.Open();
    }

    /// <summary>Where it listens; tells the port when 0 was asked for.</summary>
    public IPEndPoint Address => _door.Address;

    public X509Certificate2? ServiceCertificate => null;
    public IDictionary<string, TransportProvider> CustomTransports { get; }

    public Link CreateLink(ListenerConnection connection, ListenerSession session, Attach attach) => new ListenerLink(session, attach);

    public bool AttachLink(ListenerConnection connection, ListenerSession session, Link link, Attach attach)
    {
        var peer = connection.Principal as AmqpPeer ?? throw Refuse("nobody signed in");
        if (peer.Guest is { } guest)
        {
            if (!attach.Role || attach.Source is not Source { Dynamic: false, Address: { } address }) throw Refuse("only topics can be received from");
            if (attach.SndSettleMode == SenderSettleMode.Settled) throw Refuse("what is received must be settled by the receiver");
            _ = Subscribe(guest, (ListenerLink)link, attach, address);
            return false;
        }
        if (attach.Role)
        {
            if (attach.Source is not Source { Dynamic: false } source || source.Address != Names.HostQueue(peer.Host)) throw Refuse("a host receives from its own queue");
            AmqpLending.Start(_parts, source.Address, (ListenerLink)link);
        }
        else
        {
            if (attach.Target is not Target { Dynamic: false, Address: Names.Replies }) throw Refuse("a host sends to the replies queue");
            AmqpReplies.Start(_parts, peer, (ListenerLink)link);
        }
        return true;
    }

    /// <summary>The topic is opened before the link is: what can't be had closes it with the reason.</summary>
    private async Task Subscribe(AmqpGuest guest, ListenerLink link, Attach attach, string address)
    {
        try
        {
            var topic = await guest.Open(address, attach.LinkName);
            var end = AmqpTopicLink.Start(_parts, link, topic);
            link.CompleteAttach(attach, null);
            _subscribed.AddOrUpdate(topic.Name, end, (_, old) => { old(); return end; });
        }
        catch (AmqpRefusal e) { link.CompleteAttach(attach, new Error(e.Condition) { Description = e.Message }); }
        catch (StoreUnavailableException) { link.CompleteAttach(attach, new Error(ErrorCode.InternalError)); }
        catch (AmqpException) { /* it hung up */ }
    }

    /// <summary>A message is one run of bytes; whatever else AMQP allows in one, hosts have no use for.</summary>
    public Amqp.Message CreateMessage(ByteBuffer buffer)
    {
        var bytes = buffer.Buffer.AsSpan(buffer.Offset, buffer.Length);
        var body = bytes switch
        {
            [0, 0x53, 0x75, 0xA0, var length, .. var rest] when length == rest.Length => rest,
            [0, 0x53, 0x75, 0xB0, var a, var b, var c, var d, .. var rest] when (a << 24 | b << 16 | c << 8 | d) == rest.Length => rest,
            _ => throw new AmqpException(ErrorCode.DecodeError, "a message holds one data section"),
        };
        return new Amqp.Message { BodySection = new Data { Binary = body.ToArray() } };
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _door.Stopped;
    }

    private static AmqpException Refuse(string why) => new(ErrorCode.UnauthorizedAccess, why);
}

/// <summary>What both kinds of link need.</summary>
internal sealed record AmqpParts(IBus Bus, TimeProvider Clock, IIds Ids, ILogger Log);
