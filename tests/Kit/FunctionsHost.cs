using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;

namespace Cloud.Tests.Kit;

/// <summary>Where a handler keeps its state when it has none of its own.</summary>
/// <param name="Bus">Connection to the broker; <paramref name="Queues"/> is the same, as the host reads it.</param>
public sealed record HandlerState(string Tables, string Blobs, string Bus, IBus Queues, string Password);

/// <summary>
/// Plays the Azure Functions host towards the real executable: gives it a port, waits until it answers, knows functions from function.json files only,
/// passes requests on as they are, posts messages and ticks to the function's name, completes or abandons by the status. Service Bus is played by the bus in
/// the handler's own state, through <see cref="BusDoor"/>, or by a real broker.
/// </summary>
public sealed class FunctionsHost : IAsyncDisposable
{
    public const string PublicName = "cloud.example.net";

    private sealed record Function(string Name, JsonElement Trigger);

    private readonly Process _process;
    private readonly HttpClient _http;
    private readonly List<Function> _functions;
    private readonly string _busKey;
    private readonly IBus? _queues;
    private readonly Task<string> _errors;

    public List<string> Failed { get; } = [];
    /// <summary>Calls of the handler so far, and how long they took together.</summary>
    public int Executions { get; private set; }
    public TimeSpan Busy { get; private set; }
    /// <summary>Messages that came out of queues, by queue.</summary>
    public Dictionary<string, int> Messages { get; } = [];
    public IEnumerable<string> Timers => _functions.Where(f => Type(f) == "timerTrigger").Select(f => f.Name);

