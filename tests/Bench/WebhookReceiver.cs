using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.Bench;

/// <summary>A receiver of webhooks that does what each must: it verifies the signature and remembers ids. No more, for it shares the machine.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private static readonly byte[] Answer = "HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray();
    private readonly TcpListener _tcp = new(IPAddress.Loopback, 0);
    private readonly HashSet<string> _seen = [];
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _first, _last;

    public WebhookReceiver()
    {
        _tcp.Start();
        _ = Accept();
    }

    public string Url => $"http://{_tcp.LocalEndpoint}/";
    public byte[] Key { get; set; } = [];
    /// <summary>How many different events it waits for.</summary>
    public int Wanted { get; set; }
    public int Forged { get; private set; }
    public int Repeats { get; private set; }
    public Task All => _all.Task;
    /// <summary>Between the first event and the last.</summary>
    public TimeSpan Took => Stopwatch.GetElapsedTime(_first, _last);

    private async Task Accept()
    {
        try
        {
            while (true) _ = Serve(await _tcp.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { /* the end */ }
    }

    private async Task Serve(Socket socket)
    {
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        var (buffer, have) = (new byte[64 * 1024], 0);
        try
        {
            while (true)
            {
                int end;
                while ((end = buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8)) < 0) have += await More();
                var head = Encoding.ASCII.GetString(buffer, 0, end).Split("\r\n").Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(l => l[0], l => l[1], StringComparer.OrdinalIgnoreCase);
                var total = end + 4 + int.Parse(head["content-length"], CultureInfo.InvariantCulture);
                while (have < total) have += await More();
                Take(head, buffer.AsSpan((end + 4)..total));
                await stream.WriteAsync(Answer);
                buffer.AsSpan(total..have).CopyTo(buffer);
                have -= total;
            }
        }
        catch (IOException) { /* it hung up */ }

        async Task<int> More() => await stream.ReadAsync(buffer.AsMemory(have)) is > 0 and var n ? n : throw new EndOfStreamException();
    }

    private void Take(Dictionary<string, string> head, ReadOnlySpan<byte> body)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{head["webhook-id"]}.{head["webhook-timestamp"]}."), .. body];
        var good = head["webhook-signature"] == "v1," + Convert.ToBase64String(HMACSHA256.HashData(Key, signed));
        lock (_seen)
        {
            if (!good) Forged++;
            else if (!_seen.Add(head["webhook-id"])) Repeats++;
            if (_seen.Count == 1 && _first == 0) _first = Stopwatch.GetTimestamp();
            if (_seen.Count < Wanted) return;
            if (_last == 0) _last = Stopwatch.GetTimestamp();
            _all.TrySetResult();
        }
    }

    public void Dispose() => _tcp.Dispose();
}
