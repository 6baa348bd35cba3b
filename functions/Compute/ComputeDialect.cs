using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Nova's conventions: https://docs.openstack.org/api-ref/compute/</summary>
public static class ComputeDialect
{
    public static readonly Dialect Value = new("compute")
    {
        Microversions = new("compute", new(2, 1), new(2, 93), "X-OpenStack-Nova-API-Version"), RequestIdHeader = "X-Compute-Request-Id", StrictSlash = true,
        Error = NamedFaults.Of("computeFault"),
        Json = Lenient.Json, Rewrite = Rewrite,
        Links = (w, c, page) =>
        {
            if (!page.More) return;
            w.WriteStartArray(page.Collection + "_links");
            w.WriteStartObject();
            w.WriteString("rel", "next");
            w.WriteString("href", PageLinks.Next(c, page));
            w.WriteEndObject();
            w.WriteEndArray();
        },
    };

    /// <summary>Older forms of the same paths: /v2 for /v2.1, and the project's id after the version. The token alone says whose they are.</summary>
    internal static string Rewrite(string path)
    {
        if (path == "/v2" || path.StartsWith("/v2/", StringComparison.Ordinal) && path.Length > 4) path = path == "/v2" ? path : "/v2.1" + path[3..];
        var parts = path.Split('/', 4);
        return parts is [_, "v2.1", var project, var rest] && (Guid.TryParseExact(project, "N", out _) || Guid.TryParseExact(project, "D", out _)) ? $"/v2.1/{rest}" : path;
    }

    public static void Links(Utf8JsonWriter w, Call c, string collection, string id)
    {
        var tail = $"{collection}/{Uri.EscapeDataString(id)}";
        w.Links(("self", $"{c.BaseUrl}/v2.1/{tail}"), ("bookmark", $"{c.BaseUrl}/{tail}"));
    }

    /// <summary>A time as Nova's older parts write it.</summary>
    public static string Micros(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A number for clients of times when ids were numbers; the same id always has the same.</summary>
    public static int Number(string id) => BitConverter.ToInt32(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(id))) & int.MaxValue;

    public static Fault Over(string what, long asked, long used, long limit) => new(403, $"Quota exceeded for {what}: Requested {asked}, but already used {used} of {limit} {what}");

    public static bool From(this Call c, int minor) => c.Version >= new ApiVersion(2, minor);
}
