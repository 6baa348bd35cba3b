using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>PATCH with a list of operations: https://docs.openstack.org/api-ref/image/v2/#update-image</summary>
public static class ImagePatch
{
    private const string Types = "application/openstack-images-v2.1-json-patch, application/openstack-images-v2.0-json-patch";
    private static readonly HashSet<string> Fields = ["id", "name", "status", "visibility", "protected", "os_hidden", "disk_format", "container_format", "min_disk", "min_ram",
        "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "owner", "tags", "created_at", "updated_at"];
    private static readonly HashSet<string> ReadOnly = ["id", "status", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "self", "file", "schema"];

    public static bool IsField(string name) => Fields.Contains(name);

    public static async ValueTask<Reply> Apply(Call c)
    {
        var type = c.Header("Content-Type") ?? "";
        var old = type.StartsWith("application/openstack-images-v2.0-json-patch", StringComparison.Ordinal);
        if (!old && !type.StartsWith("application/openstack-images-v2.1-json-patch", StringComparison.Ordinal)) throw new Fault(415, $"The content type must be one of: {Types}.") { Headers = [("Accept-Patch", Types)] };
        if (c.Json.ValueKind != JsonValueKind.Array) throw Fault.BadRequest("Request body must be a JSON array of operation objects.");
        var owner = (string?)null;
        var image = await Images.Kind.Change(c, "image:modify_image", d =>
        {
            foreach (var op in c.Json.EnumerateArray())
            {
                var (verb, path) = old ? Older(op) : (Text(op, "op"), Text(op, "path"));
                if (One(c, d, op, verb, path) is { } to) owner = to;
            }
        });
        if (owner is not null && owner != image.ProjectId) image = await Images.Rows.Move(c.Services, image.Id, owner, Platform.State.Change.By(c), c.Cancelled);
        return Images.Kind.One1(c, 200, image);
    }

    // The first form has the verb as the key: {"replace": "/name", "value": "x"}.
    private static (string Verb, string Path) Older(JsonElement op)
    {
        if (op.ValueKind == JsonValueKind.Object)
            foreach (var verb in (string[])["add", "replace", "remove"])
                if (op.TryGetProperty(verb, out _)) return (verb, Text(op, verb));
        throw Fault.BadRequest("Operations must be JSON objects with one of add, replace, remove.");
    }

    /// <returns>The new owner, when that is what the operation changes.</returns>
    private static string? One(Call c, Draft<Image> d, JsonElement op, string verb, string path)
    {
        if (path == "/locations" || path.StartsWith("/locations/", StringComparison.Ordinal)) throw new Fault(403, "It's not allowed to add, replace or remove locations if they are invisible.");
        if (path.Length < 2 || path[0] != '/' || path.IndexOf('/', 1) > 0 || path.Replace("~0", "", StringComparison.Ordinal).Replace("~1", "", StringComparison.Ordinal).Contains('~', StringComparison.Ordinal))
            throw Fault.BadRequest($"Pointer `{path}` does not contain a valid path to an attribute.");
        var name = path[1..].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        if (ReadOnly.Contains(name)) throw new Fault(403, $"Attribute '{name}' is read-only.");
        if (verb is not ("add" or "replace" or "remove")) throw Fault.BadRequest($"Operations must be one of: add, replace, remove. Not {verb}.");
        if (verb == "remove")
        {
            if (IsField(name)) throw new Fault(403, $"Property {name} may not be removed.");
            var rest = new Dictionary<string, string>(d.Item.Properties);
            if (!rest.Remove(Images.Name(name))) throw Fault.Conflict($"Property {name} does not exist.");
            d.Item = d.Item with { Properties = rest };
            return null;
        }
        if (!op.TryGetProperty("value", out var value)) throw Fault.BadRequest("Operation must contain 'value'.");
        if (name == "owner")
        {
            if (!c.Allows("admin", default)) throw new Fault(403, "Attribute 'owner' is reserved.");
            if (d.Item.Import is { Left.Length: > 0 }) throw Fault.Conflict("The image can't change its owner while it is imported.");
            return value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= 255 } to ? to : throw Fault.BadRequest("Provided object does not match schema 'image': owner is not of type 'string'");
        }
        if (name is "disk_format" or "container_format" && d.Item.Status != "queued") throw new Fault(403, $"Attribute {name} can be only replaced for a queued image.");
        if (IsField(name))
        {
            using var body = JsonDocument.Parse(new JsonObject { [name] = JsonNode.Parse(value.GetRawText()) }.ToJsonString());
            d.Item = Images.Kind.Read(c, d.Item, body.RootElement, In.Update);
            return null;
        }
        if (verb == "replace" && !d.Item.Properties.ContainsKey(Images.Name(name))) throw Fault.Conflict($"Property {name} does not exist.");
        if (value.ValueKind != JsonValueKind.String) throw Fault.BadRequest($"Provided object does not match schema 'image': {name} is not of type 'string'");
        d.Item = d.Item with { Properties = new(d.Item.Properties) { [Images.Name(name)] = Images.Value(value.GetString()!) } };
        if (d.Item.Properties.Count > Images.MaxProperties) throw new Fault(413, "The limit has been exceeded on the number of allowed image properties.");
        return null;
    }

    private static string Text(JsonElement op, string name) =>
        op.ValueKind == JsonValueKind.Object && op.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : throw Fault.BadRequest($"Unable to find '{name}' in JSON Schema change");
}
