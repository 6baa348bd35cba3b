using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>https://docs.openstack.org/api-ref/image/v2/#cache-manage: hosts keep what they boot from by themselves, and this service caches nothing.</summary>
public static class Cache
{
    private const string Why = "Caching via API is not supported at this site.";

    public static readonly Route[] Routes =
    [
        Missing("GET", "/v2/cache", "image:cache_list"), Missing("DELETE", "/v2/cache", "image:cache_delete"),
        Missing("PUT", "/v2/cache/{image_id}", "image:cache_image"), Missing("DELETE", "/v2/cache/{image_id}", "image:cache_delete"),
    ];

    // As Glance without a cache says it.
    private static Route Missing(string method, string path, string policy) => new(method, path, policy, _ => throw new Fault(404, Why)) { NotOffered = Why };
}
