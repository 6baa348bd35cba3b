using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>https://docs.openstack.org/api-ref/image/v2/#interoperable-image-import: what is asked for. <see cref="ImportRun"/> does it.</summary>
public static class ImageImport
{
    public const string Queue = "image-imports";
    public const string Direct = "glance-direct", Web = "web-download", Copy = "copy-image", Glance = "glance-download";
    public static readonly string[] Methods = [Direct, Web, Copy, Glance];

    internal sealed record Job(string TaskId);

    public static readonly Route[] Routes =
    [
        new("POST", "/v2/images/{image_id}/import", "image:modify_image", async c =>
        {
            var from = Wanted(c);
            var input = new JsonObject { ["image_id"] = c.Args["image_id"], ["import_req"] = JsonNode.Parse(c.Json.GetRawText()) };
            await Start(c, c.Args["image_id"], from, c.Json, new() { Input = input.ToJsonString() });
            return Reply.Empty(202);
        }),
    ];

    /// <param name="said">Holds the stores.</param>
    /// <param name="draft">Of the task.</param>
    internal static async ValueTask<ImageTask> Start(Call c, string imageId, Source from, JsonElement said, ImageTask draft)
    {
        var (asked, all) = (Stores.Asked(c, said), Stores.Flag(said, "all_stores", false));
        var task = draft with { Id = c.Services.Ids.New(), ImageId = imageId, RequestId = c.RequestId, UserId = c.Caller.UserId, CreatedAt = c.Now, From = from, AllMust = Stores.Flag(said, "all_stores_must_succeed", true) };
        c.Args["image_id"] = imageId;
        await Images.Kind.Change(c, from.Method == Copy ? "image:copy_image" : "image:modify_image", d =>
        {
            Check(d.Item, from.Method);
            var stores = from.Method == Copy ? Missing(d.Item, asked, all) : asked;
            d.Item = d.Item with { Status = from.Method == Copy ? d.Item.Status : "importing", Import = new(task.Id, stores, []) };
            d.Messages.Add(new(Queue, task.Id, Json.Write(new Job(task.Id))));
        }, more: async d => d.Add(await Tasks.Rows.Insertion(c.Services, task = task with { ProjectId = d.Item.ProjectId }, Change.By(c), c.Cancelled)));
        return task;
    }

    private static void Check(Image image, string method)
    {
        if (image.Import is { Left.Length: > 0 }) throw Fault.Conflict("The image is being imported.");
        if (method == Copy)
        {
            if (image.Status != "active") throw Fault.Conflict("Only images with status active can be targeted for copying");
            return;
        }
        if (image.Status is "active" or "deactivated") throw Fault.Conflict("Image with status active cannot be target for import");
        if (method == Direct && image.Status != "uploading") throw Fault.Conflict("Image needs to be staged before 'glance-direct' method can be used");
        if (method != Direct && image.Status != "queued") throw Fault.Conflict($"Image needs to be in 'queued' state to use '{method}' method");
        if (image.ContainerFormat is null || image.DiskFormat is null) throw Fault.Conflict("'container_format' and 'disk_format' need to be set before import");
    }

    private static string[] Missing(Image image, string[] asked, bool all)
    {
        var missing = asked.Except(image.Stores).ToArray();
        return missing.Length == 0 || !all && missing.Length < asked.Length ? throw Fault.Conflict("Image is already present at the store.") : missing;
    }

    private static Source Wanted(Call c)
    {
        if (c.Json.ValueKind != JsonValueKind.Object || !c.Json.TryGetProperty("method", out var method) || method.ValueKind != JsonValueKind.Object || !method.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
            throw Fault.BadRequest("Import request requires a 'method' field with a 'name'.");
        string Text(string field) => method.TryGetProperty(field, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : throw Fault.BadRequest($"'{field}' is required for the {name.GetString()} method.");
        return name.GetString() switch
        {
            Direct or Copy => new(name.GetString()!),
            Web => WebDownload(c, Text("uri")),
            Glance => Guid.TryParse(Text("glance_image_id"), out _)
                ? new(Glance, ImageId: Text("glance_image_id"), Region: Text("glance_region"), Interface: method.TryGetProperty("glance_service_interface", out _) ? Text("glance_service_interface") : "public")
                : throw Fault.BadRequest("The remote glance image id does not look like a UUID."),
            _ => throw Fault.BadRequest("Unknown import method name."),
        };
    }

    /// <exception cref="Fault">400 for what will never be fetched.</exception>
    internal static Source WebDownload(Call c, string uri)
    {
        try { c.Services.Outbound.Check(uri); }
        catch (OutboundException e) { throw Fault.BadRequest(e.Message); }
        return new(Web, uri);
    }
}
