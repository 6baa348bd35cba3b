using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloud.Platform.Hosting;

/// <summary>What the Azure Functions host reads to know its functions: one folder per trigger with one function.json.</summary>
public static class FunctionJson
{
    /// <summary>Name of the app setting that holds the Service Bus namespace.</summary>
    public const string Connection = "ServiceBus";
    /// <summary>Name of a queue trigger's payload in what the host posts.</summary>
    public const string Message = "message";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes DIR/NAME/function.json for each trigger and removes those of triggers that are gone.</summary>
    public static void Write(string directory, IReadOnlyList<Trigger> triggers)
    {
        Directory.CreateDirectory(directory);
        var names = triggers.Select(t => t.Name).ToHashSet();
        foreach (var old in Directory.GetDirectories(directory).Where(d => !names.Contains(Path.GetFileName(d)) && File.Exists(Path.Combine(d, "function.json"))))
        {
            File.Delete(Path.Combine(old, "function.json"));
            Directory.Delete(old);
        }
        foreach (var trigger in triggers)
        {
            Directory.CreateDirectory(Path.Combine(directory, trigger.Name));
            File.WriteAllText(Path.Combine(directory, trigger.Name, "function.json"), Of(trigger));
        }
    }

    public static string Of(Trigger trigger)
    {
        JsonArray bindings = trigger switch
        {
            // No list of methods: every method, COPY and the like included. The token is checked by the route, not by the host.
            HttpTrigger h =>
            [
                new JsonObject { ["type"] = "httpTrigger", ["direction"] = "in", ["name"] = "req", ["authLevel"] = "anonymous", ["route"] = h.Prefix + "/{*path}" },
                new JsonObject { ["type"] = "http", ["direction"] = "out", ["name"] = "res" },
            ],
            // Binary: the body arrives as base64, whatever is in it, rather than as text that was decoded and escaped on the way.
            QueueTrigger q =>
            [
                new JsonObject
                {
                    ["type"] = "serviceBusTrigger", ["direction"] = "in", ["name"] = Message, ["queueName"] = q.Queue, ["connection"] = Connection,
                    ["isSessionsEnabled"] = q.Sessions, ["cardinality"] = "one", ["dataType"] = "binary",
                },
            ],
            TimerTrigger t => [new JsonObject { ["type"] = "timerTrigger", ["direction"] = "in", ["name"] = "timer", ["schedule"] = Cron(t.Every), ["useMonitor"] = t.Every >= TimeSpan.FromMinutes(1) }],
            _ => throw new ArgumentException($"{trigger.Name} has no binding", nameof(trigger)),
        };
        return new JsonObject { ["bindings"] = bindings }.ToJsonString(Indented) + "\n";
    }

    /// <summary>A six-field schedule; a TimeSpan would need a plan that never sleeps.</summary>
    /// <exception cref="ArgumentException">It does not divide the minute, the hour or the day.</exception>
    public static string Cron(TimeSpan every) => every.TotalSeconds switch
    {
        >= 1 and < 60 and var s when 60 % s == 0 && s % 1 == 0 => $"*/{s} * * * * *",
        >= 60 and < 3600 and var s when 3600 % s == 0 && s % 60 == 0 => $"0 */{s / 60} * * * *",
        >= 3600 and < 86400 and var s when 86400 % s == 0 && s % 3600 == 0 => $"0 0 */{s / 3600} * * *",
        86400 => "0 0 0 * * *",
        _ => throw new ArgumentException($"no schedule says 'every {every}'", nameof(every)),
    };
}
