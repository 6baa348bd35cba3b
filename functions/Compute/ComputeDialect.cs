using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Nova's conventions: https://docs.openstack.org/api-ref/compute/</summary>
public static class ComputeDialect
{
    public static readonly Dialect Value = new("compute")
    {
        Microversions = new("compute", new(2, 1), new(2, 93), "X-OpenStack-Nova-API-Version"), RequestIdHeader = "X-Compute-Request-Id", ProjectInPath = true,
        Error = NamedFaults.Of("computeFault"),
        Json = new(Dialect.Strict) { UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip },
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

    public static void Links(Utf8JsonWriter w, Call c, string collection, string id)
    {
        w.WriteStartArray("links");
        foreach (var (rel, root) in new[] { ("self", "/v2.1/"), ("bookmark", "/") })
        {
            w.WriteStartObject();
            w.WriteString("rel", rel);
            w.WriteString("href", $"{c.BaseUrl}{root}{collection}/{id}");
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    public static Fault Over(string what, long asked, long used, long limit) => new(403, $"Quota exceeded for {what}: Requested {asked}, but already used {used} of {limit} {what}");

    public static bool From(this Call c, int minor) => c.Version >= new ApiVersion(2, minor);
}
