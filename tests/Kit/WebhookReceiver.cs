using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cloud.Tests.Kit;

/// <summary>A receiver of webhooks on the fake internet, and events to be sent to it.</summary>
public sealed class WebhookReceiver
{
    public sealed record Got(IReadOnlyDictionary<string, string> Headers, string Body)
    {
        public JsonElement Event { get; } = JsonDocument.Parse(Body).RootElement.Clone();
        public string Id => Event.GetProperty("id").GetString()!;
        public string Subject => Event.GetProperty("subject").GetString()!;
    }

    private readonly TestCloud _cloud;
    private readonly List<Got> _got = [];
    private readonly List<string> _served = [];

    /// <summary>What it answers; null for nothing, with the line cut.</summary>
    public Func<Got, int?> Answer { get; set; } = _ => 204;
    public IReadOnlyList<Got> All { get { lock (_got) return [.. _got]; } }
    /// <summary>Ids of those that it answered with success, in order.</summary>
    public IReadOnlyList<string> Served { get { lock (_got) return [.. _served]; } }
    /// <summary>Called before a request is looked at and when its answer is on its way.</summary>
    public Action Before { get; set; } = () => { };
    public Action After { get; set; } = () => { };
    public IEnumerable<string> Ids => All.Select(g => g.Id);
    public string Url { get; }
    public string Project { get; private set; } = "";

    private WebhookReceiver(TestCloud cloud, string name, string address)
    {
        (_cloud, Url) = (cloud, $"http://{name}/in");
        cloud.Internet.Name(name, address);
        cloud.Internet.Server(address + ":80", Serve);
    }

    public static async Task<WebhookReceiver> Start(TestCloud cloud, string name = "hook.example", string address = "8.8.8.8", string user = "demo") => new(cloud, name, address) { Project = await cloud.IdOf("projects", user) };

    private IEnumerable<byte[]> Serve(string request)
    {
        Before();
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var headers = request[..end].Split("\r\n").Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(l => l[0], l => l[1], StringComparer.OrdinalIgnoreCase);
        var got = new Got(headers, request[(end + 4)..]);
        int? status;
        lock (_got)
        {
            _got.Add(got);
            status = Answer(got);
            if (status is >= 200 and < 300) _served.Add(got.Id);
        }
        After();
        if (status is { } s) yield return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {s} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    }

    /// <summary>Makes a webhook for it.</summary>
    public async Task<JsonElement> Hook(object? more = null, string user = "demo")
    {
        var wish = more is null ? [] : JsonSerializer.SerializeToNode(more)!.AsObject();
        wish["url"] = Url;
        var answer = await _cloud.Send("POST", "/events/v1/webhooks", new { webhook = wish }, user);
        if (answer.Status != 201) throw new InvalidOperationException(answer.Text);
        await _cloud.Drain();
        return answer.Body;
    }

    /// <summary>Changes of resources, each named by its id and the resource's: "e1 server-1".</summary>
    public Task Emit(params string[] events) => Emit("cloud.serverless.test.thing.updated", events);

    public async Task Emit(string type, string[] events)
    {
        await Send(type, events);
        await _cloud.Drain();
    }

    /// <summary>The same, but only into the outbox; what is there already is not added again.</summary>
    public Task Send(params string[] events) => Send("cloud.serverless.test.thing.updated", events);

    private async Task Send(string type, string[] events)
    {
        foreach (var (id, subject) in events.Select(e => e.Split(' ')).Select(e => (e[0], e[1])))
            await _cloud.Bus.Send([new("events", id, JsonSerializer.SerializeToUtf8Bytes(new
            {
                specversion = "1.0", id, source = "/compute", type, subject, time = _cloud.Clock.GetUtcNow(), datacontenttype = "application/json",
                data = new { project_id = Project, revision = 1, after = new { Name = "x", Password = "***" }, @operator = new { after = new { Host = "h1" } } },
            }), Session: subject)]);
    }
}
