using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Amqp;
using Amqp.Framing;
using Amqp.Sasl;
using Cloud.Agents.Contract;
using Cloud.Platform.Agents;
using Cloud.Tests.Kit;
using Xunit;
using Outcome = Cloud.Agents.Contract.Outcome;

namespace Cloud.Tests.Attacks;

/// <summary>What a host's credential must not open, and what must not take the listener down.</summary>
public sealed class HostCredentialTests
{
    private static readonly byte[] SaslHeader = [.. "AMQP"u8, 3, 1, 0, 0];
    private static readonly byte[] AmqpHeader = [.. "AMQP"u8, 0, 1, 0, 0];

    [Theory]
    [InlineData("host.h1", "wrong")]
    [InlineData("host.h1", "")]
    [InlineData("host.h2", null)]
    [InlineData("h1", null)]
    [InlineData("host.", null)]
    [InlineData("host.h1\0", null)]
    [InlineData("admin", null)]
    public async Task Wrong_credentials_open_nothing(string user, string? secret)
    {
        await using var lab = await HostLab.Start();
        await HostKeys.Make(lab.Store, "h2");
        await Assert.ThrowsAsync<AmqpException>(() => lab.Session(user, secret));
        await StillServes(lab);
    }

    [Fact]
    public async Task An_older_secret_is_void()
    {
        await using var lab = await HostLab.Start();
        await HostKeys.Make(lab.Store, HostLab.Host);
        await Assert.ThrowsAsync<AmqpException>(() => lab.Session());
    }

    [Fact]
    public async Task Nobody_comes_in_without_a_name()
    {
        await using var lab = await HostLab.Start();
        await Assert.ThrowsAnyAsync<Exception>(() => lab.Session(sasl: SaslProfile.Anonymous));
        using var socket = await Open(lab);
        await socket.SendAsync(AmqpHeader);
        Assert.Equal(SaslHeader, await Rest(socket));
        await StillServes(lab);
    }

    [Theory]
    [InlineData("host.h2")]
    [InlineData("replies")]
    [InlineData("sagas")]
    [InlineData("events")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("HOST.H1")]
    public async Task A_host_receives_from_no_other_queue(string? queue)
    {
        await using var lab = await HostLab.Start();
        var receiver = new ReceiverLink(await lab.Session(), "r", queue);
        Assert.Equal(ErrorCode.UnauthorizedAccess, (await HostLab.Refusal(receiver)).Condition.ToString());
    }

    [Theory]
    [InlineData("host.h1")]
    [InlineData("host.h2")]
    [InlineData("sagas")]
    [InlineData("answer.1")]
    [InlineData("")]
    public async Task A_host_sends_to_no_other_queue(string queue)
    {
        await using var lab = await HostLab.Start();
        var sender = new SenderLink(await lab.Session(), "s", queue);
        Assert.Equal(ErrorCode.UnauthorizedAccess, (await HostLab.Refusal(sender)).Condition.ToString());
        Assert.Empty(await lab.Depths());
    }

    [Fact]
    public async Task Queues_are_not_made_on_request()
    {
        await using var lab = await HostLab.Start();
        var receiver = new ReceiverLink(await lab.Session(), "r", new Source { Dynamic = true, Address = "host.h1" }, null);
        Assert.Equal(ErrorCode.UnauthorizedAccess, (await HostLab.Refusal(receiver)).Condition.ToString());
    }

