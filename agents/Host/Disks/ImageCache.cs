using System.Buffers;
using System.Security.Cryptography;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Disks;

/// <summary>
/// Images on this host. A file that has its final name was checked against the digest that is part of the name.
/// Overlays need it, so a removed image's file goes with its last overlay.
/// </summary>
public sealed class ImageCache(HostOptions options, IImageSource source, ISpecs specs, DiskFiles disks)
{
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(60);
    private readonly KeyLock keys = new();

    public string File(EnsureImage image) => Path.Combine(options.Images, $"{Ids.Check(image.ImageId)}.{image.Sha512[..32]}");

    /// <returns>Path of the whole, checked file.</returns>
    public async Task<string> Ensure(EnsureImage image, CancellationToken ct)
    {
        Check(image);
        using var held = await keys.Take(image.ImageId, ct);
        return await Get(image, ct);
    }

    /// <summary>Makes something that needs the image, while nobody removes it.</summary>
    public async Task Use(EnsureImage image, Func<string, Task> make, CancellationToken ct)
    {
        Check(image);
        using var held = await keys.Take(image.ImageId, ct);
        await make(await Get(image, ct));
        specs.Put(image);
    }

    /// <summary>Deletes the image's files that no overlay needs.</summary>
    public async Task Remove(string imageId, CancellationToken ct)
    {
        using var held = await keys.Take(Ids.Check(imageId), ct);
        Sweep(imageId);
    }

    /// <summary>After an overlay went: deletes the file below when it was the last one and nobody wants the image kept.</summary>
    public async Task Release(string file, CancellationToken ct)
    {
        if (Path.GetDirectoryName(file) != options.Images)
            return;
        var imageId = Id(file);
        using var held = await keys.Take(imageId, ct);
        if (specs.Get<EnsureImage>($"image/{imageId}") is null)
            Sweep(imageId);
    }

    /// <summary>Finishes what a kill interrupted between an overlay's end and its image's.</summary>
    public async Task Recover(CancellationToken ct)
    {
        foreach (var imageId in All().ToList())
        {
            using var held = await keys.Take(imageId, ct);
            if (specs.Get<EnsureImage>($"image/{imageId}") is null)
                Sweep(imageId);
        }
    }

    public IEnumerable<string> All() => Directory.EnumerateFiles(options.Images).Where(f => !f.EndsWith(DiskFiles.Part, StringComparison.Ordinal)).Select(Id).Distinct();

    private static string Id(string file) => Path.GetFileName(file).Split('.')[0];

    private void Sweep(string imageId)
    {
        var used = disks.Backings();
        foreach (var file in Directory.EnumerateFiles(options.Images, imageId + ".*"))
            if (!used.Contains(file))
                Durable.Delete(file);
    }

    private async Task<string> Get(EnsureImage image, CancellationToken ct)
    {
        var path = File(image);
        if (System.IO.File.Exists(path))
            return path;
        var part = path + DiskFiles.Part;
        try
        {
            await Download(image, part, ct);
            if (image.Format == "qcow2")
                Inspect(part);
            Durable.Publish(part, path);
        }
        finally
        {
            System.IO.File.Delete(part);
        }

        return path;
    }

    private async Task Download(EnsureImage image, string part, CancellationToken ct)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var from = await source.Open(image, ct);
        await using var to = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        var buffer = new byte[1 << 18];
        try
        {
            while (true)
            {
                idle.CancelAfter(Idle);
                var read = await from.ReadAsync(buffer, idle.Token);
                if (read == 0)
                    break;
                if (to.Length + read > image.Bytes)
                    throw new HandlerFault($"image {image.ImageId} is longer than announced", retry: false);
                digest.AppendData(buffer, 0, read);
                await to.WriteAsync(buffer.AsMemory(0, read), ct);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new HandlerFault($"image {image.ImageId} came to a halt on its way", retry: true);
        }
        catch (HttpIOException e)
        {
            throw new HandlerFault($"image {image.ImageId} broke off on its way", retry: true, e);
        }

        if (Convert.ToHexStringLower(digest.GetHashAndReset()) != image.Sha512)
            throw new HandlerFault($"image {image.ImageId} does not have the digest it should have", retry: true);
    }

    /// <summary>An image that names other files of this host must never be opened.</summary>
    private static void Inspect(string path)
    {
        if (Qcow2.Read(path) is not { Backing: null, ExternalData: false })
            throw new HandlerFault("the image is not a self-contained qcow2 file", retry: false);
    }

    private static void Check(EnsureImage image)
    {
        Ids.Check(image.ImageId);
        if (image.Format is not ("qcow2" or "raw"))
            throw new HandlerFault("an image must be qcow2 or raw", retry: false);
        if (image.Sha512 is not { Length: 128 } || image.Sha512.AsSpan().ContainsAnyExcept(LowerHex))
            throw new HandlerFault("an image needs its digest", retry: false);
    }
}
