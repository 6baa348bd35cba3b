using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>The stores that images can be in: https://docs.openstack.org/api-ref/image/v2/#discovery</summary>
public static class Stores
{
    public static readonly Route[] Routes =
    [
        new("GET", "/v2/info/import", "authenticated", _ => new(Reply.Of(200, new JsonObject { ["import-methods"] = new JsonObject { ["description"] = "Import methods available.", ["type"] = "array", ["value"] = new JsonArray([.. ImageImport.Methods.Select(m => JsonValue.Create(m))]) } }))),
        new("GET", "/v2/info/stores", "authenticated", c => new(All(c, (_, _) => { }))),
        new("GET", "/v2/info/stores/detail", "image:stores_info_detail", c => new(All(c, (store, w) => { (w["type"], w["properties"]) = (Glances(store.Kind), new JsonObject()); }))),
        new("GET", "/v2/info/usage", "image:get_images", Usage),
        new("DELETE", "/v2/stores/{store}/{image_id}", "image:delete_image_location", Delete),
    ];

    /// <summary>Where an upload is to go.</summary>
    /// <exception cref="Fault">400 for a store that isn't there.</exception>
    public static BlobPlace Asked(Call c) =>
        c.Header("X-Image-Meta-Store") is not { Length: > 0 } id ? c.Services.ImageStores[0] : c.Services.ImageStores.FirstOrDefault(s => s.Id == id) ?? throw Fault.BadRequest($"Store {(id.Length > 64 ? id[..64] : id)} is not available.");

    /// <summary>Which stores an import is to go to.</summary>
    /// <exception cref="Fault">400 for what is no list of stores, 409 for a store that isn't there.</exception>
    public static string[] Asked(Call c, JsonElement body)
    {
        if (Flag(body, "all_stores", false)) return body.TryGetProperty("stores", out _) ? throw Fault.BadRequest("'all_stores' and 'stores' exclude each other.") : [.. c.Services.ImageStores.Select(s => s.Id)];
        if (!body.TryGetProperty("stores", out var stores)) return [Asked(c).Id];
        if (stores.ValueKind != JsonValueKind.Array || stores.EnumerateArray().Any(s => s.ValueKind != JsonValueKind.String)) throw Fault.BadRequest("'stores' must be a list of stores' ids.");
        var ids = stores.EnumerateArray().Select(s => s.GetString()!).Distinct().ToArray();
        if (ids.Except(c.Services.ImageStores.Select(s => s.Id)).Any()) throw Fault.Conflict("Image import failed: a store is unknown.");
        return ids.Length > 0 ? ids : [Asked(c).Id];
    }

    public static bool Flag(JsonElement body, string name, bool unsaid) => !body.TryGetProperty(name, out var flag) ? unsaid
        : flag.ValueKind is JsonValueKind.True or JsonValueKind.False ? flag.GetBoolean() : throw Fault.BadRequest($"'{name}' must be true or false.");

    // Its drivers' names.
    private static string Glances(string kind) => kind == "objects" ? "swift" : kind;

    private static Reply All(Call c, Action<BlobPlace, JsonObject> more)
    {
        var all = new JsonArray();
        foreach (var store in c.Services.ImageStores)
        {
            var shown = new JsonObject { ["id"] = store.Id };
            if (store.Description.Length > 0) shown["description"] = store.Description;
            if (store == c.Services.ImageStores[0]) shown["default"] = "true";
            more(store, shown);
            all.Add(shown);
        }
        return Reply.Of(200, new JsonObject { ["stores"] = all });
    }

    private static async ValueTask<Reply> Delete(Call c)
    {
        var store = c.Args["store"];
        if (c.Services.ImageStores.All(s => s.Id != store)) throw Fault.NotFound("store", store);
        var image = await Images.Kind.Change(c, c.Route.Policy, d =>
        {
            if (!d.Item.Stores.Contains(store)) throw new Fault(404, $"Image {d.Item.Id} is not in the store.");
            if (d.Item.Import is { Left.Length: > 0 }) throw Fault.Conflict("The image is being imported.");
            if (d.Item.Stores.Length == 1) throw new Fault(403, "The data can't be removed from the only store that has it.");
            d.Item = d.Item with { Stores = [.. d.Item.Stores.Where(s => s != store)] };
        });
        await Locations.Delete(c.Services, image.Blob!, [store]);
        return Reply.Empty(204);
    }

    // Sizes in MiB.
    private static async ValueTask<Reply> Usage(Call c)
    {
        var (limits, used) = (await Images.Quota.LimitsOf(c.Store, c.ProjectId), await Images.Quota.UsageOf(c.Store, c.ProjectId));
        JsonObject Of(string resource, int shift) => new() { ["usage"] = used[resource] >> shift, ["limit"] = limits[resource] < 0 ? -1 : limits[resource] >> shift };
        return Reply.Of(200, new JsonObject { ["usage"] = new JsonObject { ["image_count_total"] = Of("images", 0), ["image_size_total"] = Of("image_bytes", 20) } });
    }
}
