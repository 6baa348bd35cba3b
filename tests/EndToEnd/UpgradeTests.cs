using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>
/// An old process and the new one on one directory at the same time, with hosts in a process of their own. The old answers until it is killed in the midst of work; the new has waited for that and goes on.
/// CS_OLD=COMMIT has the control plane as it was then play the old one (infra/cli/old.sh builds it), CS_OLD=DIR a build that is there.
/// </summary>
public sealed class UpgradeTests(ITestOutputHelper output) : IDisposable
{
    private static readonly string s_bin = AppContext.BaseDirectory;
    private readonly string _root = Directory.CreateTempSubdirectory("cs-upgrade-").FullName;
    private readonly string _listen = CloudCommand.FreeAddress(), _amqp = CloudCommand.FreeAddress();
    private readonly List<Process> _processes = [];
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly ConcurrentDictionary<string, string> _made = new();
    private readonly ConcurrentBag<string> _deleted = [];
    private string _image = "", _project = "";
    private int _retried;

    private string Data => Path.Combine(_root, "cloud");

    [Fact]
    public async Task What_was_asked_before_during_and_after_an_upgrade_ends()
    {
        var old = Control(await Old());
        await Ready(old);
        Start(s_bin, "Cloud.Agents.Simulated", "--data", Path.Combine(_root, "agents"), "--control", "amqp://" + _amqp, "--secrets", Data, "--beat", "1", "--name", "sim-1", "--name", "sim-2");
        await Prepare();
        await Ask("before", 12);

        var young = Control(s_bin, "--take-over", "120");
        var ready = Ready(young);
        await Ask("during", 12);
        Assert.False(ready.IsCompleted || young.HasExited || old.HasExited, "the two should live side by side");

        var busy = Task.WhenAll(Enumerable.Range(0, 4).Select(n => Ask($"kill-{n}", 8)));
        while (!_made.Keys.Any(k => k.StartsWith("kill", StringComparison.Ordinal))) await Task.Delay(5, Stop);
        var before = _made.Count;
        old.Kill(); // SIGKILL: nothing is handed over
        await old.WaitForExitAsync(Stop);
        await ready;
        await busy;
        await Ask("after", 12);
        await Ended();
        output.WriteLine($"{_made.Count} made ({before} by then when the old one was killed), {_deleted.Count} deleted, {_retried} requests asked again; all ended");
    }

    [Fact]
    public async Task Without_being_told_to_follow_a_second_process_goes_at_once_and_harms_nothing()
    {
        var first = Control(s_bin);
        await Ready(first);
        var second = Control(s_bin);
        Assert.Contains("in use by another process", await second.StandardError.ReadToEndAsync(Stop), StringComparison.Ordinal);
        await second.WaitForExitAsync(Stop);
        Assert.Equal(2, second.ExitCode);
        await Prepare();
    }

