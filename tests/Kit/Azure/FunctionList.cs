using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Bus;

namespace Cloud.Tests.Kit;

/// <summary>The functions of an app as the Functions host knows them: from function.json files alone.</summary>
public sealed class FunctionList
{
    public sealed record Function(string Name, JsonElement Trigger)
    {
        public string Type => Trigger.GetProperty("type").GetString()!;
        public string Queue => Trigger.GetProperty("queueName").GetString()!;
    }

    private readonly IReadOnlyList<Function> _all;

    /// <param name="directory">With a folder for each function.</param>
    public FunctionList(string directory)
    {
        _all = [.. Directory.GetDirectories(directory).Select(d => new Function(Path.GetFileName(d), JsonDocument.Parse(File.ReadAllText(Path.Combine(d, "function.json"))).RootElement.GetProperty("bindings")[0]))];
        (Queues, Timers) = ([.. _all.Where(f => f.Type == "serviceBusTrigger")], [.. _all.Where(f => f.Type == "timerTrigger")]);
    }

    public IReadOnlyList<Function> Queues { get; }
    public IReadOnlyList<Function> Timers { get; }

    /// <summary>Whether an HTTP function has this path.</summary>
    public bool Serves(string target) => target.StartsWith('/') && _all.Any(f => f.Type == "httpTrigger" && target[1..].Split('/', '?')[0] + "/{*path}" == f.Trigger.GetProperty("route").GetString());

    /// <summary>The payload as the host of the day writes it: bytes as base64, each metadata value as JSON within a string.</summary>
    public JsonObject Payload(string function, Delivery d) => Payload(_all.Single(f => f.Name == function), d);

    public static JsonObject Payload(Function f, Delivery d)
    {
        var metadata = new JsonObject
        {
            ["DeliveryCount"] = JsonSerializer.Serialize(d.Attempt), ["MessageId"] = JsonSerializer.Serialize(d.Message.Id), ["LockToken"] = JsonSerializer.Serialize(d.Lock),
            ["SequenceNumber"] = "1", ["ContentType"] = "null", ["EnqueuedTimeUtc"] = "2030-01-01T00:00:00Z", ["ApplicationProperties"] = new JsonObject(), ["sys"] = Sys(f.Name),
        };
        if (d.Message.Session is { } session) metadata["SessionId"] = JsonSerializer.Serialize(session);
        return new() { ["Data"] = new JsonObject { [f.Trigger.GetProperty("name").GetString()!] = Convert.ToBase64String(d.Message.Body.Span) }, ["Metadata"] = metadata };
    }

    public static JsonObject Tick(string timer) => new()
    {
        ["Data"] = new JsonObject { ["timer"] = new JsonObject { ["Schedule"] = new JsonObject { ["AdjustForDST"] = true }, ["ScheduleStatus"] = null, ["IsPastDue"] = false } },
        ["Metadata"] = new JsonObject { ["sys"] = Sys(timer) },
    };

    private static JsonObject Sys(string function) => new() { ["MethodName"] = function, ["UtcNow"] = "2030-01-01T00:00:00Z", ["RandGuid"] = "24ad4c06-24ad-4e5b-8294-3da9714877e9" };
}
