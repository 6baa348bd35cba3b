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
        Assert.Equal(Kinds().Select(k => k.File), Directory.EnumerateFiles(Folder, "*.json").Select(f => Path.GetFileName(f)).Where(f => f is not ("metering.interval.json" or "events.webhook.gave_up.json")).Order(StringComparer.Ordinal));
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
        }
    }

    private static IEnumerable<string> Names(JsonNode schema) => schema["properties"]!.AsObject().Select(p => p.Key).Order(StringComparer.Ordinal);
}
