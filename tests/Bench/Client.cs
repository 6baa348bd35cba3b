using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Cloud.Bench;

/// <summary>A reply. <see cref="Must"/> throws for what isn't 2xx.</summary>
public sealed record Answer(int Status, byte[] Body, HttpResponseHeaders Headers)
{
    public bool Ok => Status is >= 200 and < 300;
    public JsonNode Json => JsonNode.Parse(Body)!;
    public Answer Must(string what) => Ok ? this : throw new InvalidOperationException($"{what}: {Status} {Encoding.UTF8.GetString(Body)}");
    public string Id(string one) => (string)Json[one]!["id"]!;
}

/// <summary>A client of the public APIs, nothing else: one token, keep-alive connections.</summary>
public sealed class Client : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(60) };
    private readonly HttpClient _long = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly string _root;
    private readonly byte[] _login;

    public string Token { get; private set; } = "";
    public string ProjectId { get; private set; } = "";

    /// <param name="name">Of the user and of the project.</param>
    public Client(string root, string password, string name = "admin")
    {
        _root = root;
        _login = Encoding.UTF8.GetBytes("""
            {"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"NAME","domain":{"id":"default"},"password":"PASSWORD"}}},"scope":{"project":{"name":"NAME","domain":{"id":"default"}}}}}
            """.Replace("NAME", name, StringComparison.Ordinal).Replace("PASSWORD", password, StringComparison.Ordinal));
    }

    public Task<Answer> Login() => Send("POST", "/identity/v3/auth/tokens", _login, token: false);

    public async Task Authenticate()
    {
        var answer = (await Login()).Must("login");
        Token = answer.Headers.GetValues("X-Subject-Token").First();
        ProjectId = (string)answer.Json["token"]!["project"]!["id"]!;
    }

    public Task<Answer> Get(string path) => Send("GET", path);
    public Task<Answer> Delete(string path) => Send("DELETE", path);
    public Task<Answer> Post(string path, JsonNode body) => Send("POST", path, Encoding.UTF8.GetBytes(body.ToJsonString()));
    public Task<Answer> Put(string path, JsonNode body) => Send("PUT", path, Encoding.UTF8.GetBytes(body.ToJsonString()));

    public async Task<Answer> Send(string method, string path, byte[]? body = null, bool token = true, string type = "application/json", (string Name, string Value)? header = null)
    {
        using var request = new HttpRequestMessage(new(method), _root + path);
        if (token) request.Headers.TryAddWithoutValidation("X-Auth-Token", Token);
        if (header is { } h) request.Headers.TryAddWithoutValidation(h.Name, h.Value);
        if (body is not null) request.Content = new ByteArrayContent(body) { Headers = { ContentType = new(type) } };
        using var reply = await _http.SendAsync(request);
        return new((int)reply.StatusCode, await reply.Content.ReadAsByteArrayAsync(), reply.Headers);
    }

    /// <summary>Sends that many bytes, none of which is kept.</summary>
    public async Task<Answer> Upload(string path, long bytes)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, _root + path) { Content = new StreamContent(new Noise(bytes), 1 << 16) { Headers = { ContentType = new("application/octet-stream"), ContentLength = bytes } } };
        request.Headers.TryAddWithoutValidation("X-Auth-Token", Token);
        using var reply = await _long.SendAsync(request);
        return new((int)reply.StatusCode, await reply.Content.ReadAsByteArrayAsync(), reply.Headers);
    }

    /// <returns>How many bytes came.</returns>
    public async Task<long> Download(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _root + path);
        request.Headers.TryAddWithoutValidation("X-Auth-Token", Token);
        using var reply = await _long.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await reply.EnsureSuccessStatusCode().Content.ReadAsStreamAsync();
        var buffer = new byte[1 << 16];
        long total = 0;
        for (int n; (n = await body.ReadAsync(buffer)) > 0;) total += n;
        return total;
    }

    public void Dispose()
    {
        _http.Dispose();
        _long.Dispose();
    }
}
