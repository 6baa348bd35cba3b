using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>Keystone's conventions: https://docs.openstack.org/api-ref/identity/v3/</summary>
public static class IdentityDialect
{
    public static readonly Dialect Value = new("identity")
    {
        UpdateMethod = "PATCH", RefusesUnseen = true, PlainIds = true,
        Time = t => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        Json = new(Dialect.Strict) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip, Converters = { new Utc() } },
        Error = (_, f) => Reply.Of(f.Status, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("error");
            w.WriteNumber("code", f.Status);
            w.WriteString("message", f.Message);
            w.WriteString("title", Title(f.Status));
            w.WriteEndObject();
            w.WriteEndObject();
        }),
        Links = (w, c, page) =>
        {
            w.WriteStartObject("links");
            if (page.More) w.WriteString("next", PageLinks.Next(c, page)); else w.WriteNull("next");
            w.WriteString("self", c.BaseUrl + c.Path);
            w.WriteNull("previous");
            w.WriteEndObject();
        },
    };

    public static void SelfLink(Utf8JsonWriter w, Call c, string collection, string id)
    {
        w.WriteStartObject("links");
        w.WriteString("self", $"{c.BaseUrl}/v3/{collection}/{Uri.EscapeDataString(id)}");
        w.WriteEndObject();
    }

    internal static string Title(int status) => status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };

    // Times without a zone are UTC, whatever the machine's.
    private sealed class Utc : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && DateTimeOffset.TryParse(reader.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var t) ? t : throw new JsonException();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(Value.Time(value));
    }
}