    private static async Task<string> Old()
    {
        if (Environment.GetEnvironmentVariable("CS_OLD") is not { Length: > 0 } old) return s_bin;
        if (File.Exists(Path.Combine(old, "Cloud.Functions"))) return old;
        using var build = Process.Start(new ProcessStartInfo(Repository.Path("infra/cli/old.sh"), [old]) { RedirectStandardOutput = true })!;
        var folder = await build.StandardOutput.ReadToEndAsync(Stop);
        await build.WaitForExitAsync(Stop);
        Assert.Equal(0, build.ExitCode);
        return folder.Trim();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Process Control(string bin, params string[] more) => Start(bin, "Cloud.Functions", ["up", "--data", Data, "--listen", _listen, "--amqp", _amqp, "--host", "sim-1", "--host", "sim-2", .. more]);

    private Process Start(string bin, string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(Path.Combine(bin, program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _processes.Add(process);
        return process;
    }

    private static async Task Ready(Process control)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        while (await control.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            if (line.StartsWith("ready", StringComparison.Ordinal)) return;
        Assert.Fail("it ended: " + await control.StandardError.ReadToEndAsync(Stop));
    }

    private async Task Prepare()
    {
        _http.BaseAddress = new("http://" + _listen);
        var password = (await File.ReadAllTextAsync(Path.Combine(Data, "admin-password"), Stop)).Trim();
        using var login = await _http.PostAsJsonAsync("/identity/v3/auth/tokens", new { auth = new { identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain = new { id = "default" }, password } } }, scope = new { project = new { name = "admin", domain = new { id = "default" } } } } }, Stop);
        _http.DefaultRequestHeaders.Add("X-Auth-Token", login.Headers.GetValues("X-Subject-Token").Single());
        _http.DefaultRequestHeaders.Add("OpenStack-API-Version", "compute 2.50");
        _project = (await login.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("token").GetProperty("project").GetProperty("id").GetString()!;
        foreach (var (service, set) in ((string, object)[])[($"/volume/v3/{_project}", new { volumes = -1, gigabytes = -1 }), ("/compute/v2.1", new { instances = -1, cores = -1, ram = -1 })])
            Assert.True((await _http.PutAsJsonAsync($"{service}/os-quota-sets/{_project}", new { quota_set = set }, Stop)).IsSuccessStatusCode);
        using var image = await _http.PostAsJsonAsync("/image/v2/images", new { name = "i", disk_format = "raw", container_format = "bare" }, Stop);
        _image = (await image.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("id").GetString()!;
        using var bytes = new ByteArrayContent(new byte[1024]) { Headers = { ContentType = new("application/octet-stream") } };
        Assert.True((await _http.PutAsync($"/image/v2/images/{_image}/file", bytes, Stop)).IsSuccessStatusCode);
    }

    /// <summary>Servers and volumes; every third is deleted again at once.</summary>
    private async Task Ask(string when, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var (name, server) = ($"{when}-{i}", i % 2 == 0);
            var all = server ? "/compute/v2.1/servers" : $"/volume/v3/{_project}/volumes";
            var id = await Create(all, name, server ? new { server = new { name, flavorRef = "1", imageRef = _image, networks = "none" } } : new { volume = new { name, size = 1 } });
            if (i % 3 != 2) _made[name] = $"{all}/{id}";
            else
            {
                // A volume in the making can't be deleted yet; that is an answer too, and it is asked again.
                while ((int)(await Send(HttpMethod.Delete, $"{all}/{id}", null)).StatusCode is 400) await Task.Delay(50, Stop);
                _deleted.Add($"{all}/{id}");
            }
        }
    }

    /// <summary>Without an answer nobody knows whether it was accepted, so it is looked for before it is asked for again.</summary>
    private async Task<string> Create(string all, string name, object body)
    {
        while (true)
        {
            try
            {
                using var answer = await _http.PostAsJsonAsync(all, body, Stop);
                if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync<JsonElement>(Stop)).EnumerateObject().First().Value.GetProperty("id").GetString()!;
                Assert.Equal(503, (int)answer.StatusCode);
            }
            catch (HttpRequestException) { /* nobody there */ }
            Interlocked.Increment(ref _retried);
            await Task.Delay(50, Stop);
            using var found = await Send(HttpMethod.Get, $"{all}?name={name}", null);
            if ((await found.Content.ReadFromJsonAsync<JsonElement>(Stop)).EnumerateObject().First().Value is var list && list.GetArrayLength() > 0) return list[0].GetProperty("id").GetString()!;
        }
    }

    private async Task<HttpResponseMessage> Send(HttpMethod method, string path, object? body)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            try
            {
                if (await _http.SendAsync(request, Stop) is { StatusCode: not System.Net.HttpStatusCode.ServiceUnavailable } answer) return answer;
            }
            catch (HttpRequestException) { Interlocked.Increment(ref _retried); }
            await Task.Delay(50, Stop);
        }
    }

    private async Task<JsonElement> Get(string path)
    {
        using var answer = await Send(HttpMethod.Get, path, null);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>(Stop)).EnumerateObject().First().Value : default;
    }

    private async Task Ended()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        while ((await Get("/ops/v1/sagas")).GetArrayLength() > 0) await Task.Delay(200, patience.Token);
        foreach (var (name, path) in _made)
        {
            var status = (await Get(path)).GetProperty("status").GetString();
            Assert.True(status is "ACTIVE" or "available", $"{name} is {status}");
        }
        foreach (var path in _deleted) Assert.Equal(404, (int)(await Send(HttpMethod.Get, path, null)).StatusCode);
        // And nothing that nobody asked for: a request asked again made one thing.
        Assert.Equal(_made.Count, (await Get("/compute/v2.1/servers")).GetArrayLength() + (await Get($"/volume/v3/{_project}/volumes")).GetArrayLength());
        Assert.Equal(0, (await Get("/ops/v1/alerts")).GetArrayLength());
        Assert.Equal(0, (await Get("/ops/v1/dead-letters")).GetArrayLength());
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited) process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        _http.Dispose();
        Directory.Delete(_root, recursive: true);
    }
}
