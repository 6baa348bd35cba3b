using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Amqp;
using Amqp.Sasl;
using Amqp.Types;

namespace Cloud.Platform.Bus;

/// <summary>Accepts connections and lets in who proves to be a host (SASL PLAIN, user <c>host.NAME</c>) or a guest, within ten seconds and 512 bytes.</summary>
internal sealed class AmqpDoor : TransportProvider
{
    internal const string Scheme = "cloud";
    private const int MaxStrangers = 128;
    /// <summary>Connections of one guest; the next one ends his oldest.</summary>
    private const int MostOfGuest = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly byte[] SaslHeader = [.. "AMQP"u8, 3, 1, 0, 0];

    private readonly Func<string, string, ValueTask<bool>> _check;
    private readonly Func<string, string, ValueTask<AmqpGuest?>> _guest;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly TcpListener _tcp;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<IAsyncTransport> _guests = Channel.CreateUnbounded<IAsyncTransport>();
    private readonly ConcurrentDictionary<string, AmqpPeer> _peers = [];
    private long _count;

    internal AmqpDoor(Func<string, string, ValueTask<bool>> check, Func<string, string, ValueTask<AmqpGuest?>> guest, IPEndPoint listen, TimeProvider clock, ILogger log)
    {
        (_check, _guest, _clock, _log, _tcp) = (check, guest, clock, log, new(listen));
        _tcp.Start();
        Address = (IPEndPoint)_tcp.LocalEndpoint;
        Stopped = Accept();
    }

    internal IPEndPoint Address { get; }

    /// <summary>Ends when the last connection is closed.</summary>
    internal Task Stopped { get; }

    /// <summary>The next host. After the end there is none, ever: the library asks again at once, for ever, whatever we throw.</summary>
    public override async Task<IAsyncTransport> CreateAsync(Address address)
    {
        try { return await _guests.Reader.ReadAsync(_stop.Token); }
        catch (OperationCanceledException) { return await new TaskCompletionSource<IAsyncTransport>().Task; }
    }

    public override void Dispose()
    {
        _stop.Cancel();
        _tcp.Dispose();
        foreach (var peer in _peers.Values) peer.Close();
        base.Dispose();
    }

    private async Task Accept()
    {
        using var strangers = new SemaphoreSlim(MaxStrangers);
        try
        {
            while (true)
            {
                await strangers.WaitAsync(_stop.Token);
                var socket = await _tcp.AcceptSocketAsync(_stop.Token);
                socket.NoDelay = true;
                _ = Admit(socket, strangers);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException && _stop.IsCancellationRequested) { /* stopping */ }
    }

    [SuppressMessage("Design", "CA1031", Justification = "whatever a stranger sends, the door stays")]
    private async Task Admit(Socket socket, SemaphoreSlim strangers)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            using var late = new CancellationTokenSource(Patience, _clock);
            using var ct = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _stop.Token);
            if (await SignIn(stream, ct.Token) is { } peer)
            {
                _peers.AddOrUpdate(peer.Guest is null ? peer.Host : $"{peer.Host}#{Interlocked.Increment(ref _count) % MostOfGuest}", peer, (_, old) => { old.Close(); return peer; });
                if (_stop.IsCancellationRequested) peer.Close();
                await _guests.Writer.WriteAsync(new AmqpTransport(peer), ct.Token);
                return;
            }
        }
        catch (Exception e) { _log.LogInformation("AMQP: a stranger left: {Message}", e.Message); }
        finally
        {
            if (!_stop.IsCancellationRequested) strangers.Release();
        }
        await stream.DisposeAsync();
    }

    /// <returns>Who it is, or null when it is nobody.</returns>
    private async Task<AmqpPeer?> SignIn(NetworkStream stream, CancellationToken ct)
    {
        var header = new byte[8];
        await stream.ReadExactlyAsync(header, ct);
        await stream.WriteAsync(SaslHeader, ct);
        if (!header.AsSpan().SequenceEqual(SaslHeader)) return null;
        await stream.WriteAsync(Frame(new SaslMechanisms { SaslServerMechanisms = [new Symbol("PLAIN")] }), ct);

        await stream.ReadExactlyAsync(header, ct);
        var size = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (size is < 8 or > 512 || header[4] != 2 || header[5] != 1) return null;
        var body = new byte[size - 8];
        await stream.ReadExactlyAsync(body, ct);
        var init = new SaslInit();
        init.Decode(new ByteBuffer(body, 0, body.Length, body.Length));
        var peer = init.Mechanism == "PLAIN" ? await Known(init.InitialResponse, stream) : null;
        await stream.WriteAsync(Frame(new SaslOutcome { Code = peer is null ? SaslCode.Auth : SaslCode.Ok }), ct);
        if (peer is null) _log.LogWarning("AMQP: wrong credential from {Address}", stream.Socket.RemoteEndPoint);
        return peer;
    }

    private async Task<AmqpPeer?> Known(byte[]? response, NetworkStream stream) => Encoding.UTF8.GetString(response ?? []).Split('\0') switch
    {
        ["", ['h', 'o', 's', 't', '.', .. { Length: > 0 } host], var secret] => await _check(host, secret) ? new(host, stream) : null,
        ["", { Length: > 0 } user, var secret] when await _guest(user, secret) is { } guest => new("guest " + guest.Name, stream) { Guest = guest },
        _ => null,
    };

    private static byte[] Frame(DescribedList command)
    {
        var body = new ByteBuffer(64, true);
        command.Encode(body);
        var frame = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length);
        (frame[4], frame[5]) = (2, 1);
        body.Buffer.AsSpan(body.Offset, body.Length).CopyTo(frame.AsSpan(8));
        return frame;
    }
}
