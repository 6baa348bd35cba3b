using System.Formats.Tar;
using System.IO.Compression;
using Cloud.Platform.Rest;
using SharpCompress.Common;
using SharpCompress.Compressors.BZip2;

namespace Cloud.ObjectStorage.Bulk;

/// <summary>PUT ?extract-archive=tar, tar.gz or tar.bz2: each file of the archive becomes an object below the path; without a container in it, first folders are containers.</summary>
internal static class Extract
{
    private const string Created = "Number Files Created", Attributes = "SCHILY.xattr.user.";

    public static async ValueTask<Reply> Run(Call c, string format)
    {
        var below = Place.Of(c);
        if (below.Container.Length > 0) await Containers.Open(c, below);
        else await Access.Require(c, below);
        await using var archive = format switch
        {
            "tar" => c.Stream!,
            "tar.gz" => new GZipStream(c.Stream!, CompressionMode.Decompress),
            "tar.bz2" => await BZip2(c),
            _ => throw Fault.BadRequest($"Unsupported archive format: {(format.Length > 16 ? format[..16] : format)}"),
        };
        var report = new BulkReport("extract", Created);
        try
        {
            await using var tar = new TarReader(archive, leaveOpen: true);
            while (await tar.GetNextEntryAsync(copyData: false, c.Cancelled) is { } entry)
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile) await Take(c, below, entry, report);
        }
        // A header's numbers and names may be anything: .NET's reader has no one word for that.
        catch (Exception e) when (e is InvalidDataException or IOException or FormatException or OverflowException or ArgumentException or SharpCompressException) { return report.Broken(c, Fault.BadRequest($"Invalid Tar File: {e.Message}")); }
        catch (Fault f) { return report.Broken(c, f); }
        return report.Reply(c, 201, "Invalid Tar File: No Valid Files");
    }

    /// <exception cref="Fault">400 for what doesn't begin like one.</exception>
    private static async ValueTask<Stream> BZip2(Call c)
    {
        try { return await BZip2Stream.CreateAsync(c.Stream!, SharpCompress.Compressors.CompressionMode.Decompress, decompressConcatenated: true, leaveOpen: true, cancellationToken: c.Cancelled); }
        catch (Exception e) when (e is SharpCompressException or IOException) { throw Fault.BadRequest($"Invalid Tar File: {e.Message}"); }
    }

    private static async ValueTask Take(Call c, Place below, TarEntry entry, BulkReport report)
    {
        var name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name.TrimStart('/');
        try
        {
            var place = PlaceOf(below, name);
            place.CheckNames();
            if (below.Container.Length == 0 && await Shelf.Container(c.Store, place.Project!, place.Container, c.Cancelled) is null) await Containers.Make(c, place.Project!, place.Container);
            var (_, container) = await Containers.Open(c, place);
            var said = entry is PaxTarEntry { ExtendedAttributes: { } attributes } ? attributes : new Dictionary<string, string>();
            var draft = new StoredObject
            {
                Name = place.Object, ContentType = said.GetValueOrDefault(Attributes + "mime_type") ?? Uploads.Guess(place.Object),
                Meta = Metadata.Checked(said.Where(a => a.Key.StartsWith(Attributes + "meta.", StringComparison.Ordinal)).ToDictionary(a => a.Key[(Attributes.Length + "meta.".Length)..], a => a.Value)),
            };
            await Uploads.Store(c, container, place, new(draft, entry.DataStream ?? Stream.Null, entry.Length));
            report.Count(Created);
        }
        // What every other file would meet as well ends the work.
        catch (Fault f) when (f.Status is not (401 or 499 or 503)) { report.Failed(name, f); }
    }

    private static Place PlaceOf(Place below, string name)
    {
        if (below.Container.Length > 0) return below with { Object = below.Object.Length > 0 ? $"{below.Object.TrimEnd('/')}/{name}" : name };
        return name.Split('/', 2) is [{ Length: > 0 } container, { Length: > 0 } rest] ? new(below.Account, container, rest) : throw Fault.BadRequest("Invalid File Name");
    }
}
