using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>CloudKitty's API, both versions, over the same ledger and price book: https://docs.openstack.org/cloudkitty/latest/api-reference/</summary>
public static class RatingApi
{
    /// <summary>Version 1 answers errors as WSME does, version 2 with a message alone.</summary>
    private static readonly Dialect Dialect = new("rating")
    {
        Error = (c, f) => Reply.Of(f.Status, c.Path.StartsWith("/v2", StringComparison.Ordinal) ? new JsonObject { ["message"] = f.Message }
            : new JsonObject { ["debuginfo"] = null, ["faultcode"] = f.Status < 500 ? "Client" : "Server", ["faultstring"] = f.Message }),
    };

    public static readonly Slice Slice = new("rating", "rating", Dialect,
    [
        new("GET", "/", Policy.Anyone, c => new(Reply.Of(200, new JsonObject { ["versions"] = new JsonArray(Version(c, "v1", "SUPPORTED"), Version(c, "v2", "CURRENT")) }))),
        .. Reports.All, .. Frames.All, .. Scopes.All, .. Modules.All, .. Hashmap.All, .. Info.All,
    ])
    { CatalogName = "cloudkitty" };

    private static JsonObject Version(Call c, string id, string status) => new() { ["id"] = id, ["status"] = status, ["links"] = new JsonArray(new JsonObject { ["rel"] = "self", ["href"] = $"{c.BaseUrl}/{id}" }) };
}
