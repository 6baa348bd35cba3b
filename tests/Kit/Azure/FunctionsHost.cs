using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;

namespace Cloud.Tests.Kit;

/// <summary>
/// Plays the Azure Functions host towards the real executable, step by step as a test says: knows functions from function.json files only,
/// passes requests on as they are, posts messages and ticks to the function's name, completes or abandons by the status. Service Bus is played by the bus in
/// the handler's own state, through <see cref="BusDoor"/>, or by a real broker. <see cref="FunctionsCloud"/> plays it for clients who come by themselves.
/// </summary>
public sealed class FunctionsHost : IAsyncDisposable
{
    public const string PublicName = "cloud.example.net";

    private readonly HandlerProcess _process;
    private readonly FunctionList _functions;
    private readonly string _busKey;
    private readonly IBus? _queues;

    public List<string> Failed { get; } = [];
    /// <summary>Calls of the handler so far, and how long they took together.</summary>
    public int Executions { get; private set; }
    public TimeSpan Busy { get; private set; }
    /// <summary>Messages that came out of queues, by queue.</summary>
    public Dictionary<string, int> Messages { get; } = [];
    public IEnumerable<string> Timers => _functions.Timers.Select(f => f.Name);

    private FunctionsHost(HandlerProcess process, FunctionList functions, string busKey, IBus? queues) => (_process, _functions, _busKey, _queues) = (process, functions, busKey, queues);

    /// <param name="tables">Connection string of the storage account with the state; null: it is in the directory.</param>
    /// <param name="all">Where everything is; the directory is not used then.</param>
    /// <param name="besides">What the platform sets as well.</param>
    public static async Task<FunctionsHost> Start(string functions, string data, string? tables = null, HandlerState? all = null, IReadOnlyDictionary<string, string>? besides = null)
    {
        var environment = all?.Environment ?? new() { [CustomHandler.Data] = Path.Combine(data, "state") };
        if (all is null && tables is not null) environment[CustomHandler.Tables] = tables;
        // A test's hosts speak when it says so, and processes start as slowly as they like between.
        environment[CustomHandler.SettingsPath] = Path.Combine(data, "settings.json");
        await File.WriteAllTextAsync(environment[CustomHandler.SettingsPath], """{"host_silence_seconds":86400}""");
        foreach (var (name, value) in besides ?? new Dictionary<string, string>()) environment[name] = value;
        var process = await HandlerProcess.Start(Path.Combine(AppContext.BaseDirectory, "Cloud.Functions"), data, environment);
        return new(process, new(functions), all is not null ? "" : await File.ReadAllTextAsync(Path.Combine(data, "state", "bus-key")), all?.Queues);
    }

    /// <summary>A request of a client. 404 when no function has its path, which is the host's own answer.</summary>
    public async Task<HttpResponseMessage> Send(HttpMethod method, string target, HttpContent? content = null, params (string, string)[] headers)
    {
        if (!_functions.Serves(target)) return new(HttpStatusCode.NotFound);
        using var request = new HttpRequestMessage(method, _process.At(target)) { Content = content };
        request.Headers.Host = PublicName;
        request.Headers.Add("X-Forwarded-Proto", "https");
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        return await Timed(() => _process.Send(request));
    }

    private async Task<T> Timed<T>(Func<Task<T>> call)
    {
        var began = Stopwatch.GetTimestamp();
        try { return await call(); }
        finally { (Executions, Busy) = (Executions + 1, Busy + Stopwatch.GetElapsedTime(began)); }
    }

    /// <summary>Posts what the host posts; the invocation's status.</summary>
    public Task<HttpStatusCode> Invoke(string function, JsonNode payload) => Timed(() => _process.Invoke(function, payload));

    public Task<HttpStatusCode> Tick(string timer) => Invoke(timer, FunctionList.Tick(timer));

    /// <summary>Gives each queue's functions what is due, and <paramref name="others"/> what is due in other queues, until nothing is. A failed message is given back and not tried again here.</summary>
    public async Task Drain(string queue, Func<Delivery, Task> others)
    {
        for (var round = 0; round < 1000; round++)
        {
            var any = false;
            foreach (var f in _functions.Queues)
                foreach (var d in await Receive(f.Queue))
                {
                    if (Failed.Contains(d.Message.Id)) { await Settle(d, done: true); continue; }
                    any = true;
                    var status = await Invoke(f.Name, FunctionList.Payload(f, d));
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

    public JsonObject Payload(string function, Delivery d) => _functions.Payload(function, d);

    public bool Loaded(string library) => _process.Loaded(library);

    /// <summary>Ends the handler as the host does; what it had printed.</summary>
    public Task<(int Exit, string Output)> Stop() => _process.Stop();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<HttpResponseMessage> Door(string queue, string verb, object? body) =>
        (await Direct($"{BusDoor.Path}{queue}/{verb}", _busKey, body is null ? null : JsonContent.Create(body, body.GetType()))).EnsureSuccessStatusCode();

    /// <summary>Not through the host: what somebody on the same machine could try.</summary>
    public async Task<HttpResponseMessage> Direct(string path, string busKey, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content, Headers = { { BusDoor.Header, busKey } } };
        return await _process.Past(request);
    }
}
