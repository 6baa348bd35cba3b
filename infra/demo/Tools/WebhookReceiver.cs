using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cloud.Demo.Tools;

/// <summary>A receiver of webhooks on this machine, as docs/webhooks.md tells tenants to write one: nothing that isn't signed with the secret, or is old, gets in.</summary>
public sealed class WebhookReceiver : IDisposable
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);
    private readonly HttpListener _http = new();
    private readonly List<Delivered> _all = [];

    public sealed record Delivered(string Id, string Sequence, string Type, string Subject);

    public string Url { get; }
    /// <summary>The secret as its owner got it.</summary>
    public string Secret { get; set; } = "";
    public int Refused { get; private set; }
    public IReadOnlyList<Delivered> All { get { lock (_all) return [.. _all]; } }

    public WebhookReceiver(int port)
    {
        Url = $"http://127.0.0.1:{port}/";
        _http.Prefixes.Add(Url);
        _http.Start();
        _ = Serve();
    }

    private async Task Serve()
    {
        try
        {
            while (true) _ = One(await _http.GetContextAsync());
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException) { /* the end */ }
    }

    private async Task One(HttpListenerContext call)
    {
        using var body = new MemoryStream();
        await call.Request.InputStream.CopyToAsync(body);
        var good = Verify(call.Request.Headers["webhook-id"] ?? "", call.Request.Headers["webhook-timestamp"] ?? "", call.Request.Headers["webhook-signature"] ?? "", body.ToArray());
        if (good) Take(JsonDocument.Parse(body.ToArray()).RootElement);
        else Refused++;
        call.Response.StatusCode = good ? 204 : 401;
        call.Response.Close();
    }

    private void Take(JsonElement e)
    {
        lock (_all) _all.Add(new(e.GetProperty("id").GetString()!, e.GetProperty("sequence").GetString()!, e.GetProperty("type").GetString()!, e.GetProperty("subject").GetString()!));
    }

    private bool Verify(string id, string timestamp, string signatures, byte[] body)
    {
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var sent) || (TimeProvider.System.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(sent)).Duration() > Window) return false;
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var expected = Encoding.ASCII.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(Secret["whsec_".Length..]), signed)));
        return signatures.Split(' ').Any(s => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(s), expected));
    }

    public void Dispose() => _http.Close();
}
