using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>What multipart uploads there are, and which parts one has.</summary>
internal static class MultipartList
{
    public static async ValueTask<Reply> Show(Call c, Place place, string upload)
    {
        var (parts, _) = await Multipart.Find(c, place, upload);
        var there = await Multipart.Parts(c, parts.Item, place, upload);
        return S3Dialect.Xml("ListPartsResult", w =>
        {
            w.WriteElementString("Bucket", place.Container);
            w.WriteElementString("Key", place.Object);
            w.WriteElementString("UploadId", upload);
            w.WriteElementString("IsTruncated", "false");
            foreach (var part in there)
            {
                w.WriteStartElement("Part");
                w.WriteElementString("PartNumber", SwiftDialect.Number(int.Parse(part.Name[^5..], CultureInfo.InvariantCulture)));
                w.WriteElementString("LastModified", S3Dialect.Time(part.Modified));
                w.WriteElementString("ETag", S3Dialect.Quoted(part.ETag));
                w.WriteElementString("Size", SwiftDialect.Number(part.Size));
                w.WriteEndElement();
            }
        });
    }

    public static async ValueTask<Reply> List(Call c, Place place)
    {
        var parts = await Shelf.Container(c.Store, c.ProjectId, Multipart.Of(place).Container, c.Cancelled);
        var all = parts is null ? [] : await Listing.Walk<StoredObject>(c.Store, Shelf.Of(c.ProjectId), Shelf.ObjectRange(parts.Item.Id), new() { Prefix = c.First("prefix") ?? "" }, c.Cancelled);
        return S3Dialect.Xml("ListMultipartUploadsResult", w =>
        {
            w.WriteElementString("Bucket", place.Container);
            w.WriteElementString("IsTruncated", "false");
            foreach (var o in all.Select(e => e.Item!).Where(o => o.Name.LastIndexOf('/') is > 0 and var slash && Guid.TryParse(o.Name[(slash + 1)..], out _)))
            {
                w.WriteStartElement("Upload");
                w.WriteElementString("Key", o.Name[..o.Name.LastIndexOf('/')]);
                w.WriteElementString("UploadId", o.Name[(o.Name.LastIndexOf('/') + 1)..]);
                w.WriteElementString("Initiated", S3Dialect.Time(o.Modified));
                w.WriteEndElement();
            }
        });
    }
}
