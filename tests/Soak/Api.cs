using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Cloud.Soak;

/// <summary>What an accepted request promised.</summary>
/// <param name="Within">What it goes with when that is deleted: a subnet's network.</param>
public sealed record Promise(string Kind, string Id, string Path, string? Within)
{
    public bool Deleted { get; set; }
    /// <summary>By the client's clock: before the first request for it, after its answer, before the first request to delete it, after that was answered.</summary>
    public required DateTimeOffset Asked { get; init; }
    public required DateTimeOffset Answered { get; init; }
    public DateTimeOffset? Ending { get; set; }
    public DateTimeOffset Ended { get; set; }
}

/// <summary>
/// A client that doesn't give up: what gets no answer is asked again. A create without an answer is looked for by its name first, for it
/// may have been accepted.
/// </summary>
/// <param name="passwordFile">The administrator's; there as soon as the cloud has started for the first time.</param>
public sealed class Api(string url, string passwordFile, CancellationToken ct) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);
    private readonly HttpClient _http = new() { BaseAddress = new(url), Timeout = TimeSpan.FromSeconds(15) };
    private readonly SemaphoreSlim _login = new(1);
    private volatile string? _token;
    private int _accepted, _unanswered, _refused;

    public string Project { get; private set; } = "";
    public ConcurrentDictionary<string, Promise> Promises { get; } = [];
    public int Accepted => _accepted;
    public int Unanswered => _unanswered;
    /// <summary>Answers that the cloud can't do it now.</summary>
    public int Refused => _refused;
    public ConcurrentQueue<string> Surprises { get; } = [];

    /// <returns>The new resource's id; null when it was refused for a reason that time doesn't mend.</returns>
    public async Task<string?> Create(string kind, string path, string many, string name, object body, string? within = null)
    {
        var asked = Now;
        for (var unsure = false; ; unsure = true)
        {
            if (unsure && await Find(path, many, name) is { } found) return Accept(kind, found, path, within, asked);
            if (await Try(HttpMethod.Post, path, body) is not { } a) continue;
            if (a.Status is HttpStatusCode.Conflict or HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.Forbidden) return null;
            if ((int)a.Status < 300) return Accept(kind, Object(a.Body).GetProperty("id").GetString()!, path, within, asked);
            await Task.Delay(Pause, ct);
        }
    }

    /// <returns>False when it was refused all the time.</returns>
    public async Task<bool> Delete(string id, int patience = 200)
    {
        var promise = Promises[id];
        promise.Ending ??= Now;
        for (var i = 0; i < patience; i++)
        {
            var a = await Try(HttpMethod.Delete, $"{promise.Path}/{id}", null);
            if (a is { } answer && ((int)answer.Status < 300 || answer.Status == HttpStatusCode.NotFound))
            {
                if ((int)answer.Status < 300) Interlocked.Increment(ref _accepted);
                promise.Ended = Now;
                foreach (var inner in Promises.Values.Where(p => p.Within == id)) inner.Deleted = true;
                return promise.Deleted = true;
            }
            await Task.Delay(Pause, ct);
        }
        return false;
    }

    /// <summary>Everything that was ever accepted goes, users before what they use.</summary>
    public async Task DeleteAll()
    {
        foreach (var kind in (string[])["server", "floatingip", "router", "volume", "subnet", "network", "image"])
            foreach (var promise in Promises.Values.Where(p => p.Kind == kind && !p.Deleted))
            {
                if (kind == "router" && await Get($"/network/v2.0/ports?device_id={promise.Id}") is { } ports)
                    foreach (var port in ports.GetProperty("ports").EnumerateArray()) await Ask(HttpMethod.Put, $"{promise.Path}/{promise.Id}/remove_router_interface", new { port_id = port.GetProperty("id").GetString() });
                if (!await Delete(promise.Id)) Surprises.Enqueue($"{kind} {promise.Id} can't be deleted");
            }
    }

    /// <summary>Asks until it is answered with success, or refused <paramref name="patience"/> times.</summary>
    public async Task<bool> Ask(HttpMethod method, string path, object? body, int patience = 20)
    {
        for (var i = 0; i < patience; i++)
        {
            if (await Try(method, path, body) is { } a)
            {
                if ((int)a.Status < 300) { Interlocked.Increment(ref _accepted); return true; }
                if (a.Status == HttpStatusCode.NotFound) return false;
            }
            await Task.Delay(Pause, ct);
        }
        return false;
    }

    public async Task<JsonElement?> Get(string path)
    {
        while (true)
        {
            if (await Try(HttpMethod.Get, path, null) is { } a && (int)a.Status < 500) return (int)a.Status < 300 ? a.Body : null;
            await Task.Delay(Pause, ct);
        }
    }

    public async Task Upload(string path, byte[] bytes)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new ByteArrayContent(bytes) };
            request.Content.Headers.ContentType = new("application/octet-stream");
            request.Headers.Add("X-Auth-Token", await Token());
            using var response = await _http.SendAsync(request, ct);
            if (response.IsSuccessStatusCode) return;
        }
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private string Accept(string kind, string id, string path, string? within, DateTimeOffset asked)
    {
        Interlocked.Increment(ref _accepted);
        Promises.TryAdd(id, new(kind, id, path, within) { Asked = asked, Answered = Now });
        return id;
    }

    private async Task<string?> Find(string path, string many, string name)
    {
        // A floating IP has no name.
        var field = many == "floatingips" ? "description" : "name";
        var list = await Get($"{path}?{field}={name}");
        return list is { } l ? l.GetProperty(many).EnumerateArray().Where(e => e.GetProperty(field).GetString() == name).Select(e => e.GetProperty("id").GetString()).FirstOrDefault() : null;
    }

    /// <returns>Null when there was no answer, or none that says whether it was accepted.</returns>
    private async Task<(HttpStatusCode Status, JsonElement Body)?> Try(HttpMethod method, string path, object? body)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            request.Headers.Add("X-Auth-Token", await Token());
            request.Headers.Add("OpenStack-API-Version", "compute 2.72");
            using var response = await _http.SendAsync(request, ct);
            var text = await response.Content.ReadAsStringAsync(ct);
            if (response.StatusCode == HttpStatusCode.Unauthorized) _token = null;
            if (response.StatusCode == HttpStatusCode.InternalServerError) Surprises.Enqueue($"{method} {path}: {text}");
            if (response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.InsufficientStorage) Busy($"{method} {path}", response, text);
            if ((int)response.StatusCode >= 500 || response.StatusCode == HttpStatusCode.Unauthorized) return null;
            using var json = text.Length > 0 && text[0] == '{' ? JsonDocument.Parse(text) : null;
            return (response.StatusCode, json?.RootElement.Clone() ?? default);
        }
        // A server killed between accepting and answering shows as a bare SocketException, too.
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException or JsonException || (e is TaskCanceledException && !ct.IsCancellationRequested))
        {
            Interlocked.Increment(ref _unanswered);
            await Task.Delay(Pause, ct);
            return null;
        }
    }

    /// <summary>An object, once.</summary>
    /// <returns>Null when nobody answered.</returns>
    public async Task<HttpStatusCode?> Put(string path, byte[] bytes)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new ByteArrayContent(bytes), Headers = { { "X-Auth-Token", await Token() } } };
            using var response = await _http.SendAsync(request, ct);
            var text = await response.Content.ReadAsStringAsync(ct);
            if (response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.InsufficientStorage) Busy($"PUT {path}", response, text);
            else if ((int)response.StatusCode >= 500) Surprises.Enqueue($"PUT {path}: {response.StatusCode} {text}");
            return response.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException || (e is TaskCanceledException && !ct.IsCancellationRequested)) { return null; }
    }

    /// <returns>Null when there is no such object.</returns>
    public async Task<byte[]?> Bytes(string path)
    {
        while (true)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "X-Auth-Token", await Token() } } };
                using var response = await _http.SendAsync(request, ct);
                if (response.IsSuccessStatusCode) return await response.Content.ReadAsByteArrayAsync(ct);
                if (response.StatusCode == HttpStatusCode.NotFound) return null;
            }
            catch (Exception e) when (e is HttpRequestException or SocketException or IOException) { /* again */ }
            await Task.Delay(Pause, ct);
        }
    }

    /// <summary>Says so in its service's own format, and when to come again.</summary>
    private void Busy(string what, HttpResponseMessage response, string text)
    {
        Interlocked.Increment(ref _refused);
        var told = response.Content.Headers.ContentType?.MediaType == "application/json" ? text.StartsWith('{') && text.Contains("message", StringComparison.Ordinal) : text.Length > 0;
        if (!told || response.Headers.RetryAfter is null) Surprises.Enqueue($"{what} was refused with {(int)response.StatusCode}, Retry-After {response.Headers.RetryAfter}: {text}");
    }

    private async Task<string> Token()
    {
        if (_token is { } known) return known;
        await _login.WaitAsync(ct);
        try
        {
            if (_token is { } there) return there;
            var password = (await File.ReadAllTextAsync(passwordFile, ct)).Trim();
            using var response = await _http.PostAsJsonAsync("/identity/v3/auth/tokens", new
            {
                auth = new
                {
                    identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain = new { id = "default" }, password } } },
                    scope = new { project = new { name = "admin", domain = new { id = "default" } } },
                },
            }, ct);
            if (!response.IsSuccessStatusCode) throw new HttpRequestException($"no token: {response.StatusCode}");
            Project = (await response.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("token").GetProperty("project").GetProperty("id").GetString()!;
            return _token = response.Headers.GetValues("X-Subject-Token").First();
        }
        finally { _login.Release(); }
    }

    private static JsonElement Object(JsonElement body) => body.TryGetProperty("id", out _) ? body : body.EnumerateObject().First(p => p.Value.ValueKind == JsonValueKind.Object).Value;

    public void Dispose()
    {
        _http.Dispose();
        _login.Dispose();
    }
}
