using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>Keystone's conventions: https://docs.openstack.org/api-ref/identity/v3/</summary>
public static class IdentityDialect
{
    public static readonly Dialect Value = new("identity")
    {
        UpdateMethod = "PATCH",
        Time = t => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'.000000Z'", CultureInfo.InvariantCulture),
        Json = new(Dialect.Strict) { UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip },
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
        w.WriteString("self", $"{c.BaseUrl}/v3/{collection}/{id}");
        w.WriteEndObject();
    }

    internal static string Title(int status) => status switch
    {
        400 => "Bad Request", 401 => "Unauthorized", 403 => "Forbidden", 404 => "Not Found", 405 => "Method Not Allowed", 409 => "Conflict",
        413 => "Request Entity Too Large", 415 => "Unsupported Media Type", 501 => "Not Implemented", 503 => "Service Unavailable", _ => "Internal Server Error",
    };
}
