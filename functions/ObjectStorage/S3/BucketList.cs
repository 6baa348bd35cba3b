using System.Globalization;
using System.Text;
using System.Xml;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>ListObjects and ListObjectsV2.</summary>
internal static class BucketList
{
    private const int Most = 1000;

    public static async ValueTask<Reply> Show(Call c, Container bucket)
    {
        var second = c.First("list-type") == "2";
        var limit = LimitOf(c);
        var (prefix, delimiter, token) = (c.First("prefix") ?? "", c.First("delimiter") ?? "", c.First("continuation-token"));
        var after = second ? token is null ? c.First("start-after") ?? "" : Untoken(token) : c.First("marker") ?? "";
        var query = new ListQuery { Prefix = prefix, Delimiter = delimiter, Marker = after, Limit = limit + 1 };
        var found = limit == 0 ? [] : await Listing.Walk<StoredObject>(c.Store, Shelf.Of(bucket.ProjectId), Shelf.ObjectRange(bucket.Id), query, c.Cancelled);
        var (page, more) = (found.Take(limit).ToList(), found.Count > limit);
        var encode = c.First("encoding-type") == "url";
        string Name(string name) => encode ? Place.Escape(name) : name;
        return S3Dialect.Xml("ListBucketResult", w =>
        {
            w.WriteElementString("Name", bucket.Name);
            w.WriteElementString("Prefix", Name(prefix));
            w.WriteElementString("MaxKeys", SwiftDialect.Number(limit));
            if (delimiter.Length > 0) w.WriteElementString("Delimiter", Name(delimiter));
            if (encode) w.WriteElementString("EncodingType", "url");
            w.WriteElementString("IsTruncated", more ? "true" : "false");
            if (second)
            {
                w.WriteElementString("KeyCount", SwiftDialect.Number(page.Count));
                if (token is not null) w.WriteElementString("ContinuationToken", token);
                if (c.First("start-after") is { } start) w.WriteElementString("StartAfter", Name(start));
                if (more) w.WriteElementString("NextContinuationToken", Token(page[^1].Name));
            }
            else
            {
                w.WriteElementString("Marker", Name(after));
                if (more) w.WriteElementString("NextMarker", Name(page[^1].Name));
            }
            foreach (var o in page.Select(e => e.Item).OfType<StoredObject>())
            {
                w.WriteStartElement("Contents");
                w.WriteElementString("Key", Name(o.Name));
                w.WriteElementString("LastModified", S3Dialect.Time(o.Modified));
                Describe(w, o);
                if (!second || c.First("fetch-owner") == "true") Buckets.Owner(w, c, "Owner");
                w.WriteEndElement();
            }
            Prefixes(w, page, Name);
        });
    }

    /// <exception cref="Fault">400.</exception>
    public static int LimitOf(Call c) => c.First("max-keys") is not { } text ? Most
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? Math.Min(n, Most) : throw new Fault(400, "max-keys must be a number.") { Kind = "InvalidArgument" };

    public static void Describe(XmlWriter w, StoredObject o)
    {
        w.WriteElementString("ETag", S3Dialect.Quoted(o.ETag));
        w.WriteElementString("Size", SwiftDialect.Number(o.Size));
        w.WriteElementString("StorageClass", "STANDARD");
    }

    public static void Prefixes(XmlWriter w, IEnumerable<Entry<StoredObject>> page, Func<string, string> name)
    {
        foreach (var e in page.Where(e => e.Item is null))
        {
            w.WriteStartElement("CommonPrefixes");
            w.WriteElementString("Prefix", name(e.Name));
            w.WriteEndElement();
        }
    }

    private static string Token(string name) => Convert.ToBase64String(Encoding.UTF8.GetBytes(name));

    private static string Untoken(string token)
    {
        var bytes = new byte[token.Length];
        return Convert.TryFromBase64String(token, bytes, out var n) ? Encoding.UTF8.GetString(bytes, 0, n) : throw new Fault(400, "The continuation token provided is incorrect.") { Kind = "InvalidArgument" };
    }
}
