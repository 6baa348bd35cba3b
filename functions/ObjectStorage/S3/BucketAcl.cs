using System.Xml;
using System.Xml.Linq;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>
/// A bucket's access list, which is the container's: READ for all is <c>.r:*,.rlistings</c>, for those with an account <c>*:*</c>, for one project <c>ID:*</c>.
/// Keys have none of their own, and nobody unknown ever writes. Whoever is let in comes by the container's address: a key for S3 opens its own project's buckets.
/// </summary>
internal static class BucketAcl
{
    private const string Instance = "http://www.w3.org/2001/XMLSchema-instance", Groups = "http://acs.amazonaws.com/groups/global/", All = Groups + "AllUsers", Known = Groups + "AuthenticatedUsers";
    private const string Everybody = ".r:*,.rlistings", AnyProject = "*:*";

    /// <summary>What x-amz-acl says; null when it says nothing.</summary>
    /// <exception cref="Fault">501 for what lists can't say.</exception>
    public static Func<Container, Container>? Canned(Call c) => c.Header("x-amz-acl") switch
    {
        null or "" => null,
        "private" or "bucket-owner-read" or "bucket-owner-full-control" => bucket => bucket with { Read = "", Write = "" },
        "public-read" => bucket => bucket with { Read = Everybody, Write = "" },
        "authenticated-read" => bucket => bucket with { Read = AnyProject, Write = "" },
        _ => throw new Fault(501, "Such an access list is not implemented."),
    };

    /// <summary>A key's list may say no more than that it is its owner's.</summary>
    /// <exception cref="Fault">501.</exception>
    public static void CheckKey(Call c)
    {
        if (c.Header("x-amz-acl") is not (null or "" or "private" or "bucket-owner-read" or "bucket-owner-full-control")) throw new Fault(501, "Access lists of keys are not implemented; those of buckets are.");
    }

    /// <summary>What PUT ?acl says, in a header or in a body.</summary>
    public static async ValueTask<Func<Container, Container>> Said(Call c)
    {
        if (Canned(c) is { } canned) return canned;
        var (read, write) = (new List<string>(), new List<string>());
        foreach (var grant in (await S3Body.Read(c)).Descendants().Where(e => e.Name.LocalName == "Grant"))
        {
            var who = Member(grant, "URI") switch { All => Everybody, Known => AnyProject, null => $"{Member(grant, "ID") ?? throw S3Dialect.Malformed()}:*", _ => throw new Fault(501, "Such a group is not implemented.") };
            var what = Member(grant, "Permission");
            if (who == c.ProjectId + ":*") continue; // he may anyway
            if (what is "READ" or "FULL_CONTROL") read.Add(who);
            if (what is "WRITE" or "FULL_CONTROL") write.Add(who != Everybody ? who : throw new Fault(501, "That everybody may write is not implemented."));
            if (what is not ("READ" or "WRITE" or "FULL_CONTROL")) throw new Fault(501, "Grants of a list itself are not implemented.");
        }
        var (reads, writes) = (Acl.Clean("X-Container-Read", string.Join(',', read)), Acl.Clean("X-Container-Write", string.Join(',', write)));
        return bucket => bucket with { Read = reads, Write = writes };
    }

    public static Reply Show(Call c, Container bucket) => S3Dialect.Xml("AccessControlPolicy", w =>
    {
        Buckets.Owner(w, c, "Owner");
        w.WriteStartElement("AccessControlList");
        Grant(w, c.ProjectId, "FULL_CONTROL");
        foreach (var item in bucket.Read.Split(',')) Grant(w, item, "READ");
        foreach (var item in bucket.Write.Split(',')) Grant(w, item, "WRITE");
        w.WriteEndElement();
    });

    // What only Swift's lists say (roles, users, pages) has no form here.
    private static void Grant(XmlWriter w, string item, string permission)
    {
        var (type, element, who) = item switch
        {
            ".r:*" => ("Group", "URI", All),
            AnyProject => ("Group", "URI", Known),
            _ when item.EndsWith(":*", StringComparison.Ordinal) && item[0] != '.' => ("CanonicalUser", "ID", item[..^2]),
            _ when permission == "FULL_CONTROL" => ("CanonicalUser", "ID", item),
            _ => default,
        };
        if (type is null) return;
        w.WriteStartElement("Grant");
        w.WriteStartElement("Grantee");
        w.WriteAttributeString("xsi", "type", Instance, type);
        w.WriteElementString(element, who);
        w.WriteEndElement();
        w.WriteElementString("Permission", permission);
        w.WriteEndElement();
    }

    private static string? Member(XElement e, string name) => e.Descendants().FirstOrDefault(d => d.Name.LocalName == name)?.Value;
}
