using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloud.Platform.Rest;

namespace Cloud.Image.Metadefs;

/// <summary>From and to JSON: what a namespace and its parts may hold.</summary>
public static class MetadefBody
{
    public static readonly JsonSerializerOptions Json = new(Dialect.Strict) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <exception cref="Fault">400, or 403 when the body says what only the service says.</exception>
    public static T Read<T>(Call c) where T : class
    {
        Writable(c);
        try { return Checked(c.Json.Deserialize<T>(Json)); }
        catch (JsonException e) { throw Bad($"{(e.Path is { Length: > 1 } at ? at[2..] : "it")} is not as expected"); }
    }

    /// <exception cref="Fault">403, or 400 when there is no object.</exception>
    public static void Writable(Call c)
    {
        if (c.Json.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("The body must be a JSON object.");
        foreach (var name in (string[])["self", "schema", "created_at", "updated_at"])
            if (c.Json.TryGetProperty(name, out _)) throw new Fault(403, $"Attribute '{name}' is read-only.");
    }

    /// <exception cref="Fault">400.</exception>
    public static T Checked<T>(T? value) where T : class
    {
        if (value is null) throw Bad("None is not allowed");
        var wrong = new List<ValidationResult>();
        if (!Validator.TryValidateObject(value, new(value), wrong, validateAllProperties: true)) throw Bad(wrong[0].ErrorMessage!);
        if (value is Property { Items: { } items }) Checked(items);
        if (value is MetadefObject { Properties: { } properties })
            foreach (var (name, p) in properties) Checked(p is null ? p : p with { Name = name });
        return value;
    }

    private static Fault Bad(string why) => Fault.BadRequest("Provided object does not match the schema: " + why);
}
