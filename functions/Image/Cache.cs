using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>
/// https://docs.openstack.org/api-ref/image/v2/#cache-manage: the cache is that of the hosts. What is queued is brought to all that are up, so that the first boot there needn't wait for it;
/// what is removed stays on a host as long as a disk there needs it.
/// </summary>
public static class Cache
{
    private static readonly JsonElement Nothing = JsonDocument.Parse("{}").RootElement.Clone();

    public static readonly Rows<CachedImage> Rows = new("cached_image", "image") { Global = true, Publishes = false };

    public static readonly Saga<CachedImage> Filling = Saga<CachedImage>.Named("image-cache-1", Rows)
        .Step("hosts", async w => w.Item = w.Item with { Hosts = [.. (await Hosts.All(w.Services, w.Cancelled)).Where(h => Hosts.IsUp(w.Services, h)).Select(h => h.Name)] })
        .Agent("fetch", async w => await Facade.Get(w.Services, w.Item.Id) is { } image ? OnEach(w.Item, image.Command) : throw new SagaFault("The image is no more."), undo: w => new(OnEach(w.Item, new RemoveImage(w.Item.Id))))
        .Finished(w => Becomes(w, "cached"))
        .Failed(w => Becomes(w, "failed"));

    public static readonly Saga<CachedImage> Removal = Saga<CachedImage>.Deleting("image-uncache-1", Rows).Agent("remove", w => new(OnEach(w.Item, new RemoveImage(w.Item.Id))));

    private static readonly Kind<CachedImage> Kind = new(Rows, "cached_images", "/v2/cache", ImageDialect.Value) { Sees = "image:cache_list", Id = "image_id" };

    public static readonly Route[] Routes =
    [
        new("GET", "/v2/cache", "image:cache_list", List), new("DELETE", "/v2/cache", "image:cache_delete", Clear),
        new("PUT", "/v2/cache/{image_id}", "image:cache_image", Queue), Kind.Delete("image:cache_delete", Removal),
    ];

    /// <summary>Those whose image went in a request that was killed before it said so.</summary>
    public static readonly Leftovers Orphans = new("cached-images", async (s, ct) =>
    {
        var gone = new List<Row>();
        foreach (var item in await Rows.Everywhere(s.Store, ct))
            if (!item.Doomed && await Images.Rows.Find(s.Store, item.Id, ct: ct) is null && await s.Store.Get(Rows.PartitionOf(""), Rows.Key(item.Id), ct) is { } row) gone.Add(row);
        return gone;
    }, async (s, row) => await Forget(s, Json.Read<CachedImage>(row.Body).Id, new("", "")));

    /// <summary>After an image went, whoever's it was.</summary>
    internal static async ValueTask Forget(Services s, string image, Change change)
    {
        while (await Rows.Get(s.Store, "", image) is { Item.Doomed: false } row)
            try { await Removal.Begin(s, row.Item, row, change); }
            catch (ConflictException) { /* hosts were heard of meanwhile */ }
    }

    private static async ValueTask<Reply> List(Call c)
    {
        var all = await Rows.InProject(c.Store, "", c.Cancelled);
        JsonArray Of(string status, Func<CachedImage, JsonNode> write) => [.. all.Where(i => i.Status == status && !i.Doomed).Select(write)];
        return Reply.Of(200, new JsonObject
        {
            ["queued_images"] = Of("queued", i => i.Id),
            // Boots from it are not counted: hosts don't ask for what they have.
            ["cached_images"] = Of("cached", i => new JsonObject { ["image_id"] = i.Id, ["hits"] = 0, ["last_accessed"] = 0, ["last_modified"] = (i.UpdatedAt ?? i.CreatedAt).ToUnixTimeMilliseconds() / 1000.0, ["size"] = i.Bytes }),
        });
    }

    private static async ValueTask<Reply> Queue(Call c)
    {
        var image = (await Images.Kind.Load(c, c.Route.Policy)).Item;
        if (image.Status != "active") throw Fault.BadRequest("Only images with status active can be targeted for queueing");
        if (image.DiskFormat is not ("raw" or "qcow2")) throw Fault.BadRequest($"Hosts boot from raw and qcow2 only, not from {image.DiskFormat}.");
        if ((await Rows.Get(c.Store, "", image.Id))?.Item is not { } there)
            await Kind.Create(c, c.Route.Policy, Nothing, Filling, d => { d.Item = d.Item with { Id = image.Id, Bytes = image.Size!.Value }; return ValueTask.CompletedTask; });
        else if (there.Status == "failed") await Kind.Change(c, c.Route.Policy, d => d.Item = d.Item with { Status = "queued" }, Filling);
        return Reply.Empty(202);
    }

    private static async ValueTask<Reply> Clear(Call c)
    {
        var target = c.Header("x-image-cache-clear-target") is { Length: > 0 } said ? said : "both";
        if (target is not ("cache" or "queue" or "both")) throw Fault.BadRequest("If provided 'x-image-cache-clear-target' must be 'cache', 'queue' or empty string.");
        foreach (var item in await Rows.InProject(c.Store, "", c.Cancelled))
            if (target == "both" || target == "queue" == (item.Status == "queued")) await Kind.Delete(c, c.Route.Policy, Removal, item.Id);
        return Reply.Empty(204);
    }

    private static ValueTask Becomes(Work<CachedImage> w, string status)
    {
        w.Item = w.Item with { Status = status };
        return ValueTask.CompletedTask;
    }

    // The row may go and come again while hosts remember what was said of the image, so its own revisions are no fence.
    private static HostCommand[] OnEach(CachedImage item, Command command) => [.. item.Hosts.Select(h => new HostCommand(h, command, item.CreatedAt.ToUnixTimeMilliseconds() + item.Revision))];
}