    [Fact]
    public async Task A_host_answers_for_no_other()
    {
        await using var lab = await HostLab.Start();
        var link = lab.Link();
        foreach (var message in new HostMessage[]
        {
            new CommandReply("h2", "c1", "saga|p|1|n|k", "disk/1", 1, Outcome.Done),
            new Heartbeat("h2", "b", new(1, 1, 1, "", "", "", "", [], "nova", 0, 0, 0), 1),
            new Inventory("h2", "b", []),
            new DomainEvent("H1", "s1", "off", lab.Clock.GetUtcNow()),
        })
            await Assert.ThrowsAsync<RefusedException>(() => link.Send(message, CancellationToken.None));
        Assert.Empty(await lab.Depths());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"type":"unknown","host":"h1"}""")]
    [InlineData("""{"host":"h1"}""")]
    [InlineData("""{"type":"heartbeat"}""")]
    public async Task What_is_no_message_is_not_stored(string body)
    {
        await using var lab = await HostLab.Start();
        var sender = new SenderLink(await lab.Session(), "s", Names.Replies);
        await Assert.ThrowsAsync<AmqpException>(() => sender.SendAsync(new Message { BodySection = new Data { Binary = Encoding.UTF8.GetBytes(body) } }));
        Assert.Empty(await lab.Depths());
        await StillServes(lab);
    }

    [Fact]
    public async Task A_message_without_a_body_of_bytes_ends_the_connection()
    {
        await using var lab = await HostLab.Start();
        var sender = new SenderLink(await lab.Session(), "s", Names.Replies);
        await Assert.ThrowsAsync<AmqpException>(() => sender.SendAsync(new Message("text")));
        await StillServes(lab);
    }

    [Fact]
    public async Task A_message_without_end_is_cut_off()
    {
        await using var lab = await HostLab.Start();
        var sender = new SenderLink(await lab.Session(), "s", Names.Replies);
        // The client may still be writing when the connection ends, and tells it otherwise then.
        var cut = await Assert.ThrowsAnyAsync<Exception>(() => sender.SendAsync(new Message { BodySection = new Data { Binary = new byte[9 << 20] } }));
        Assert.True(cut is AmqpException or ObjectDisposedException, cut.ToString());
        Assert.NotEqual(ErrorCode.DecodeError, (cut as AmqpException)?.Error?.Condition?.ToString()); // else it was read to its end, and judged
        Assert.Empty(await lab.Depths());
        await StillServes(lab);
    }

    [Theory]
    [InlineData((64 * 1024) + 1)]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    [InlineData(4)]
    [InlineData(0)]
    public async Task A_frame_of_the_wrong_size_ends_the_connection(int size)
    {
        await using var lab = await HostLab.Start();
        using var socket = await SignIn(lab);
        await socket.SendAsync(AmqpHeader);
        await socket.SendAsync(Frame(size, 0, []));
        await Rest(socket);
        await StillServes(lab);
    }

    [Theory]
    [InlineData(0x00)] // described by something described by ...
    [InlineData(0xD0)] // a list in a list in ...
    public async Task A_value_nested_without_end_ends_the_connection(byte kind)
    {
        await using var lab = await HostLab.Start();
        using var socket = await SignIn(lab);
        await socket.SendAsync(AmqpHeader);
        var body = new byte[60_000];
        for (var i = 0; kind == 0xD0 && i + 9 <= body.Length; i += 9)
        {
            body[i] = kind;
            BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(i + 1), body.Length - i - 5);
            body[i + 8] = 1;
        }
        await socket.SendAsync(Frame(8 + body.Length, 0, body));
        await Rest(socket);
        await StillServes(lab);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(513)]
    [InlineData(-1)]
    public async Task A_stranger_sends_512_bytes_at_most(int size)
    {
        await using var lab = await HostLab.Start();
        using var socket = await Open(lab);
        await socket.SendAsync(SaslHeader);
        await socket.SendAsync(Frame(size, 1, new byte[2000]));
        await Rest(socket);
        await StillServes(lab);
    }

    [Fact]
    public async Task A_stranger_who_says_nothing_is_shown_out()
    {
        await using var lab = await HostLab.Start();
        using var socket = await Open(lab);
        await socket.SendAsync(SaslHeader);
        Assert.Equal(8, await socket.ReceiveAsync(new byte[8])); // the listener's turn is over: it waits for us
        lab.Clock.Advance(TimeSpan.FromSeconds(10));
        await Rest(socket);
        await StillServes(lab);
    }

    private static async Task StillServes(HostLab lab)
    {
        await lab.Memory.Send([new(Names.HostQueue(HostLab.Host), "alive", "{}"u8.ToArray())]);
        var receiver = new ReceiverLink(await lab.Session(secret: await HostKeys.Make(lab.Store, HostLab.Host)), "r", Names.HostQueue(HostLab.Host));
        Assert.NotNull(await receiver.ReceiveAsync());
    }

    private static async Task<Socket> Open(HostLab lab)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(lab.Listener.Address);
        return socket;
    }

    /// <summary>A socket on which the host h1 is known, before AMQP itself has begun.</summary>
    private static async Task<Socket> SignIn(HostLab lab)
    {
        var socket = await Open(lab);
        var init = new ByteBuffer(256, true);
        new SaslInit { Mechanism = "PLAIN", InitialResponse = Encoding.UTF8.GetBytes($"\0host.{HostLab.Host}\0{lab.Secret}") }.Encode(init);
        await socket.SendAsync(SaslHeader);
        await socket.SendAsync(Frame(8 + init.Length, 1, init.Buffer.AsSpan(init.Offset, init.Length).ToArray()));
        var answer = new byte[256];
        // The outcome's one field; what follows it, AMQP's own header, may already be there.
        for (var read = 0; answer.AsSpan(0, read).IndexOf((ReadOnlySpan<byte>)[0x50, (byte)SaslCode.Ok]) < 0;)
            read += await socket.ReceiveAsync(answer.AsMemory(read)) is > 0 and var n ? n : throw new IOException("not let in");
        return socket;
    }

    private static byte[] Frame(int size, byte type, byte[] body)
    {
        var frame = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, size);
        (frame[4], frame[5]) = (2, type);
        body.CopyTo(frame, 8);
        return frame;
    }

    /// <summary>Reads until the other side closes.</summary>
    private static async Task<byte[]> Rest(Socket socket)
    {
        using var patience = new CancellationTokenSource(Patience.Span);
        using var all = new MemoryStream();
        var part = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(part, patience.Token) is > 0 and var n) all.Write(part, 0, n);
        }
        catch (SocketException) { /* reset: closed as well */ }
        return all.ToArray();
    }
}
