using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.Bus;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>
/// An import at work, apart from sagas and a few at a time: a slow server holds up other imports and nothing else. Its bytes are brought to this machine, looked at, and
/// copied to each store. Killed on the way it begins anew from what the image has; what it had stored until then is swept.
/// </summary>
internal sealed class ImportRun(Services s, ImageTask task, CancellationToken ct)
{
    private const int Tries = 3;
    private static readonly TimeSpan MaxTime = TimeSpan.FromHours(1);
    private const int MinBytesPerSecond = 64 * 1024;

    /// <summary>Bytes that are somewhere, and what else of the image comes with them.</summary>
    /// <param name="Store">Empty where the image has them.</param>
    private sealed record Found(Stored Stored, string Store, long? Disk, Func<Image, Image>? More = null);

    public static async Task Handle(Services s, Delivery delivery, CancellationToken ct)
    {
        if ((await Tasks.Rows.Find(s.Store, Json.Read<ImageImport.Job>(delivery.Message.Body).TaskId, ct: ct))?.Item is { Status: "processing" } task) await new ImportRun(s, task, ct).Run(delivery.Attempt);
    }

    private async Task Run(int attempt)
    {
        if (await Image() is not { Item: var image })
        {
            await End(i => i, "failure", "");
            return;
        }
        var (found, done) = ((Found?)null, new List<string>());
        try
        {
            found = await Find(image);
            await Spread(found, image.Import!.Left, done);
        }
        catch (Exception e) when (e is Fault or OutboundException || attempt >= Tries && e is not (OperationCanceledException or StoreUnavailableException))
        {
            await Fail(e is Fault or OutboundException ? e.Message : "An unexpected error happened.");
        }
        finally
        {
            if (found is not null) await CleanUp(found, done);
        }
    }

    private async ValueTask<Found> Find(Image image)
    {
        if (image.Blob is { } blob) return new(new(blob, new(image.Size!.Value, image.OsHashValue!, image.Checksum!)), "", image.VirtualSize);
        if (image.Staged is { } staged) return new(staged, ImageStores.Local, await Intake.DiskIn(s, staged, s.Blobs, image.DiskFormat!, ct));
        var room = await Intake.Room(s, image.ProjectId);
        var (bytes, length, more) = task.From.Method == ImageImport.Glance ? await OtherImage.Open(s, task, ct) : await Download(room);
        await using var open = bytes;
        var stored = await Intake.Take(s, image, bytes, length, room, s.Blobs, ct);
        try { return new(stored, ImageStores.Local, await Intake.DiskIn(s, stored, s.Blobs, more(image).DiskFormat!, ct), more); }
        catch
        {
            await s.Blobs.Delete(stored.Blob, CancellationToken.None);
            throw;
        }
    }

    private async ValueTask<(Stream Bytes, long? Length, Func<Image, Image> More)> Download(long room)
    {
        var download = await s.Outbound.Get(task.From.Uri!, new(room, MaxTime, MinBytesPerSecond), ct);
        return (download.Body, download.Length, i => i);
    }

    private async ValueTask Spread(Found found, string[] stores, List<string> done)
    {
        var failed = new List<string>();
        for (var n = 0; n < stores.Length; n++)
        {
            if (stores[n] == found.Store || await Copy(found, stores[n])) done.Add(stores[n]);
            else if (task.AllMust) throw new Fault(503, $"The store {stores[n]} can't take it now.");
            else failed.Add(stores[n]);
            var last = n == stores.Length - 1;
            if (last && done.Count == 0) throw new Fault(503, "No store can take it now.");
            if (!last && (task.AllMust || done.Count == 0)) continue;
            var left = stores[(n + 1)..];
            Image Has(Image i) => Intake.Active((found.More ?? (x => x))(i), found.Stored, found.Disk, done) with { Import = new(task.Id, left, [.. failed]) };
            if (!await End(Has, left.Length > 0 ? "processing" : "success", "")) return;
        }
    }

    private async ValueTask<bool> Copy(Found found, string store)
    {
        try
        {
            await using var bytes = found.Store.Length > 0 ? await s.Blobs.Read(found.Stored.Blob, ct) : (await Image())?.Item is { } image ? await Locations.Read(s, image, ct) : null;
            if (bytes is null) return false;
            var into = Locations.In(s, store);
            if ((await into.Write(found.Stored.Blob, bytes, found.Stored.Info.Bytes, ct)).Sha512 == found.Stored.Info.Sha512) return true;
            await into.Delete(found.Stored.Blob, CancellationToken.None);
            return false;
        }
        catch (Exception e) when (e is IOException or BlobTooLargeException) { return false; }
    }

    private ValueTask<bool> Fail(string message) => End(i => i with
    {
        Status = i.Blob is not null ? i.Status : i.Staged is null ? "queued" : "uploading",
        Import = new(task.Id, [], [.. i.Import!.Failed, .. i.Import.Left]),
    }, "failure", message);

    /// <summary>The image, while it waits for this import.</summary>
    private async ValueTask<Loaded<Image>?> Image() =>
        await Images.Rows.Find(s.Store, task.ImageId, task.ProjectId, ct) is { Item.Import: { Left.Length: > 0 } import } found && import.Task == task.Id ? found : null;

    /// <returns>False when the image is gone, or another delivery was first.</returns>
    private async ValueTask<bool> End(Func<Image, Image> change, string status, string message)
    {
        var by = new Change(task.UserId, task.RequestId);
        while (await Tasks.Rows.Find(s.Store, task.Id, task.ProjectId, ct) is { Item.Status: "processing" } was)
            try
            {
                var item = was.Item with { Status = status, Message = message, ExpiresAt = status == "processing" ? null : s.Now + Tasks.Kept };
                if (await Image() is not { } image)
                {
                    await Tasks.Rows.Save(s, item with { Status = "failure", Message = "The image was deleted.", ExpiresAt = s.Now + Tasks.Kept }, was, by, ct: ct);
                    return false;
                }
                var changed = change(image.Item);
                await Images.Rows.Save(s, changed, image, by, [.. await Intake.Charge(s, changed, image.Item), .. Tasks.Rows.Replacement(s, item, was, by).Ops], ct: ct);
                return true;
            }
            catch (ConflictException) { /* somebody wrote meanwhile: look again */ }
        return false;
    }

    // What the image's row does not name by now is nobody's.
    private async ValueTask CleanUp(Found found, List<string> done)
    {
        var (blob, image) = (found.Stored.Blob, (await Images.Rows.Find(s.Store, task.ImageId, task.ProjectId, CancellationToken.None))?.Item);
        await Locations.Delete(s, blob, done.Append(found.Store).Where(store => store.Length > 0 && !Locations.Names(image, store, blob)));
    }
}
