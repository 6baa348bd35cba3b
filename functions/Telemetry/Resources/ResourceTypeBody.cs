using System.Text.Json;
using System.Text.RegularExpressions;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Reads resource types and changes of their attributes. https://gnocchi.osci.io/rest.html#resource-types</summary>
internal static partial class ResourceTypeBody
{
    private const int MostAttributes = 60, MostChanges = 200;
    private static readonly string[] Kinds = ["string", "uuid", "number", "bool", "datetime"];
    private static readonly string[] Reserved =
    [
        "id", "type", "metrics", "revision", "revision_start", "revision_end", "started_at", "ended_at", "user_id", "project_id", "created_by_user_id", "created_by_project_id", "get_metric", "creator", "original_resource_id",
    ];

    public static ResourceType Create(JsonElement body, DateTimeOffset now)
    {
        Bodies.Keys(body, [], ["name"], ["attributes"]);
        var attributes = new List<ResourceAttribute>();
        if (body.TryGetProperty("attributes", out var all))
        {
            Bodies.Object(all, "attributes");
            foreach (var a in all.EnumerateObject()) attributes.Add(Attribute(a.Name, a.Value, update: false, now) with { Slot = a.Name });
        }
        if (attributes.Count > MostAttributes) throw Wrong.Value($"length of value must be at most {MostAttributes}", "attributes");
        return new() { Name = Bodies.Text(body, "name", 255), Attributes = [.. attributes] };
    }

    /// <summary>A JSON patch of which only adding and removing attributes is allowed.</summary>
    public static ResourceType Patch(ResourceType type, JsonElement patch, DateTimeOffset now)
    {
        var ops = Bodies.Items(patch);
        if (ops.Count > MostChanges) throw Wrong.Input($"length of value must be at most {MostChanges}");
        foreach (var (op, i) in ops.Select((o, i) => (o, i.ToString(System.Globalization.CultureInfo.InvariantCulture))))
        {
            Bodies.Keys(op, [i], ["op", "path"], ["value"]);
            if (op.GetProperty("op") is not { ValueKind: JsonValueKind.String } verb || verb.GetString() is not ("add" or "remove")) throw Wrong.Value("not a valid value", i, "op");
            if (op.GetProperty("path") is not { ValueKind: JsonValueKind.String } path || !path.GetString()!.StartsWith("/attributes/", StringComparison.Ordinal)) throw Wrong.Value("not a valid value", i, "path");
        }
        var (next, added) = (type.Attributes.ToList(), type.Added);
        foreach (var op in ops)
        {
            var name = op.GetProperty("path").GetString()!["/attributes/".Length..].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            var at = next.FindIndex(a => a.Name == name);
            if (op.GetProperty("op").GetString() == "remove")
            {
                if (at < 0) throw Fault.BadRequest($"can't remove a non-existent object '{Wrong.Short(name)}'");
                next.RemoveAt(at);
                continue;
            }
            if (!op.TryGetProperty("value", out var value)) throw Fault.BadRequest("The operation does not contain a 'value' member.");
            if (at >= 0) next.RemoveAt(at);
            next.Add(Attribute(name, value, update: true, now) with { Slot = $"{name}#{++added}" });
        }
        if (next.Count > MostAttributes) throw Wrong.Value($"length of value must be at most {MostAttributes}", "attributes");
        // One that was there before and after isn't changed by being added again.
        return type with { Added = added, Attributes = [.. next.Select(a => Array.Find(type.Attributes, o => o.Name == a.Name) ?? a)] };
    }

    private static ResourceAttribute Attribute(string name, JsonElement body, bool update, DateTimeOffset now)
    {
        Bodies.Object(body, "attributes", Wrong.Short(name));
        if (!body.TryGetProperty("type", out var t) || t.ValueKind != JsonValueKind.String || !Kinds.Contains(t.GetString())) throw Wrong.Value("not a valid value", "attributes", Wrong.Short(name), "type");
        var kind = t.GetString()!;
        string[] bounds = kind switch { "string" => ["min_length", "max_length"], "number" => ["min", "max"], _ => [] };
        Bodies.Keys(body, ["attributes", Wrong.Short(name)], ["type"], ["required", .. bounds, .. update ? ["options"] : Array.Empty<string>()]);
        if (name.Length > 63 || Reserved.Contains(name) || !NameForm().IsMatch(name)) throw Fault.BadRequest($"Invalid input: Resource attribute name {Wrong.Short(name)} is invalid");
        Fault Bad(string what, string why) => Wrong.Value(why, "attributes", name, what);
        bool required = !body.TryGetProperty("required", out var r) || (r.ValueKind is JsonValueKind.True or JsonValueKind.False ? r.GetBoolean() : throw Bad("required", "expected bool"));
        int Length(string what, int least, int or) => !body.TryGetProperty(what, out var v) ? or : v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var n) && n >= least && n <= 255 ? n : throw Bad(what, $"value must be at least {least} and at most 255");
        double? Limit(string what) => !body.TryGetProperty(what, out var v) || v.ValueKind == JsonValueKind.Null ? null : v.ValueKind == JsonValueKind.Number ? v.GetDouble() : throw Bad(what, "expected Real");
        var attribute = new ResourceAttribute { Name = name, Type = kind, Required = required, Shortest = kind == "string" ? Length("min_length", 0, 0) : 0, Longest = kind == "string" ? Length("max_length", 1, 255) : 255, Min = kind == "number" ? Limit("min") : null, Max = kind == "number" ? Limit("max") : null };
        if (attribute.Shortest > attribute.Longest || attribute.Min > attribute.Max)
            throw Fault.BadRequest($"Invalid input: Resource attribute value min (or min_length) {attribute.Min ?? attribute.Shortest} must be less  than or equal to max (or max_length) {attribute.Max ?? attribute.Longest}!");
        return update ? attribute with { Fill = Fill(attribute, body, now) } : attribute;
    }

    private static JsonElement? Fill(ResourceAttribute attribute, JsonElement body, DateTimeOffset now)
    {
        Fault Bad(string why) => Fault.BadRequest($"Invalid input: Option 'fill' of resource attribute {attribute.Name} is invalid: {why}");
        if (body.TryGetProperty("options", out var options) && options.ValueKind == JsonValueKind.Object && options.TryGetProperty("fill", out var fill) && fill.ValueKind != JsonValueKind.Null)
        {
            try { return attribute.Check(fill, now).Clone(); }
            catch (FormatException e) { throw Bad(e.Message); }
        }
        return attribute.Required ? throw Bad("must not be empty if required=True") : null;
    }

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_-]*$")]
    private static partial Regex NameForm();
}
