using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>
/// https://docs.openstack.org/api-ref/image/v2/#interoperable-image-import: data that was staged, or that is fetched. The work is done apart from sagas,
/// a few at a time: a slow server holds up other imports and nothing else. Killed on the way it begins anew; what it had stored until then is swept.
/// </summary>
public static class ImageImport
{
    public const string Queue = "image-imports";
    private const int Tries = 3;
    private static readonly TimeSpan MaxTime = TimeSpan.FromHours(1);
    private const int MinBytesPerSecond = 64 * 1024;

    public static readonly string[] Methods = ["glance-direct", "web-download"];

    private sealed record Job(string ImageId, string RequestId);

    public static readonly Route[] Routes = [new("POST", "/v2/images/{image_id}/import", "image:modify_image", Start)];

    private static async ValueTask<Reply> Start(Call c)
    {
        var (method, uri) = Wanted(c);
        Stores.Named(c.Json);
        var job = new Job(c.Args["image_id"], c.RequestId);
        await Images.Kind.Change(c, c.Route.Policy, d =>
        {
            if (d.Item.Status is "active" or "deactivated") throw Fault.Conflict("Image with status active cannot be target for import");
            if (uri is null && d.Item.Status != "uploading") throw Fault.Conflict("Image needs to be staged before 'glance-direct' method can be used");
            if (uri is not null && d.Item.Status != "queued") throw Fault.Conflict("Image needs to be in 'queued' state to use 'web-download' method");
            if (d.Item.ContainerFormat is null || d.Item.DiskFormat is null) throw Fault.Conflict("'container_format' and 'disk_format' need to be set before import");
            d.Item = d.Item with { Status = "importing", Import = new(method, uri, "processing", "", c.RequestId, c.Caller.UserId, c.Now, c.Now) };
            d.Messages.Add(new(Queue, $"{job.ImageId}.{job.RequestId}", Json.Write(job)));
        });
        return Reply.Empty(202);
    }

    private static (string Method, string? Uri) Wanted(Call c)
    {
        if (c.Json.ValueKind != JsonValueKind.Object || !c.Json.TryGetProperty("method", out var method) || method.ValueKind != JsonValueKind.Object || !method.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
            throw Fault.BadRequest("Import request requires a 'method' field with a 'name'.");
        if (!Methods.Contains(name.GetString())) throw Fault.BadRequest("Unknown import method name.");
        if (name.GetString() != "web-download") return (name.GetString()!, null);
        if (!method.TryGetProperty("uri", out var uri) || uri.ValueKind != JsonValueKind.String) throw Fault.BadRequest("'uri' is required for the web-download method.");
        try { c.Services.Outbound.Check(uri.GetString()!); }
        catch (OutboundException e) { throw Fault.BadRequest(e.Message); }
        return (name.GetString()!, uri.GetString());
    }

    public static async Task Handle(Services s, Delivery delivery, CancellationToken ct)
    {
        var job = Json.Read<Job>(delivery.Message.Body);
        if (await Find(s, job) is not { Item: var image }) return;
        var fetched = (Stored?)null;
        try
        {
            if (image.Staged is null) fetched = await Fetch(s, image, ct);
            var stored = image.Staged ?? fetched!;
            var disk = await Intake.DiskIn(s, stored, image, ct);
            if (await End(s, job, i => Intake.Active(i, stored, disk), "success", "")) return;
        }
        catch (Exception e) when (e is Fault or OutboundException || delivery.Attempt >= Tries && e is not (OperationCanceledException or StoreUnavailableException))
        {
            await End(s, job, i => i with { Status = i.Staged is null ? "queued" : "uploading" }, "failure", e is Fault or OutboundException ? e.Message : "An unexpected error happened.");
        }
        if (fetched is not null) await s.Blobs.Delete(fetched.Blob, CancellationToken.None);
    }

    private static async ValueTask<Stored> Fetch(Services s, Image image, CancellationToken ct)
    {
        var room = await Intake.Room(s, image.ProjectId);
        await using var download = await s.Outbound.Get(image.Import!.Uri!, new(room, MaxTime, MinBytesPerSecond), ct);
        return await Intake.Take(s, image, download.Body, download.Length, ct);
    }

    /// <summary>The image, while it waits for this job.</summary>
    private static async ValueTask<Loaded<Image>?> Find(Services s, Job job) =>
        await Images.Rows.Find(s.Store, job.ImageId) is { Item.Status: "importing" } found && found.Item.Import!.RequestId == job.RequestId ? found : null;

    /// <returns>False when the image is gone, or another delivery was first.</returns>
    private static async ValueTask<bool> End(Services s, Job job, Func<Image, Image> change, string status, string message)
    {
        while (await Find(s, job) is { } was)
            try
            {
                var image = change(was.Item) with { Import = was.Item.Import! with { Status = status, Message = message, UpdatedAt = s.Now } };
                var charge = was.Item.Size is null ? await Intake.Charge(s, image) : [];
                await Images.Rows.Save(s, image, was, new(was.Item.Import!.UserId, job.RequestId), charge);
                return true;
            }
            catch (ConflictException) { /* somebody wrote meanwhile: look again */ }
        return false;
    }
}
