using System.Globalization;
using Cloud.ObjectStorage.Versions;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>Versions as S3 has them: a bucket that keeps them is a container with X-Versions-Enabled.</summary>
internal static class BucketVersions
{
    public const string Header = "x-amz-version-id", MarkerHeader = "x-amz-delete-marker";

    public static Reply Show(Container bucket) => S3Dialect.Xml("VersioningConfiguration", w =>
    {
        if (bucket.Versioning is { } on) w.WriteElementString("Status", on ? "Enabled" : "Suspended");
    });

    /// <exception cref="Fault">400, or 409 when a Swift client lets another container keep them.</exception>
    public static async ValueTask<Func<Container, Container>> Said(Call c)
    {
        var document = await S3Body.Read(c);
        bool on = (string?)document.Element(document.Name.Namespace + "Status") switch { "Enabled" => true, "Suspended" => false, _ => throw S3Dialect.Malformed() };
        return bucket => bucket.Archive is null || !on ? bucket with { Versioning = on } : throw new Fault(409, "Another container keeps older versions of this one.") { Kind = "InvalidBucketState" };
    }

    public static Reply With(this Reply reply, StoredObject o) => o.Version is null ? reply : reply.With(Header, Versioning.Text(o.Version));

    public static async ValueTask<Reply> List(Call c, Container bucket)
    {
        var (prefix, delimiter, key, version) = (c.First("prefix") ?? "", c.First("delimiter") ?? "", c.First("key-marker") ?? "", c.First("version-id-marker"));
        var limit = BucketList.LimitOf(c);
        var found = await VersionList.Walk(c, bucket, new() { Prefix = prefix, Delimiter = delimiter, Marker = key, Limit = limit + 1 }, version);
        var page = found.Take(limit).ToList();
        return S3Dialect.Xml("ListVersionsResult", w =>
        {
            w.WriteElementString("Name", bucket.Name);
            w.WriteElementString("Prefix", prefix);
            w.WriteElementString("KeyMarker", key);
            w.WriteElementString("MaxKeys", limit.ToString(CultureInfo.InvariantCulture));
            w.WriteElementString("IsTruncated", found.Count > limit ? "true" : "false");
            if (found.Count > limit && page is [.., var last])
            {
                w.WriteElementString("NextKeyMarker", last.Name);
                if (last.Item is { } item) w.WriteElementString("NextVersionIdMarker", Versioning.Text(item.Version));
            }
            for (var i = 0; i < page.Count; i++)
            {
                if (page[i].Item is not { } o) continue;
                w.WriteStartElement(o.IsDeleteMarker ? "DeleteMarker" : "Version");
                w.WriteElementString("Key", o.Name);
                w.WriteElementString("VersionId", Versioning.Text(o.Version));
                w.WriteElementString("IsLatest", VersionList.IsLatest(page, i) ? "true" : "false");
                w.WriteElementString("LastModified", S3Dialect.Time(o.Modified));
                if (!o.IsDeleteMarker) BucketList.Describe(w, o);
                Buckets.Owner(w, c, "Owner");
                w.WriteEndElement();
            }
            BucketList.Prefixes(w, page, name => name);
        });
    }
}
