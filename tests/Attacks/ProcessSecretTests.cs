using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>
/// The real process, told to log all that it can, with secrets of every kind sent through it: passwords right and wrong, tokens, credentials, signed addresses, user data, keys of storage accounts and realms.
/// None of them is in what it wrote, in its traces, or in what operators and other users can read.
/// </summary>
public sealed class ProcessSecretTests : IDisposable
{
    private const string Canary = "Canary7d1f";
    private readonly string _data = Directory.CreateTempSubdirectory("cs-secret-").FullName;
    private readonly OtlpCollector _collector = new();
    private readonly List<string> _secrets = [Canary, Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary + "-user-data")), Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary + "-account-key"))];
    private readonly HttpClient _http = new();
    private readonly string _nobody = CloudCommand.FreeAddress();

    [Fact]
    public async Task With_all_logs_on_no_secret_is_written_anywhere()
    {
        var settings = Path.Combine(_data, "settings.json");
        await File.WriteAllTextAsync(settings, JsonSerializer.Serialize(new
        {
            container_sync = new { realms = new { corp = new { key = Canary + "-realm", clusters = new { there = $"http://{_nobody}/object-store/v1/" } } } },
            // An account that nobody answers for: what is said about that must not tell its key.
            image_stores = new { away = new { kind = "azure", connection = $"DefaultEndpointsProtocol=http;AccountName=a;AccountKey={_secrets[2]};BlobEndpoint=http://127.0.0.1:9/a;", container = "images" } },
            outbound_opened = new[] { "127.0.0.1/32" },
        }), TestContext.Current.CancellationToken);
        var at = CloudCommand.FreeAddress();
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Cloud.Functions"), ["up", "--data", Path.Combine(_data, "cloud"), "--listen", at, "--amqp", CloudCommand.FreeAddress(), "--simulated", "1", "--host", "other", "--settings", settings]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in _collector.Environment) start.Environment[name] = value;
        start.Environment["Logging__LogLevel__Default"] = "Trace";
        using var cloud = Process.Start(start)!;
        var (written, ready) = (new StringBuilder(), new TaskCompletionSource());
        void Read(string? line)
        {
            lock (written) written.AppendLine(line);
            if (line?.StartsWith("ready http", StringComparison.Ordinal) == true) ready.SetResult();
        }
        cloud.OutputDataReceived += (_, e) => Read(e.Data);
        cloud.ErrorDataReceived += (_, e) => Read(e.Data);
        cloud.BeginOutputReadLine();
        cloud.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(Patience.Span, TestContext.Current.CancellationToken);
            _http.BaseAddress = new("http://" + at);
            foreach (var file in (string[])["admin-password", "demo-password", "host-other.secret"]) _secrets.Add((await File.ReadAllTextAsync(Path.Combine(_data, "cloud", file), TestContext.Current.CancellationToken)).Trim());
            await Work();
            var told = await Told();
            await _collector.Next(s => s.Name.StartsWith("server-create-1 end", StringComparison.Ordinal) || s.Name.StartsWith("server-create-1 boot", StringComparison.Ordinal));
            using (var kill = Process.Start("kill", [$"{cloud.Id}"])) await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
            await cloud.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(written.Length > 10_000, $"it logged {written.Length} bytes only: {written}");
            Assert.True(_collector.Spans.Count > 20, $"{_collector.Spans.Count} spans");
            Clean("log", written.ToString());
            Clean("traces", _collector.Everything);
            foreach (var (what, text) in told) Clean(what, text);
        }
        finally
        {
            if (!cloud.HasExited) cloud.Kill();
        }
    }

    private void Clean(string where, string text)
    {
        foreach (var secret in _secrets)
            if (text.IndexOf(secret, StringComparison.Ordinal) is >= 0 and var found) Assert.Fail($"{where} tells a secret: ...{text[Math.Max(0, found - 600)..Math.Min(found + 200, text.Length)]}");
    }

    private async Task Work()
    {
        var (admin, demo) = (await Login("admin", _secrets[3]), await Login("demo", _secrets[4]));
        _secrets.AddRange([admin, demo]);
        Assert.Equal("", await Login("admin", Canary + "-wrong"));
        var (project, user) = (await Id(admin, "/identity/v3/projects?name=demo", "projects"), await Id(admin, "/identity/v3/users?name=demo", "users"));
        var ann = (await Must(admin, "POST", "/identity/v3/users", new { user = new { name = "ann", password = Canary + "-1" } })).GetProperty("user").GetProperty("id").GetString();
        await Must(admin, "POST", $"/identity/v3/users/{ann}/password", new { user = new { original_password = Canary + "-1", password = Canary + "-2" } });
        await Must(admin, "GET", "/identity/v3/auth/tokens", null, ("X-Subject-Token", demo));
        await Must(demo, "POST", $"/identity/v3/users/{user}/application_credentials", new { application_credential = new { name = "a", secret = Canary + "-lent" } });
        await Must(demo, "POST", "/identity/v3/credentials", new { credential = new { type = "totp", blob = "CANARYTOTPSEED", user_id = user } });
        _secrets.Add("CANARYTOTPSEED");
        var key = (await Must(demo, "POST", $"/identity/v3/users/{user}/credentials/OS-EC2", new { tenant_id = project })).GetProperty("credential");
        _secrets.Add(key.GetProperty("secret").GetString()!);
        _secrets.Add((await Must(admin, "POST", "/identity/v3/OS-OAUTH1/consumers", new { consumer = new { } })).GetProperty("consumer").GetProperty("secret").GetString()!);
        _secrets.Add((await Must(demo, "POST", "/events/v1/webhooks", new { webhook = new { url = $"http://{_nobody}/x?token=" + Canary } })).GetProperty("secret").GetString()!);
        _secrets.Add((await Must(demo, "POST", "/compute/v2.1/os-keypairs", new { keypair = new { name = "k" } })).GetProperty("keypair").GetProperty("private_key").GetString()!.Split('\n')[5]);
        // Signed addresses: the signature is the secret, and it is in the address.
        await Must(demo, "POST", $"/object-store/v1/AUTH_{project}", null, ("X-Account-Meta-Temp-Url-Key", Canary + "-account"));
        await Must(demo, "PUT", $"/object-store/v1/AUTH_{project}/c", null, ("X-Container-Sync-Key", Canary + "-sync"), ("X-Container-Sync-To", "//corp/there/AUTH_x/c"));
        await Must(demo, "PUT", $"/object-store/v1/AUTH_{project}/c/o", null);
        var (path, until) = ($"/v1/AUTH_{project}/c/o", DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds());
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Canary + "-account"), Encoding.UTF8.GetBytes($"GET\n{until}\n{path}")));
        _secrets.Add(signature);
        await Must(null, "GET", $"/object-store{path}?temp_url_sig={signature}&temp_url_expires={until}", null);
        await Send(null, "GET", $"/s3/c/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key.GetProperty("access").GetString()}%2f20300101%2fa%2fs3%2faws4_request&X-Amz-Date=20300101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={Canary}", null);
        await Send(null, "GET", $"/image/v2/images?token={Canary}", null);
        var image = (await Must(demo, "POST", "/image/v2/images", new { name = "i", disk_format = "raw", container_format = "bare" })).GetProperty("id").GetString();
        await Must(demo, "POST", $"/image/v2/images/{image}/import", new { method = new { name = "web-download", uri = $"http://{_nobody}/i?signature=" + Canary } });
        var good = (await Must(demo, "POST", "/image/v2/images", new { name = "j", disk_format = "raw", container_format = "bare" })).GetProperty("id").GetString();
        await Send(demo, "PUT", $"/image/v2/images/{good}/file", "bytes", ("X-Image-Meta-Store", "away"));
        await Must(demo, "PUT", $"/image/v2/images/{good}/file", "bytes");
        await Must(demo, "POST", "/compute/v2.1/servers", new { server = new { name = "s", flavorRef = "1", imageRef = good, networks = "none", key_name = "k", adminPass = Canary + "-admin", user_data = _secrets[1] } }, ("OpenStack-API-Version", "compute 2.50"));
        // What is no JSON, or not what was expected, is not quoted.
        await Send(null, "POST", "/identity/v3/auth/tokens", $$"""{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "admin", "password": "{{Canary}}""");
        await Send(admin, "POST", "/identity/v3/users", new { user = new { name = "bob", password = new[] { Canary } } });
        await Send(Canary, "GET", "/identity/v3/users", null);
        await Send(null, "GET", "/identity/v3/users", null, ("Authorization", "Bearer " + Canary));
        await Send(null, "GET", "/identity/v3/users", null, ("Cookie", "session=" + Canary));
        await Send(admin, "POST", $"/ops/v1/dead-letters/{Canary}/replay", null);
    }

    private async Task<List<(string, string)>> Told()
    {
        var admin = await Login("admin", _secrets[3]);
        var told = new List<(string, string)>();
        foreach (var path in (string[])["/ops/v1/queues", "/ops/v1/dead-letters", "/ops/v1/sagas", "/ops/v1/alerts", "/ops/v1/metrics", "/events/v1/events?all_projects=1&limit=1000", "/identity/v3/users", "/compute/v2.1/servers/detail?all_tenants=1", "/image/v2/images"])
            told.Add((path, await (await Send(admin, "GET", path, null)).Content.ReadAsStringAsync()));
        return told;
    }

    private async Task<string> Login(string name, string password)
    {
        using var answer = await Send(null, "POST", "/identity/v3/auth/tokens", new { auth = new { identity = new { methods = new[] { "password" }, password = new { user = new { name, domain = new { id = "default" }, password } } }, scope = new { project = new { name, domain = new { id = "default" } } } } });
        return answer.Headers.TryGetValues("X-Subject-Token", out var token) ? token.Single() : "";
    }

    private async Task<string> Id(string token, string path, string many) => (await Must(token, "GET", path, null)).GetProperty(many)[0].GetProperty("id").GetString()!;

    private async Task<JsonElement> Must(string? token, string method, string path, object? body, params (string, string)[] headers)
    {
        using var answer = await Send(token, method, path, body, headers);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {text}");
        return text.StartsWith('{') ? JsonSerializer.Deserialize<JsonElement>(text) : default;
    }

    private async Task<HttpResponseMessage> Send(string? token, string method, string path, object? body, params (string, string)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (body is not null) request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body)) { Headers = { ContentType = new MediaTypeHeaderValue(body is "bytes" ? "application/octet-stream" : "application/json") } };
        if (token is not null) request.Headers.TryAddWithoutValidation("X-Auth-Token", token);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await _http.SendAsync(request);
    }

    public void Dispose()
    {
        _http.Dispose();
        _collector.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}
