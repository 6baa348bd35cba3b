using System.Globalization;
using System.Text.Json;

namespace Cloud.Platform.Rest;

/// <summary>Everything in which one service's REST conventions differ from another's. One value a service.</summary>
/// <param name="Service">Path prefix and name: compute, network...</param>
public sealed record Dialect(string Service)
{
    /// <summary>Writes an error in the service's own format. <paramref name="Service"/>'s api-ref shows it.</summary>
    public required Func<Call, Fault, Reply> Error { get; init; }
    public Microversions? Microversions { get; init; }
    /// <summary>How times look on the wire.</summary>
    public Func<DateTimeOffset, string> Time { get; init; } = t => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    /// <summary>Members nested in lists and bodies; reading is strict unless the service is known to be lax.</summary>
    public JsonSerializerOptions Json { get; init; } = Strict;
    /// <summary>The resource is the body itself, without a name around it (Glance).</summary>
    public bool Bare { get; init; }
    /// <summary>Ids are written without dashes (Keystone).</summary>
    public bool PlainIds { get; init; }
    /// <summary>Method of updates: PUT or PATCH.</summary>
    public string UpdateMethod { get; init; } = "PUT";
    /// <summary>Closes a page: writes the service's links to the next (and previous) one into the open object.</summary>
    public Action<Utf8JsonWriter, Call, Page> Links { get; init; } = (_, _, _) => { };
    public int MaxLimit { get; init; } = 1000;
    /// <summary>limit=0 asks for everything instead of nothing.</summary>
    public bool ZeroIsNoLimit { get; init; }
    /// <summary>Length of a page when none is asked for; null for <see cref="MaxLimit"/>.</summary>
    public int? DefaultLimit { get; init; }
    /// <summary>An unknown query key is ignored (most services), else 400.</summary>
    public bool IgnoresUnknownFilters { get; init; } = true;
    /// <summary>Asking for all projects without the right to is answered with one's own (Cinder), else 403. Clients find volumes by name that way.</summary>
    public bool ForgivesAllTenants { get; init; }
    /// <summary>Paths hold the project's id, which must be the token's (Nova's legacy form, Cinder).</summary>
    public bool ProjectInPath { get; init; }
    /// <summary>What a caller may not see is refused like what isn't there (Keystone), else both are not there.</summary>
    public bool RefusesUnseen { get; init; }
    /// <summary>A slash at the end of a path names a member without an id, which isn't there; otherwise it means nothing.</summary>
    public bool StrictSlash { get; init; }
    /// <summary>A page that is full has a link to the next one, even if that turns out to be empty.</summary>
    public bool NextAfterFullPage { get; init; }
    /// <summary>Pages may also begin at a number of items from the first (Cinder).</summary>
    public bool Offsets { get; init; }
    /// <summary>Status when a page is to follow something that isn't there.</summary>
    public int UnknownMarker { get; init; } = 400;
    /// <summary>Turns older forms of a path into the one that the routes have.</summary>
    public Func<string, string> Rewrite { get; init; } = path => path;
    /// <summary>Header that carries the request id besides X-Openstack-Request-Id.</summary>
    public string? RequestIdHeader { get; init; }

    public static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, MaxDepth = 16, UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver(),
    };
}

/// <summary>What a page of a list was, for the links.</summary>
/// <param name="LastId">Id of the last item shown; null on an empty page.</param>
public sealed record Page(string Collection, int Limit, bool More, string? FirstId, string? LastId);

/// <summary>Builds the links that point at other pages of the same query.</summary>
public static class PageLinks
{
    public static string Next(Call call, Page page, string marker = "marker") => With(call, (marker, page.LastId!), ("limit", page.Limit.ToString(CultureInfo.InvariantCulture)));

    public static string With(Call call, params (string Key, string Value)[] set)
    {
        var keys = set.Select(s => s.Key).ToHashSet();
        var query = call.Query.Where(q => !keys.Contains(q.Key) && q.Key is not ("marker" or "offset")).Concat(set);
        return call.BaseUrl + call.Path + "?" + string.Join('&', query.Select(q => $"{Uri.EscapeDataString(q.Item1)}={Uri.EscapeDataString(q.Item2)}"));
    }
}
