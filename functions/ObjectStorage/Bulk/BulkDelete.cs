using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Cloud.ObjectStorage.Manifests;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Bulk;

/// <summary>?bulk-delete: many objects and empty containers, one percent-encoded path a line.</summary>
internal static class BulkDelete
{
    public const int Most = 10_000;
    private const int MaxLine = 3 * (Place.MaxContainer + Place.MaxObject + 2);
    private const string Deleted = "Number Deleted", NotFound = "Number Not Found";

    public static async ValueTask<Reply> Run(Call c)
    {
        var account = Place.Of(c).Account;
        var report = new BulkReport("delete", Deleted, NotFound);
        try
        {
            var n = 0;
            await foreach (var line in Lines(c.Stream!, c.Cancelled))
            {
                if (line.Trim() is not { Length: > 0 } text) continue;
                if (++n > Most) throw new Fault(413, $"Maximum Bulk Deletes: {Most} per request");
                await Delete(c, Place.Decode(text).TrimStart('/').Split('/', 2) is [var container, var name] ? new(account, container, name) : new(account, Place.Decode(text).Trim('/')), report);
            }
        }
        catch (Fault f) { return report.Broken(c, f); }
        return report.Reply(c, 200, "Invalid bulk delete.");
    }

    /// <summary>A static manifest and all segments that it names.</summary>
    public static async ValueTask<Reply> Manifest(Call c, Place place, StoredObject manifest)
    {
        if (!manifest.IsManifest) throw Fault.BadRequest("Not an SLO manifest");
        var report = new BulkReport("delete", Deleted, NotFound);
        foreach (var part in await Parts(c, place, manifest)) await Delete(c, part, report);
        return report.Reply(c, 200, "");
    }

    // Segments before what names them: a second try finds those that are left.
    private static async ValueTask<IReadOnlyList<Place>> Parts(Call c, Place place, StoredObject manifest)
    {
        var places = new List<Place>();
        foreach (var segment in await Slo.Read(c.Services, manifest, c.Cancelled))
        {
            if (segment.Name.Length == 0) continue;
            var at = Slo.PlaceOf(place.Account, segment.Name);
            if (segment.SubSlo == true && (await Shelf.Container(c.Store, at.Project!, at.Container, c.Cancelled)) is { } container && (await Shelf.Object(c.Store, container.Item, at.Object, c.Cancelled))?.Item is { IsManifest: true } inner)
                places.AddRange(await Parts(c, at, inner));
            else places.Add(at);
        }
        return [.. places.Distinct(), place];
    }

    private static async ValueTask Delete(Call c, Place place, BulkReport report)
    {
        try
        {
            if (place.Object.Length > 0)
            {
                await Containers.Open(c, place);
                await Objects.Remove(c, place);
            }
            else
            {
                await Access.Require(c, place);
                await Edit.Run(c, place.Project!, edit => Containers.Remove(edit, place.Container));
            }
            report.Count(Deleted);
        }
        catch (Fault f) when (f.Status == 404) { report.Count(NotFound); }
        catch (Fault f) when (f.Status != 401) { report.Failed(place.Object.Length > 0 ? $"{place.Container}/{place.Object}" : place.Container, f); }
    }

    private static async IAsyncEnumerable<string> Lines(Stream body, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var reader = PipeReader.Create(body, new(leaveOpen: true));
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                yield return Encoding.UTF8.GetString(rest.Slice(0, end));
                rest = rest.Slice(rest.GetPosition(1, end));
            }
            if (rest.Length > MaxLine) throw Fault.BadRequest("Invalid File Name");
            if (read.IsCompleted)
            {
                yield return Encoding.UTF8.GetString(rest);
                yield break;
            }
            reader.AdvanceTo(rest.Start, rest.End);
        }
    }
}
