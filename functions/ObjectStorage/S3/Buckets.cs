using System.Xml;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.S3;

/// <summary>Containers as buckets.</summary>
internal static class Buckets
{
    /// <summary>Where parts of unfinished and finished multipart uploads are.</summary>
    public const string Parts = "+segments";

    public static async ValueTask<Reply> All(Call c)
    {
        await Access.Require(c, S3Api.PlaceOf(c));
        var containers = await Listing.Walk<Container>(c.Store, Shelf.Of(c.ProjectId), Shelf.ContainerRange, new(), c.Cancelled);
        return S3Dialect.Xml("ListAllMyBucketsResult", w =>
        {
            Owner(w, c, "Owner");
            w.WriteStartElement("Buckets");
            foreach (var e in containers.Where(e => !e.Name.EndsWith(Parts, StringComparison.Ordinal)))
            {
                w.WriteStartElement("Bucket");
                w.WriteElementString("Name", e.Name);
                w.WriteElementString("CreationDate", S3Dialect.Time(e.Item!.CreatedAt));
                w.WriteEndElement();
            }
            w.WriteEndElement();
        });
    }

    public static async ValueTask<Reply> Show(Call c)
    {
        var (place, bucket) = await Open(c);
        if (c.First("location") is not null) return S3Dialect.Xml("LocationConstraint", w => w.WriteString(c.Services.Settings.Region));
        if (c.First("versioning") is not null) return BucketVersions.Show(bucket.Item);
        if (c.First("acl") is not null) return BucketAcl.Show(c, bucket.Item);
        if (c.First("tagging") is not null) throw new Fault(404, "The TagSet does not exist.") { Kind = "NoSuchTagSet" };
        if (c.First("uploads") is not null) return await MultipartList.List(c, place);
        return c.First("versions") is not null ? await BucketVersions.List(c, bucket.Item) : await BucketList.Show(c, bucket.Item);
    }

    public static async ValueTask<Reply> Head(Call c)
    {
        await Open(c);
        return Reply.Empty(200).With("x-amz-bucket-region", c.Services.Settings.Region);
    }

    public static async ValueTask<Reply> Create(Call c)
    {
        if (c.First("acl") is not null) return await Change(c, await BucketAcl.Said(c));
        if (c.First("versioning") is not null) return await Change(c, await BucketVersions.Said(c));
        var place = S3Api.PlaceOf(c);
        await Access.Require(c, place);
        var access = BucketAcl.Canned(c);
        if (place.Container.Length is < 3 or > 63 || !place.Container.All(ch => char.IsAsciiLetterOrDigit(ch) || ch is '.' or '-' or '_')) throw new Fault(400, "The specified bucket is not valid.") { Kind = "InvalidBucketName" };
        if (!await Containers.Make(c, c.ProjectId, place.Container)) throw new Fault(409, "Your previous request to create the named bucket succeeded and you already own it.") { Kind = "BucketAlreadyOwnedByYou" };
        if (access is not null) await Change(c, access);
        return Reply.Empty(200).With("Location", "/" + place.Container);
    }

    public static async ValueTask<Reply> Delete(Call c)
    {
        var (place, _) = await Open(c);
        try { await Edit.Run(c, c.ProjectId, edit => Containers.Remove(edit, place.Container)); }
        catch (Fault f) when (f.Status == 409) { throw new Fault(409, "The bucket you tried to delete is not empty.") { Kind = "BucketNotEmpty" }; }
        return Reply.Empty(204);
    }

    public static async ValueTask<(Place Place, Loaded<Container> Bucket)> Open(Call c, Place? place = null, string? rule = null)
    {
        place ??= S3Api.PlaceOf(c);
        try { return await Containers.Open(c, place, rule); }
        catch (Fault f) when (f.Status == 404) { throw S3Dialect.NoBucket(); }
    }

    private static async ValueTask<Reply> Change(Call c, Func<Container, Container> change)
    {
        var (place, _) = await Open(c);
        await Edit.Run(c, c.ProjectId, async edit =>
        {
            var was = await Shelf.Container(c.Store, edit.Project, place.Container, c.Cancelled) ?? throw S3Dialect.NoBucket();
            return edit.Put(was, change(was.Item));
        });
        return Reply.Empty(200);
    }

    public static void Owner(XmlWriter w, Call c, string element)
    {
        w.WriteStartElement(element);
        w.WriteElementString("ID", c.ProjectId);
        w.WriteElementString("DisplayName", c.ProjectId);
        w.WriteEndElement();
    }
}
