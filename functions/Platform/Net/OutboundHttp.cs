using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cloud.Platform.Net;

/// <summary>
/// The only HTTP client of the control plane. A name is resolved when the connection is made, every address it has must be allowed, and the connection goes
/// to an address that was checked: there is no second look-up that could say something else. No proxy, no cookies, no credentials, no decompression.
/// </summary>
public sealed class OutboundHttp : IOutbound, IDisposable
{
    private const int MaxHops = 3;
    // Many tenants may use the same server: what waits for one of them must not keep the others from it.
    private const int MostToOne = 512;
    private const int Short = 16 * 1024;
    private static readonly string[] Never = ["Authorization", "Cookie", "Host", "Proxy-", "X-Auth-", "X-Subject-Token"];
    private static readonly TimeSpan Connecting = TimeSpan.FromSeconds(5), Answering = TimeSpan.FromSeconds(10);

    private readonly AddressGuard _guard;
    private readonly TimeProvider _clock;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly Func<IPEndPoint, CancellationToken, Task<Stream>> _connect;
    private readonly HttpMessageInvoker _client;

    /// <param name="resolve">Addresses of a name; tests bring their own.</param>
    /// <param name="connect">A connection to exactly this address; tests bring their own.</param>
    public OutboundHttp(TimeProvider clock, IReadOnlyList<IPNetwork> opened, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null, Func<IPEndPoint, CancellationToken, Task<Stream>>? connect = null)
    {
        (_clock, _guard, _resolve, _connect) = (clock, new(opened), resolve ?? Dns.GetHostAddressesAsync, connect ?? Connect);
        _client = new(new SocketsHttpHandler
        {
            UseProxy = false, UseCookies = false, Credentials = null, PreAuthenticate = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null, MaxResponseHeadersLength = 16, MaxResponseDrainSize = 0, ConnectTimeout = Connecting,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10), MaxConnectionsPerServer = MostToOne,
            RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
            ConnectCallback = async (context, ct) => await Open(context.DnsEndPoint, ct),
        });
    }

    public Uri Check(string url)
    {
        if (url.Length > 2048 || !Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) throw OutboundException.Refused("it must be an http or https URL.");
        if (uri.UserInfo.Length > 0) throw OutboundException.Refused("it must not hold credentials.");
        if (uri.Port is not (80 or 443) and (< 1024 or > 65535)) throw OutboundException.Refused("its port must be 80, 443 or above 1023.");
        if (!Ascii.IsValid(uri.Host)) throw OutboundException.Refused("a name in another script must be given in punycode.");
        // Uri has read 2130706433 and 0177.1 as the addresses they are.
        if (IPAddress.TryParse(uri.DnsSafeHost, out var literal) && !_guard.Allows(literal)) throw OutboundException.Refused("its address is internal.");
        return uri;
    }

    public async Task<Download> Get(string url, OutboundLimits limits, CancellationToken ct = default)
    {
        var uri = Check(url);
        var wall = new Deadline(_clock, limits.Total, ct);
        HttpResponseMessage? answer = null;
        try
        {
            for (var hop = 0; ; hop++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, uri);
                request.Headers.Add("Accept", "*/*");
                request.Headers.Add("Accept-Encoding", "identity");
                answer = await Send(request, wall, Answering);
                if ((int)answer.StatusCode is not (301 or 302 or 303 or 307 or 308)) break;
                if (hop == MaxHops || answer.Headers.Location is not { } location || !Uri.TryCreate(uri, location, out var next)) throw OutboundException.Unreachable();
                answer.Dispose();
                if (uri.Scheme == "https" && next.Scheme != "https") throw OutboundException.Unreachable();
                try { uri = Check(next.AbsoluteUri); }
                catch (OutboundException e) { throw OutboundException.Unreachable(e); } // where it leads is the server's secret
            }
            if (!answer.IsSuccessStatusCode || answer.Content.Headers.ContentLength > limits.MaxBytes) throw OutboundException.Unreachable();
            return new(new LimitedBody(await answer.Content.ReadAsStreamAsync(wall.Token), answer, wall, limits, _clock), answer.Content.Headers.ContentLength);
        }
        catch (Exception e)
        {
            answer?.Dispose();
            wall.Dispose();
            if (e is OutboundException) throw;
            ct.ThrowIfCancellationRequested();
            if (e is HttpRequestException or IOException or OperationCanceledException) throw OutboundException.Unreachable(e);
            throw;
        }
    }

    public async Task<int> Post(string url, ReadOnlyMemory<byte> body, string contentType, IReadOnlyList<(string Name, string Value)> headers, OutboundLimits limits, CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Check(url)) { Content = new ReadOnlyMemoryContent(body) };
        return (await Send(request, [("Content-Type", contentType), .. headers], limits, Answering, ct)).Status;
    }

    public async Task<OutboundAnswer> Send(HttpMethod method, string url, OutboundBody? body, IReadOnlyList<(string Name, string Value)> headers, OutboundLimits limits, CancellationToken ct = default)
    {
        Check(url);
        // A path is another server's own: dots in it are names there.
        using var request = new HttpRequestMessage(method, new Uri(url, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (body is not null)
        {
            request.Content = new StreamContent(body.Bytes);
            request.Content.Headers.ContentLength = body.Length;
        }
        return await Send(request, headers, limits, body is null ? Answering : limits.Total, ct);
    }

    private async Task<OutboundAnswer> Send(HttpRequestMessage request, IReadOnlyList<(string Name, string Value)> headers, OutboundLimits limits, TimeSpan patience, CancellationToken ct)
    {
        foreach (var (name, value) in headers)
        {
            if (Array.Exists(Never, n => name.StartsWith(n, StringComparison.OrdinalIgnoreCase))) throw new ArgumentException($"{name} is never sent", nameof(headers));
            // Content-Type and its like are the body's.
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        using var wall = new Deadline(_clock, limits.Total, ct);
        try
        {
            using var answer = await Send(request, wall, patience);
            await Finish(answer, wall);
            var told = answer.Headers.ToDictionary(h => h.Key, h => h.Value.First(), StringComparer.OrdinalIgnoreCase);
            return new((int)answer.StatusCode, told.GetValueOrDefault);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            throw OutboundException.Unreachable(e);
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>A short answer that comes at once is read and dropped, so that the connection can be used again; any other ends it.</summary>
    private async Task Finish(HttpResponseMessage answer, Deadline wall)
    {
        if (answer.Content.Headers.ContentLength is 0 or > Short) return;
        using var patience = new Deadline(_clock, TimeSpan.FromSeconds(1), wall.Token);
        var buffer = new byte[4096];
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(patience.Token);
            for (int n, read = 0; read <= Short && (n = await body.ReadAsync(buffer, patience.Token)) > 0;) read += n;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException) { /* the status is known */ }
    }

    private async Task<HttpResponseMessage> Send(HttpRequestMessage request, Deadline wall, TimeSpan most)
    {
        request.Headers.Add("User-Agent", "cloud-serverless");
        using var patience = new Deadline(_clock, most, wall.Token);
        return await _client.SendAsync(request, patience.Token);
    }

    private async Task<Stream> Open(DnsEndPoint to, CancellationToken ct)
    {
        var addresses = IPAddress.TryParse(to.Host, out var literal) ? [literal] : await _resolve(to.Host, ct);
        if (addresses.Length == 0 || !Array.TrueForAll(addresses, _guard.Allows)) throw OutboundException.Unreachable();
        for (var i = 0; ; i++)
        {
            try { return await _connect(new(addresses[i], to.Port), ct); }
            catch (Exception e) when (e is SocketException or IOException && i + 1 < Math.Min(addresses.Length, 3)) { /* the next one */ }
        }
    }

    private static async Task<Stream> Connect(IPEndPoint to, CancellationToken ct)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
