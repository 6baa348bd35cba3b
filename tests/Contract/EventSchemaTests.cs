using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>docs/events holds a JSON schema for the events of every kind, made from the records. ./cloud generate writes them anew.</summary>
public sealed class EventSchemaTests
{
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };
    private static readonly string Folder = Repository.Path("docs/events");

    private sealed record Kind(string Service, string Name, Type Type)
    {
        public string File => $"{Service}.{Name}.json";
    }

    private static IReadOnlyList<Kind> Kinds() =>
    [
        .. typeof(Slices).Assembly.GetTypes().SelectMany(t => t.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(f => f.FieldType.IsGenericType && f.FieldType.GetGenericTypeDefinition() == typeof(Rows<>)).Select(f => (dynamic)f.GetValue(null)!).Where(r => (bool)r.Publishes)
            .Select(r => new Kind((string)r.Service, (string)r.Name, (Type)((object)r).GetType().GetGenericArguments()[0])).DistinctBy(k => k.File).OrderBy(k => k.File, StringComparer.Ordinal),
    ];

    /// <summary>What tells of something else than a change.</summary>
    private static IReadOnlyList<Announcement> Announcements() =>
    [
        .. typeof(Slices).Assembly.GetTypes().SelectMany(t => t.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)).Where(f => f.FieldType == typeof(Announcement))
            .Select(f => (Announcement)f.GetValue(null)!).OrderBy(a => a.Type, StringComparer.Ordinal),
    ];

    private static string FileOf(Announcement a) => a.Type["cloud.serverless.".Length..] + ".json";

    private static JsonNode Committed(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, file)))!;

    private static bool IsOperators(PropertyInfo p) => Attribute.IsDefined(p, typeof(OperatorOnlyAttribute)) || p.GetCustomAttribute<FieldAttribute>() is { Policy: not null };

    private static JsonObject Schema(Kind kind)
    {
        var state = Json.Whole.GetJsonSchemaAsNode(kind.Type, new() { TreatNullObliviousAsNonNullable = true }).AsObject();
        var (properties, inside) = (state["properties"]!.AsObject(), new JsonObject());
        foreach (var p in kind.Type.GetProperties())
        {
            if (!p.CanWrite) properties.Remove(p.Name); // computed, not stored
            if (Attribute.IsDefined(p, typeof(SecretAttribute)) && properties.ContainsKey(p.Name)) properties[p.Name] = new JsonObject { ["const"] = "***" };
            if (IsOperators(p) && properties.Remove(p.Name, out var apart)) inside[p.Name] = apart;
        }
        foreach (var p in properties.Concat(inside)) (p.Value as JsonObject)?.Remove("default");
        return new()
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["title"] = $"cloud.serverless.{kind.Service}.{kind.Name}.*", ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["type"] = new JsonObject { ["enum"] = new JsonArray([.. new[] { "created", "updated", "deleted" }.Select(v => JsonValue.Create($"cloud.serverless.{kind.Service}.{kind.Name}.{v}"))]) },
                ["source"] = new JsonObject { ["const"] = "/" + kind.Service },
                ["data"] = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject
                    {
                        ["project_id"] = Of("string"), ["actor"] = Of("string"), ["request_id"] = Of("string"), ["revision"] = Of("integer"), ["after"] = Reference("state"), ["before"] = Reference("state"),
                        ["operator"] = new JsonObject { ["type"] = "object", ["description"] = "Only for operators.", ["properties"] = new JsonObject { ["after"] = Reference("inside"), ["before"] = Reference("inside") } },
                    },
                    ["required"] = new JsonArray("project_id", "actor", "request_id", "revision", "after", "before"),
                },
            },
            ["$defs"] = new JsonObject
            {
                ["state"] = new JsonObject { ["type"] = new JsonArray("object", "null"), ["properties"] = properties.DeepClone() },
                ["inside"] = new JsonObject { ["type"] = new JsonArray("object", "null"), ["properties"] = inside },
            },
        };
    }

    private static JsonObject Of(string type) => new() { ["type"] = type };
    private static JsonObject Reference(string name) => new() { ["$ref"] = "#/$defs/" + name };

    [Fact]
    public void Every_kind_of_event_has_its_schema_committed()
    {
        foreach (var kind in Kinds()) Golden.Same(Path.Combine(Folder, kind.File), Schema(kind).ToJsonString(Written) + "\n");
        Assert.Equal(Kinds().Select(k => k.File).Concat(Announcements().Select(FileOf)).Append("alert.json").Order(StringComparer.Ordinal), Directory.EnumerateFiles(Folder, "*.json").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_tells_of_no_change_has_its_schema_and_its_row_too()
    {
        var page = File.ReadAllText(Path.Combine(Folder, "README.md"));
        Assert.True(Announcements().Count >= 6);
        foreach (var a in Announcements())
        {
            var schema = Committed(FileOf(a));
            Assert.Equal((a.Type, a.Type, a.Source), ((string)schema["title"]!, (string)schema["properties"]!["type"]!["const"]!, (string)schema["properties"]!["source"]!["const"]!));
            Assert.Contains($"| `{a.Type}` |", page, StringComparison.Ordinal);
            Assert.Contains($"]({FileOf(a)})", page, StringComparison.Ordinal);
        }
        // Nothing else makes events: a type that is in neither list would have no schema.
        var makers = Directory.EnumerateFiles(Repository.Path("functions"), "*.cs", SearchOption.AllDirectories).Where(f => File.ReadAllText(f).Contains("\"specversion\"", StringComparison.Ordinal)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);
        Assert.Equal(["Announcement.cs", "CloudEvent.cs"], makers);
    }

    [Fact]
    public void The_page_lists_every_type_of_event()
    {
        var rows = new StringBuilder();
        foreach (var kind in Kinds()) rows.Append($"| `cloud.serverless.{kind.Service}.{kind.Name}.*` | [{kind.File}]({kind.File}) |\n");
        Golden.Contains(Path.Combine(Folder, "README.md"), "types", rows.ToString());
    }

    [Fact]
    public async Task Real_events_have_the_properties_that_the_schemas_say_and_no_others()
    {
        await using var cloud = await TestCloud.Start();
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: "demo")).Body.GetProperty("projects")[0].GetProperty("id").GetString();
        await cloud.Send("POST", $"/volume/v3/{project}/volumes", new { volume = new { size = 1 } }, "demo");
        await cloud.Send("POST", "/network/v2.0/networks", new { network = new { name = "n" } }, "demo");
        await cloud.Drain();
        var schemas = Kinds().ToDictionary(k => $"{k.Service}.{k.Name}", Schema);
        var events = (await cloud.Send("GET", "/events/v1/events?all_projects=1&limit=1000")).Body.EnumerateArray().ToList();
        Assert.True(events.Count > 10);
        foreach (var e in events)
        {
            var (schema, data) = (schemas[string.Join('.', e.GetProperty("type").GetString()!.Split('.')[2..4])], e.GetProperty("data"));
            Assert.Equal(Names(schema["$defs"]!["state"]!), data.GetProperty("after").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
            Assert.Equal(Names(schema["$defs"]!["inside"]!), data.GetProperty("operator").GetProperty("after").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
            Assert.Empty(JsonRules.Wrong(schema, e));
        }
    }

    [Fact]
    public async Task Real_announcements_are_as_their_schemas_say()
    {
        await using var cloud = await TestCloud.Start();
        var receiver = await WebhookReceiver.Start(cloud);
        receiver.Answer = _ => 500;
        var hook = (await receiver.Hook(new { types = new[] { "cloud.serverless.block-storage.volume.created" } })).GetProperty("webhook").GetProperty("id").GetString();
        await cloud.Send("POST", $"/events/v1/webhooks/{hook}/test", user: "demo");
        await cloud.Send("POST", "/billing/v1/prices", """{"valid_from":"2030-01-01T00:00:00Z","currency":"EUR","prices":[{"meter":"volume.gib","unit":"GiB-hour","price":1}]}""");
        await cloud.Send("POST", "/billing/v1/budgets", new { budget = new { name = "b", amount = 1, thresholds = new[] { 100 } } }, "demo");
        var volume = (await cloud.Send("POST", $"/volume/v3/{receiver.Project}/volumes", new { volume = new { size = 1 } }, "demo")).Id("volume");
        await Metering.Facade.Count(cloud.Services, new("a", receiver.Project, "floatingip|f", "floatingip-traffic.in", 5, cloud.Clock.GetUtcNow()));
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromHours(25));
        cloud.Forget();
        receiver.Answer = _ => 410;
        await receiver.Emit("cloud.serverless.block-storage.volume.created", ["gone volume"]);
        Assert.Equal(202, (await cloud.Send("DELETE", $"/volume/v3/{receiver.Project}/volumes/{volume}", user: "demo")).Status);
        await cloud.Drain();
        cloud.Clock.SetUtcNow(new(2030, 2, 2, 0, 0, 0, TimeSpan.Zero));
        await Billing.Closing.Run(cloud.Services, default);
        await cloud.Drain();

        var seen = cloud.Store.All.Where(r => r.Partition == "events" && r.Key.StartsWith("entry|", StringComparison.Ordinal)).Select(r => Json.Read<Events.LogEntry>(r.Body).Event).OfType<JsonElement>().Append(receiver.All[0].Event).ToList();
        Assert.All(Announcements(), a => Assert.Contains(seen, e => e.GetProperty("type").GetString() == a.Type));
        Assert.Contains(seen, e => e.GetProperty("type").GetString() == "cloud.serverless.alert.webhook-disabled");
        var schemas = Announcements().ToDictionary(a => a.Type, a => Committed(FileOf(a)));
        foreach (var e in seen)
        {
            var type = e.GetProperty("type").GetString()!;
            if ((type.StartsWith("cloud.serverless.alert.", StringComparison.Ordinal) ? Committed("alert.json") : schemas.GetValueOrDefault(type)) is { } schema) Assert.Empty(JsonRules.Wrong(schema, e));
        }
    }

    private static IEnumerable<string> Names(JsonNode schema) => schema["properties"]!.AsObject().Select(p => p.Key).Order(StringComparer.Ordinal);
}
