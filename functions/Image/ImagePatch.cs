using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>PATCH with a list of operations: https://docs.openstack.org/api-ref/image/v2/#update-image</summary>
public static class ImagePatch
{
    private static readonly HashSet<string> Fields = ["id", "name", "status", "visibility", "protected", "os_hidden", "disk_format", "container_format", "min_disk", "min_ram",
        "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "owner", "tags", "created_at", "updated_at"];
    private static readonly HashSet<string> ReadOnly = ["id", "status", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "self", "file", "schema"];

    public static bool IsField(string name) => Fields.Contains(name);

    public static async ValueTask<Reply> Apply(Call c)
    {
        if (c.Header("Content-Type") is not { } type || !type.Contains("json-patch", StringComparison.Ordinal)) throw new Fault(415, "The content type must be application/openstack-images-v2.1-json-patch.");
        if (c.Json.ValueKind != JsonValueKind.Array) throw Fault.BadRequest("Request body must be a JSON array of operation objects.");
        var image = await Images.Kind.Change(c, "image:modify_image", d =>
        {
            foreach (var op in c.Json.EnumerateArray()) One(c, d, op);
        });
        return Images.Kind.One1(c, 200, image);
    }

    private static void One(Call c, Draft<Image> d, JsonElement op)
    {
        string Text(string name) => op.ValueKind == JsonValueKind.Object && op.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : throw Fault.BadRequest($"Unable to find '{name}' in JSON Schema change");
        var (verb, path) = (Text("op"), Text("path"));
        if (path.Length < 2 || path[0] != '/' || path.IndexOf('/', 1) > 0 || path.EndsWith('~')) throw Fault.BadRequest($"Pointer `{path}` does not contain a valid path to an attribute.");
        var name = path[1..].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        if (ReadOnly.Contains(name)) throw new Fault(403, $"Attribute '{name}' is read-only.");
        if (verb is not ("add" or "replace" or "remove")) throw Fault.BadRequest($"Operations must be one of: add, replace, remove. Not {verb}.");
        if (verb == "remove")
        {
            if (IsField(name)) throw new Fault(403, $"Property {name} may not be removed.");
            var rest = new Dictionary<string, string>(d.Item.Properties);
            if (!rest.Remove(name)) throw Fault.Conflict($"Property {name} does not exist.");
            d.Item = d.Item with { Properties = rest };
            return;
        }
        if (!op.TryGetProperty("value", out var value)) throw Fault.BadRequest("Operation must contain 'value'.");
        if (name == "owner") throw new Fault(403, "Attribute 'owner' is reserved.");
        if (name is "disk_format" or "container_format" && d.Item.Status != "queued") throw new Fault(403, $"Attribute {name} can be only replaced for a queued image.");
        if (IsField(name))
        {
            using var body = JsonDocument.Parse(new JsonObject { [name] = JsonNode.Parse(value.GetRawText()) }.ToJsonString());
            d.Item = Images.Kind.Read(c, d.Item, body.RootElement, In.Update);
            return;
        }
        if (verb == "replace" && !d.Item.Properties.ContainsKey(name)) throw Fault.Conflict($"Property {name} does not exist.");
        if (value.ValueKind != JsonValueKind.String) throw Fault.BadRequest($"Provided object does not match schema 'image': {name} is not of type 'string'");
        d.Item = d.Item with { Properties = new(d.Item.Properties) { [Images.Name(name)] = value.GetString()! } };
    }
}
