using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>The stores that images are in: there is one. https://docs.openstack.org/api-ref/image/v2/#discovery</summary>
public static class Stores
{
    public const string Id = "file";

    public static readonly Route[] Routes =
    [
        new("GET", "/v2/info/import", "authenticated", _ => new(Reply.Of(200, new JsonObject { ["import-methods"] = new JsonObject { ["description"] = "Import methods available.", ["type"] = "array", ["value"] = new JsonArray([.. ImageImport.Methods.Select(m => JsonValue.Create(m))]) } }))),
        new("GET", "/v2/info/stores", "authenticated", _ => new(All())),
        new("GET", "/v2/info/stores/detail", "image:stores_info_detail", _ => new(All(("type", "file"), ("properties", new JsonObject())))),
        new("GET", "/v2/info/usage", "image:get_images", Usage),
        new("DELETE", "/v2/stores/{store}/{image_id}", "image:delete_image_location", async c =>
        {
            if (c.Args["store"] != Id) throw Fault.NotFound("store", c.Args["store"]);
            var image = (await Images.Kind.Load(c, c.Route.Policy)).Item;
            throw image.Blob is null ? new Fault(404, $"Image {image.Id} is not in the store.") : new Fault(403, "The data can't be removed from the only store that has it.");
        }),
    ];

    /// <summary>What an import asks for: one of these stores, or all.</summary>
    /// <exception cref="Fault">400 for what is not, 409 for a store that isn't there.</exception>
    public static void Named(JsonElement body)
    {
        if (!body.TryGetProperty("stores", out var stores)) return;
        if (stores.ValueKind != JsonValueKind.Array || stores.EnumerateArray().Any(s => s.ValueKind != JsonValueKind.String)) throw Fault.BadRequest("'stores' must be a list of stores' ids.");
        if (stores.EnumerateArray().Any(s => s.GetString() != Id)) throw Fault.Conflict("Image import failed: a store is unknown.");
    }

    /// <summary>Which stores an import is still going to, and which it failed for.</summary>
    public static void Write(Utf8JsonWriter w, Import import)
    {
        w.WriteString("os_glance_importing_to_stores", import.Status == "processing" ? Id : "");
        w.WriteString("os_glance_failed_import", import.Status == "failure" ? Id : "");
    }

    private static Reply All(params (string Name, JsonNode Value)[] more)
    {
        var store = new JsonObject { ["id"] = Id, ["default"] = "true" };
        foreach (var (name, value) in more) store[name] = value;
        return Reply.Of(200, new JsonObject { ["stores"] = new JsonArray(store) });
    }

    // Sizes in MiB.
    private static async ValueTask<Reply> Usage(Call c)
    {
        var (limits, used) = (await Images.Quota.LimitsOf(c.Store, c.ProjectId), await Images.Quota.UsageOf(c.Store, c.ProjectId));
        JsonObject Of(string resource, int shift) => new() { ["usage"] = used[resource] >> shift, ["limit"] = limits[resource] < 0 ? -1 : limits[resource] >> shift };
        return Reply.Of(200, new JsonObject { ["usage"] = new JsonObject { ["image_count_total"] = Of("images", 0), ["image_size_total"] = Of("image_bytes", 20) } });
    }
}
