using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Cloud.Image.Metadefs;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>What the service's resources look like, as JSON Schema made from their records: https://docs.openstack.org/api-ref/image/v2/#image-schemas</summary>
public static class Schemas
{
    private static readonly JsonSchemaExporterOptions Limited = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = (context, node) =>
        {
            if (node is JsonObject o && context.PropertyInfo?.AttributeProvider is PropertyInfo property) OpenApi.Limit(o, property);
            return node;
        },
    };

    private static readonly Dictionary<string, JsonObject> All = new()
    {
        ["image"] = Image(), ["images"] = List("images", Image()),
        ["member"] = Member(), ["members"] = List("members", Member()),
        ["task"] = Task(), ["tasks"] = List("tasks", Task()),
        ["metadefs/namespace"] = Namespace(), ["metadefs/namespaces"] = List("namespaces", Namespace()),
        ["metadefs/object"] = Object(), ["metadefs/objects"] = List("objects", Object()),
        ["metadefs/property"] = Property("name"), ["metadefs/properties"] = Named("properties", new() { ["properties"] = new JsonObject { ["type"] = "object", ["additionalProperties"] = Property() } }),
        ["metadefs/tag"] = Tag(), ["metadefs/tags"] = List("tags", Tag()),
        ["metadefs/resource_type"] = Association(), ["metadefs/resource_types"] = List("resource_type_associations", Association()),
    };

    public static readonly Route[] Routes =
    [
        new("GET", "/v2/schemas/{name}", "authenticated", c => new(Answer(c.Args["name"]))),
        new("GET", "/v2/schemas/metadefs/{name}", "authenticated", c => new(Answer("metadefs/" + c.Args["name"]))),
    ];

    private static Reply Answer(string name) => Reply.Of(200, All.GetValueOrDefault(name) ?? throw Fault.NotFound("schema", name));

    private static JsonObject Image()
    {
        var image = Named("image", With(Fields(typeof(Image)), "self", "file", "schema"));
        image["additionalProperties"] = new JsonObject { ["type"] = "string" };
        return image;
    }

    private static JsonObject Member() => Named("member", Own("image_id", "member_id", "status", "created_at", "updated_at", "schema"));
    private static JsonObject Task()
    {
        var task = Own("id", "type", "status", "owner", "created_at", "updated_at", "expires_at", "self", "schema", "message", "image_id", "request_id", "user_id");
        (task["input"], task["result"]) = (new JsonObject { ["type"] = new JsonArray("null", "object") }, new JsonObject { ["type"] = new JsonArray("null", "object") });
        return Named("task", task);
    }

    private static JsonObject Namespace() => Named("namespace", With(Fields(typeof(Namespace)), "self", "schema"), "namespace");
    private static JsonObject Object() => Named("object", With(Members(typeof(MetadefObject)), "self", "schema"), "name");
    private static JsonObject Property(params string[] alone) => Named("property", Members(typeof(Property)), [.. alone, "title", "type"]);
    private static JsonObject Tag() => Named("tag", Members(typeof(Tag)), "name");
    private static JsonObject Association() => Named("resource_type_association", Members(typeof(Association)), "name");

    private static JsonObject List(string many, JsonObject one) => Named(many, With(new() { [many] = new JsonObject { ["type"] = "array", ["items"] = one } }, "first", "next", "schema"));

    private static JsonObject Named(string name, JsonObject properties, params string[] required)
    {
        var schema = new JsonObject { ["name"] = name, ["properties"] = properties };
        if (required.Length > 0) schema["required"] = new JsonArray([.. required.Select(r => JsonValue.Create(r))]);
        return schema;
    }

    private static JsonObject With(JsonObject properties, params string[] own)
    {
        foreach (var name in own) properties[name] = new JsonObject { ["type"] = "string", ["readOnly"] = true };
        return properties;
    }

    private static JsonObject Own(params string[] names) => With([], names);

    // Of a resource: what its fields say.
    private static JsonObject Fields(Type type)
    {
        var fields = new JsonObject();
        foreach (var p in type.GetProperties())
        {
            if (p.GetCustomAttribute<FieldAttribute>() is not { } rule) continue;
            var field = MetadefBody.Json.GetJsonSchemaAsNode(p.PropertyType, Limited).AsObject();
            OpenApi.Limit(field, p);
            if (new NullabilityInfoContext().Create(p).ReadState == NullabilityState.Nullable && field["type"] is JsonValue one) field["type"] = new JsonArray("null", one.DeepClone());
            if (rule.Accepts == In.None) field["readOnly"] = true;
            fields[rule.Wire ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name)] = field;
        }
        return fields;
    }

    // What may be anything is an empty object: glanceclient knows no schema that is true.
    private static JsonObject Members(Type type) => new(MetadefBody.Json.GetJsonSchemaAsNode(type, Limited)["properties"]!.AsObject().Select(m => KeyValuePair.Create<string, JsonNode?>(m.Key, m.Value is JsonObject schema ? schema.DeepClone() : new JsonObject())));
}
