using Cloud.Platform;
using Cloud.Platform.Blobs;

namespace Cloud.Image;

/// <summary>Where images' bytes are: under one name in each store that has them. Clients learn the stores' names and no more.</summary>
internal static class Locations
{
    /// <summary>Nothing is on its way for longer: what no image names after that is a leftover.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromDays(1);

    public static string NewName(Services s, Image image) => $"{image.Id}.{s.Ids.New()}";

    /// <exception cref="IOException">The settings don't name it any more.</exception>
    public static IBlobStore In(Services s, string store) => s.ImageStores.FirstOrDefault(p => p.Id == store)?.Open(s) ?? throw new IOException($"there is no store {store}");

    /// <summary>From the first of its stores that can give it; null when none can.</summary>
    public static async ValueTask<Stream?> Read(Services s, Image image, CancellationToken ct)
    {
        foreach (var store in s.ImageStores.Where(p => image.Stores.Contains(p.Id)))
            try
            {
                if (await store.Open(s).Read(image.Blob!, ct) is { } stream) return stream;
            }
            catch (IOException) { /* the next one may */ }
        return null;
    }

    /// <summary>What can't be deleted now is swept later.</summary>
    public static async ValueTask Delete(Services s, string blob, IEnumerable<string> stores)
    {
        foreach (var store in stores)
            try { await In(s, store).Delete(blob, CancellationToken.None); }
            catch (IOException) { /* away */ }
    }

    /// <summary>Whether an image needs the blob in that store.</summary>
    public static bool Names(Image? image, string store, string blob) => image?.Blob == blob && image.Stores.Contains(store) || image?.Staged?.Blob == blob && store == ImageStores.Local;

    /// <summary>Bytes that no image names: left by a kill between the write of the bytes and of the row, or after the row went.</summary>
    public static async Task Sweep(Services s, CancellationToken ct)
    {
        foreach (var store in s.ImageStores)
            try { await Sweep(s, store, ct); }
            catch (IOException) { /* away: with the next run */ }
    }

    private static async Task Sweep(Services s, BlobPlace store, CancellationToken ct)
    {
        var blobs = store.Open(s);
        await foreach (var blob in blobs.List(ct))
            if (blob.Split('.') is [var id, var made] && TimeOrderedIds.MadeAt(made) < s.Now - Grace && !Names((await Images.Rows.Find(s.Store, id, ct: ct))?.Item, store.Id, blob))
                await blobs.Delete(blob, ct);
    }
}
