using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;

namespace Cloud.Platform.Rest;

/// <summary>What a route of a <see cref="Kind{T}"/> takes and shows.</summary>
public sealed record Shape(string Name, Dialect Dialect, IReadOnlyList<ShapeField> Fields)
{
    /// <summary>What its body may hold.</summary>
    public In Accepts { get; init; }
    /// <summary>The collection's name, for a list.</summary>
    public string? Many { get; init; }
}

public sealed record ShapeField(string Wire, PropertyInfo Property, FieldAttribute Rule);

/// <summary>
/// A service's route table as OpenAPI 3.1. What OpenAPI has no word for: <c>x-policy</c> (the rule), <c>x-since</c> and <c>x-until</c> (microversions),
/// <c>x-actions</c> (routes that share a path and are told apart by the body), <c>x-not-offered</c> (answered with 501, and why).
/// </summary>
public static partial class OpenApi
{
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };
    private static readonly JsonSchemaExporterOptions Plain = new() { TreatNullObliviousAsNonNullable = true };

    public static string Of(Slice slice)
    {
        var paths = new JsonObject();
        foreach (var path in slice.Routes.GroupBy(r => r.Path))
        {
            var item = new JsonObject();
            foreach (var routes in path.GroupBy(r => r.Method)) item[routes.Key.ToLowerInvariant()] = Operation([.. routes]);
            // COPY has no place in OpenAPI before 3.2.
            if (item.ContainsKey("copy")) { item["x-copy"] = item["copy"]!.DeepClone(); item.Remove("copy"); }
            paths[path.Key.Replace("*}", "}", StringComparison.Ordinal)] = item;
        }
        var schemas = new JsonObject();
        foreach (var shape in slice.Routes.Select(r => r.Shape).OfType<Shape>().DistinctBy(s => s.Name).OrderBy(s => s.Name, StringComparer.Ordinal)) schemas[shape.Name] = Schema(shape);
        var info = new JsonObject { ["title"] = slice.Prefix, ["version"] = slice.Dialect.Microversions?.Max.ToString() ?? "1" };
        if (slice.Dialect.Microversions is { } m) info["x-microversions"] = new JsonObject { ["service"] = m.Service, ["min"] = m.Min.ToString(), ["max"] = m.Max.ToString() };
        return new JsonObject
        {
            ["openapi"] = "3.1.0", ["info"] = info, ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" + slice.Prefix }), ["security"] = new JsonArray(new JsonObject { ["token"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["responses"] = new JsonObject { ["error"] = new JsonObject { ["description"] = "An error in the service's own format." } },
                ["securitySchemes"] = new JsonObject { ["token"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "X-Auth-Token" } },
            },
        }.ToJsonString(Written) + "\n";
    }

    private static JsonObject Operation(Route[] routes)
    {
        var operation = new JsonObject();
        Describe(operation, routes[0]);
        if (routes[0].Action is not null || routes.Length > 1)
        {
            foreach (var key in new[] { "x-policy", "x-since", "x-until", "x-not-offered" }) operation.Remove(key);
            operation["x-actions"] = new JsonArray([.. routes.Select(r => { var o = new JsonObject { ["action"] = r.Action }; Describe(o, r); return o; })]);
        }
        var parameters = new JsonArray([.. Argument().Matches(routes[0].Path).Select(m => new JsonObject { ["name"] = m.Groups[1].Value, ["in"] = "path", ["required"] = true, ["schema"] = Typed("string") })]);
        if (routes[0].Shape is { Many: not null } list)
        {
            foreach (var f in list.Fields.Where(f => f.Rule.Filter)) parameters.Add(Query(f.Wire, Bare(list, f)));
            if (list.Fields.Where(f => f.Rule.Sort).Select(f => (JsonNode)f.Wire).ToArray() is { Length: > 0 } keys) parameters.Add(Query("sort_key", new JsonObject { ["enum"] = new JsonArray(keys) }));
            parameters.Add(Query("marker", Typed("string")));
            parameters.Add(Query("limit", new JsonObject { ["type"] = "integer", ["minimum"] = 0, ["maximum"] = list.Dialect.MaxLimit }));
        }
        if (parameters.Count > 0) operation["parameters"] = parameters;
        if (Body(routes) is { } body) operation["requestBody"] = new JsonObject { ["content"] = new JsonObject { [routes[0].Streams ? "application/octet-stream" : "application/json"] = new JsonObject { ["schema"] = body } } };
        var success = new JsonObject { ["description"] = "Done." };
        if (routes[0].Shape is { } shape) success["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Answer(shape) } };
        operation["responses"] = new JsonObject { ["2XX"] = success, ["default"] = new JsonObject { ["$ref"] = "#/components/responses/error" } };
        if (Array.TrueForAll(routes, r => r.Policy == Access.Policy.Anyone)) operation["security"] = new JsonArray();
        return operation;
    }

    private static void Describe(JsonObject o, Route r)
    {
        o["x-policy"] = r.Policy;
        if (r.Since is not null) o["x-since"] = r.Since;
        if (r.Until is not null) o["x-until"] = r.Until;
        if (r.NotOffered is not null) o["x-not-offered"] = r.NotOffered;
    }

    private static JsonObject? Body(Route[] routes)
    {
        if (routes[0].Streams) return new JsonObject();
        if (routes[0].Action is not null) return new JsonObject { ["type"] = "object", ["oneOf"] = new JsonArray([.. routes.Where(r => r.NotOffered is null).Select(r => new JsonObject { ["required"] = new JsonArray(r.Action!) })]) };
        if (routes[0].Shape is not { Accepts: not In.None } shape) return routes[0].Method is "POST" or "PUT" or "PATCH" ? Typed("object") : null;
        JsonObject one = Reference(shape);
        if (shape.Accepts == In.Create && shape.Fields.Where(f => f.Rule.Required).Select(f => (JsonNode)f.Wire).ToArray() is { Length: > 0 } required)
            one = new() { ["allOf"] = new JsonArray(one, new JsonObject { ["required"] = new JsonArray(required) }) };
        return shape.Dialect.Bare ? one : new JsonObject { ["type"] = "object", ["required"] = new JsonArray(shape.Name), ["properties"] = new JsonObject { [shape.Name] = one } };
    }

    private static JsonObject Answer(Shape shape)
    {
        if (shape.Many is null && shape.Dialect.Bare) return Reference(shape);
        var (name, value) = shape.Many is null ? (shape.Name, Reference(shape)) : (shape.Many, new JsonObject { ["type"] = "array", ["items"] = Reference(shape) });
        return new() { ["type"] = "object", ["properties"] = new JsonObject { [name] = value } };
    }

    private static JsonObject Schema(Shape shape)
    {
        var properties = new JsonObject();
        foreach (var f in shape.Fields.Where(f => !f.Rule.Rest))
        {
            if (properties.ContainsKey(f.Wire)) continue; // the same name in other versions
            var o = Bare(shape, f);
            if (f.Rule.Nullable && o["type"] is JsonValue type) o["type"] = new JsonArray(type.DeepClone(), "null");
            Limit(o, f.Property);
            if (f.Rule.Accepts == In.None) o["readOnly"] = true;
            else if (f.Rule.WriteOnly) o["writeOnly"] = true;
            if (f.Rule.Accepts is In.Create or In.Update) o["x-accepted-by"] = f.Rule.Accepts == In.Create ? "create" : "update";
            if (f.Rule.Since is not null) o["x-since"] = f.Rule.Since;
            if (f.Rule.Until is not null) o["x-until"] = f.Rule.Until;
            if (f.Rule.Policy is not null) o["x-policy"] = f.Rule.Policy;
            properties[f.Wire] = o;
        }
        return new() { ["type"] = "object", ["properties"] = properties };
    }

    /// <summary>The type alone, without null.</summary>
    private static JsonObject Bare(Shape shape, ShapeField f)
    {
        var type = f.Property.PropertyType;
        return shape.Dialect.Json.GetJsonSchemaAsNode(Nullable.GetUnderlyingType(type) ?? type, Plain) as JsonObject ?? [];
    }

    /// <summary>Adds what validation says of the property.</summary>
    internal static void Limit(JsonObject o, PropertyInfo property)
    {
        var unit = o["type"] is JsonArray types ? types[0]!.ToString() : o["type"]?.ToString();
        var (min, max) = unit switch { "string" => ("minLength", "maxLength"), "array" => ("minItems", "maxItems"), _ => ("minProperties", "maxProperties") };
        foreach (var v in property.GetCustomAttributes<ValidationAttribute>())
            switch (v)
            {
                case StringLengthAttribute l: (o[min], o[max]) = (l.MinimumLength, l.MaximumLength); break;
                case LengthAttribute l: (o[min], o[max]) = (l.MinimumLength, l.MaximumLength); break;
                case MaxLengthAttribute l: o[max] = l.Length; break;
                case MinLengthAttribute l: o[min] = l.Length; break;
                case RangeAttribute r: (o["minimum"], o["maximum"]) = (Number(r.Minimum), Number(r.Maximum)); break;
                case AllowedValuesAttribute a: o["enum"] = new JsonArray([.. a.Values.Select(x => JsonSerializer.SerializeToNode(x))]); break;
                case RegularExpressionAttribute r: o["pattern"] = r.Pattern; break;
                default: o["x-rule"] = JsonNamingPolicy.KebabCaseLower.ConvertName(v.GetType().Name[..^"Attribute".Length]); break;
            }
    }

    private static JsonValue Number(object value) => value is double d ? JsonValue.Create(d) : JsonValue.Create(Convert.ToInt64(value, CultureInfo.InvariantCulture));
    private static JsonObject Query(string name, JsonNode schema) => new() { ["name"] = name, ["in"] = "query", ["schema"] = schema };
    private static JsonObject Typed(string type) => new() { ["type"] = type };
    private static JsonObject Reference(Shape shape) => new() { ["$ref"] = "#/components/schemas/" + shape.Name };

    [GeneratedRegex(@"\{([a-z_]+)\*?\}")] private static partial Regex Argument();
}