    private FunctionsHost(Process process, int port, List<Function> functions, string busKey, IBus? queues, Task<string> errors)
    {
        (_process, _functions, _busKey, _queues, _errors) = (process, functions, busKey, queues, errors);
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new($"http://127.0.0.1:{port}") };
    }

    /// <param name="tables">Connection string of the storage account with the state; null: it is in the directory.</param>
    /// <param name="all">Where everything is; the directory is not used then.</param>
    /// <param name="environment">What the platform sets besides.</param>
    public static async Task<FunctionsHost> Start(string functions, string data, string? tables = null, HandlerState? all = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var port = CloudCommand.FreePort();
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Cloud.Functions")) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = data };
        start.Environment[CustomHandler.Port] = port.ToString(CultureInfo.InvariantCulture);
        if (all is null) start.Environment[CustomHandler.Data] = Path.Combine(data, "state");
        else (start.Environment[CustomHandler.Bus], start.Environment[CustomHandler.Blobs], start.Environment[CustomHandler.AdminPassword]) = (all.Bus, all.Blobs, all.Password);
        if ((all?.Tables ?? tables) is { } connection) start.Environment[CustomHandler.Tables] = connection;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        start.Environment["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"] = "worker";
        var process = Process.Start(start)!;
        var output = Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync()).ContinueWith(t => string.Concat(t.Result), TaskScheduler.Default);
        using var ping = new HttpClient();
        for (var tries = 0; ; tries++)
        {
            try { using var any = await ping.GetAsync($"http://127.0.0.1:{port}/"); break; }
            catch (HttpRequestException) when (tries < 1200 && !process.HasExited) { await Task.Delay(50); } // as the host does, for 60 s
        }
        var found = Directory.GetDirectories(functions).Select(d => new Function(Path.GetFileName(d), JsonDocument.Parse(File.ReadAllText(Path.Combine(d, "function.json"))).RootElement.GetProperty("bindings")[0])).ToList();
        return new(process, port, found, all is not null ? "" : await File.ReadAllTextAsync(Path.Combine(data, "state", "bus-key")), all?.Queues, output);
    }

    /// <summary>A request of a client. 404 when no function has its path, which is the host's own answer.</summary>
    public async Task<HttpResponseMessage> Send(HttpMethod method, string target, HttpContent? content = null, params (string, string)[] headers)
    {
        if (!_functions.Exists(f => Type(f) == "httpTrigger" && target[1..].Split('/', '?')[0] + "/{*path}" == f.Trigger.GetProperty("route").GetString())) return new(HttpStatusCode.NotFound);
        using var request = new HttpRequestMessage(method, new Uri(_http.BaseAddress!.GetLeftPart(UriPartial.Authority) + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })) { Content = content };
        request.Headers.Host = PublicName;
        request.Headers.Add("X-Forwarded-Proto", "https");
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        Mark(request);
        return await Timed(() => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
    }

    private async Task<T> Timed<T>(Func<Task<T>> call)
    {
        var began = Stopwatch.GetTimestamp();
        try { return await call(); }
        finally { (Executions, Busy) = (Executions + 1, Busy + Stopwatch.GetElapsedTime(began)); }
    }

    /// <summary>Posts what the host posts; the invocation's status.</summary>
    public async Task<HttpStatusCode> Invoke(string function, JsonNode payload)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/" + function) { Content = JsonContent.Create(payload) };
        Mark(request);
        using var answer = await Timed(() => _http.SendAsync(request));
        if (answer.IsSuccessStatusCode)
        {
            var result = await answer.Content.ReadFromJsonAsync<JsonElement>();
            if (result.GetProperty("Outputs").ValueKind != JsonValueKind.Object || result.GetProperty("Logs").ValueKind != JsonValueKind.Array || !result.TryGetProperty("ReturnValue", out _))
                throw new InvalidOperationException($"{function} answered {result}");
        }
        return answer.StatusCode;
    }

    public Task<HttpStatusCode> Tick(string timer) => Invoke(timer, new JsonObject
    {
        ["Data"] = new JsonObject { ["timer"] = new JsonObject { ["Schedule"] = new JsonObject { ["AdjustForDST"] = true }, ["ScheduleStatus"] = null, ["IsPastDue"] = false } },
        ["Metadata"] = new JsonObject { ["sys"] = Sys(timer) },
    });

    /// <summary>Gives each queue's functions what is due, and <paramref name="others"/> what is due in other queues, until nothing is. A failed message is given back and not tried again here.</summary>
    public async Task Drain(string queue, Func<Delivery, Task> others)
    {
        for (var round = 0; round < 1000; round++)
        {
            var any = false;
            foreach (var f in _functions.Where(f => Type(f) == "serviceBusTrigger"))
                foreach (var d in await Receive(f.Trigger.GetProperty("queueName").GetString()!))
                {
                    if (Failed.Contains(d.Message.Id)) { await Settle(d, done: true); continue; }
                    any = true;
                    var status = await Invoke(f.Name, Payload(f, d));
                    if (status != HttpStatusCode.OK) Failed.Add(d.Message.Id);
                    await Settle(d, status == HttpStatusCode.OK);
                }
            foreach (var d in await Receive(queue))
            {
                any = true;
                await others(d);
                await Settle(d, done: true);
            }
            if (!any) return;
        }
        throw new InvalidOperationException("the queues do not come to rest");
    }

    public async Task<List<Delivery>> Receive(string queue)
    {
        List<Delivery> got;
        if (_queues is not null) got = [.. await _queues.Receive(queue, 32, TimeSpan.FromMinutes(5), TimeSpan.Zero)];
        else
        {
            using var answer = await Door(queue, "receive", null);
            got = (await answer.Content.ReadFromJsonAsync<List<Delivery>>())!;
        }
        Messages[queue] = Messages.GetValueOrDefault(queue) + got.Count;
        return got;
    }

    public Task GiveBack(Delivery d) => Settle(d, done: false);

    public Task Enqueue(Message message) => _queues is not null ? _queues.Send([message]).AsTask() : Door(message.Queue, "send", message);

    private Task Settle(Delivery d, bool done) =>
        _queues is null ? Door(d.Message.Queue, done ? "complete" : "abandon", d) : done ? _queues.Complete(d).AsTask() : _queues.Abandon(d, TimeSpan.Zero).AsTask();

    /// <summary>The payload as the host of the day writes it: bytes as base64, each metadata value as JSON within a string.</summary>
    public JsonObject Payload(string function, Delivery d) => Payload(_functions.Single(f => f.Name == function), d);

    private static JsonObject Payload(Function f, Delivery d)
    {
        var metadata = new JsonObject
        {
            ["DeliveryCount"] = JsonSerializer.Serialize(d.Attempt), ["MessageId"] = JsonSerializer.Serialize(d.Message.Id), ["LockToken"] = JsonSerializer.Serialize(d.Lock),
            ["SequenceNumber"] = "1", ["ContentType"] = "null", ["EnqueuedTimeUtc"] = "2030-01-01T00:00:00Z", ["ApplicationProperties"] = new JsonObject(), ["sys"] = Sys(f.Name),
        };
        if (d.Message.Session is { } session) metadata["SessionId"] = JsonSerializer.Serialize(session);
        return new() { ["Data"] = new JsonObject { [f.Trigger.GetProperty("name").GetString()!] = Convert.ToBase64String(d.Message.Body.Span) }, ["Metadata"] = metadata };
    }

    /// <summary>Whether the process uses a library now.</summary>
    public bool Loaded(string library) => File.ReadLines($"/proc/{_process.Id}/maps").Any(l => l.EndsWith("/" + library, StringComparison.Ordinal));

    /// <summary>Ends the handler as the host does; what it had printed.</summary>
    public async Task<(int Exit, string Output)> Stop()
    {
        if (!_process.HasExited) _ = kill(_process.Id, 15);
        await _process.WaitForExitAsync().WaitAsync(PatientBus.Patience);
        return (_process.ExitCode, await _errors);
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _process.Dispose();
        _http.Dispose();
    }

    private async Task<HttpResponseMessage> Door(string queue, string verb, object? body) =>
        (await Direct($"{BusDoor.Path}{queue}/{verb}", _busKey, body is null ? null : JsonContent.Create(body, body.GetType()))).EnsureSuccessStatusCode();

    /// <summary>Not through the host: what somebody on the same machine could try.</summary>
    public async Task<HttpResponseMessage> Direct(string path, string busKey, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content, Headers = { { BusDoor.Header, busKey } } };
        return await _http.SendAsync(request);
    }

    private static string Type(Function f) => f.Trigger.GetProperty("type").GetString()!;

    private static JsonObject Sys(string function) => new() { ["MethodName"] = function, ["UtcNow"] = "2030-01-01T00:00:00Z", ["RandGuid"] = "24ad4c06-24ad-4e5b-8294-3da9714877e9" };

    private static void Mark(HttpRequestMessage request)
    {
        request.Headers.Add("X-Azure-Functions-InvocationId", "0f8fad5b-d9cb-469f-a165-70867728950e");
        request.Headers.Add("X-Azure-Functions-HostVersion", "4.1044.0");
        request.Headers.UserAgent.ParseAdd("Azure-Functions-Host/4.1044.0");
    }

    [DllImport("libc")] private static extern int kill(int process, int signal);
}
