using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>Cinder's conventions: https://docs.openstack.org/api-ref/block-storage/v3/</summary>
public static class BlockDialect
{
    public static readonly Dialect Value = new("volume")
    {
        Microversions = new("volume", new(3, 0), new(3, 70)), ProjectInPath = true, ForgivesAllTenants = true, StrictSlash = true, NextAfterFullPage = true, Offsets = true, UnknownMarker = 404,
        Time = t => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        Error = NamedFaults.Of("computeFault"), Json = Lenient.Json,
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

    public static Fault Over(string what, long asked, long used, long limit) =>
        new(413, what == "gigabytes" ? $"VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested {asked}G, quota is {limit}G and {used}G has been consumed." : $"VolumeLimitExceeded: Maximum number of {what} allowed ({limit}) exceeded for quota '{what}'.") { Headers = [("Retry-After", "0")] };
}
