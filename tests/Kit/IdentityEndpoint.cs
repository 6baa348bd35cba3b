using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Cloud.Tests.Kit;

/// <summary>Gives tokens of managed identities as App Service and Functions do to their own processes: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference.</summary>
public sealed class IdentityEndpoint : IDisposable
{
    public const string Client = "11111111-2222-3333-4444-555555555555";
    private const string Secret = "only this app's processes know it";
    private readonly HttpListener _http = new();
    private readonly string _url = $"http://{CloudCommand.FreeAddress()}/";
    private readonly ConcurrentQueue<string> _asked = [];

    public IdentityEndpoint()
    {
        _http.Prefixes.Add(_url);
        _http.Start();
        _ = Serve();
    }

    /// <summary>What the platform tells a process of the app.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string> { ["IDENTITY_ENDPOINT"] = _url + "msi/token", ["IDENTITY_HEADER"] = Secret, [CustomHandler.Client] = Client };

    /// <summary>For what tokens were given, and as whom.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                var http = await _http.GetContextAsync();
                var query = http.Request.QueryString;
                var (resource, client, good) = (query["resource"], query["client_id"], http.Request.Headers["X-IDENTITY-HEADER"] == Secret && query["api-version"] == "2019-08-01");
                http.Response.StatusCode = good ? 200 : 400;
                http.Response.ContentType = "application/json";
                var end = TimeProvider.System.GetUtcNow().AddHours(24);
                if (good) _asked.Enqueue($"{resource} as {client}");
                object said = good ? new { access_token = Token(resource!, end), client_id = client, expires_on = $"{end.ToUnixTimeSeconds()}", resource, token_type = "Bearer" } : new { statusCode = 400, message = "no" };
                http.Response.Close(JsonSerializer.SerializeToUtf8Bytes(said), willBlock: true);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException) { /* closed */ }
    }

    // Azurite looks at everything but the signature.
    private static string Token(string resource, DateTimeOffset end)
    {
        static string Part(object value) => System.Buffers.Text.Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
        var begin = end.AddHours(-24).AddMinutes(-5).ToUnixTimeSeconds();
        return $"{Part(new { typ = "JWT", alg = "RS256" })}.{Part(new { aud = resource, iss = "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/", iat = begin, nbf = begin, exp = end.ToUnixTimeSeconds(), appid = Client, oid = Client, tid = "ab1f708d-50f6-404c-a006-d71b2ac7a606", ver = "1.0" })}.c2lnbmF0dXJl";
    }

    public void Dispose() => _http.Close();
}
